//! Rule 16: what describes a variant, and which counts where several describe one target.

use super::world::{World, hpa, name, row, scaled_object, v, variant};
use crate::core::{Blocked, Change, OutOfScope, Pause, Scope, ScopeRules, Source};

const ALL: [&str; 3] = ["ns/a", "ScaledObject ns/a", "HorizontalPodAutoscaler ns/a"];

fn scoped(sources: &[Source]) -> World {
    let rules = ScopeRules {
        sources: sources.iter().copied().collect(),
        ..ScopeRules::default()
    };
    World::scoped(rules).pool("ns/p", "app=m")
}

fn world() -> World {
    scoped(&Source::ALL)
}

/// What one wake is for, as it is printed; nothing if nothing is woken.
fn woken_for(world: &World, text: &str) -> Option<String> {
    let mut wakes = world.clone().tick(&[row(text)]).plan.wakes;
    assert!(wakes.len() <= 1, "one target, one wake: {wakes:?}");
    let wake = wakes.pop()?;
    assert_eq!(wake.target.name, name("ns/a"));
    Some(wake.variant.to_string())
}

fn scope(world: &World, text: &str) -> Scope {
    let entry = world.inventory.entry(&variant(text));
    entry.expect("a variant").scope.clone()
}

#[test]
fn rule_16_each_source_describes_a_variant() {
    for text in ALL {
        let world = world().with(v(text));
        assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some(text));
        assert_eq!(world.inventory.inactive(), 1);
    }
    // What is not marked as one does not.
    for scaler in [hpa("ns/a").min(0), scaled_object("ns/a")] {
        assert_eq!(world().with(scaler).why("ns/p/m"), [Blocked::NoVariant]);
    }
}

#[test]
fn rule_16_one_counts_per_target_in_order_of_precedence() {
    for present in 1..8_usize {
        let on = |at: usize| present & (1 << at) != 0;
        let there: Vec<_> = (0..3).filter(|at| on(*at)).map(|at| ALL[at]).collect();
        // In whatever order they come.
        for reversed in [false, true] {
            let mut order = there.clone();
            if reversed {
                order.reverse();
            }
            let world = order.iter().fold(world(), |world, text| world.with(v(text)));
            assert_eq!(
                woken_for(&world, "ns/p/m").as_deref(),
                Some(there[0]),
                "{order:?}"
            );
            for outranked in &there[1..] {
                assert_eq!(scope(&world, outranked), Scope::Out(OutOfScope::Outranked));
            }
            assert_eq!(world.inventory.inactive(), 1);
        }
    }
}

#[test]
fn rule_16_when_the_first_goes_the_next_counts() {
    let mut world = ALL.iter().fold(world(), |world, text| world.with(v(text)));
    world.inventory.apply(Change::Variant(name("ns/a"), None));
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some(ALL[1]));
    world.edit_scaler("ScaledObject ns/a", |scaler| scaler.variant = None);
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some(ALL[2]));
    world.put(v("ns/a"));
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some(ALL[0]));
}

#[test]
fn rule_16_one_that_may_not_be_woken_still_counts_first() {
    let excluded = v("ns/a").but(|a| a.excluded = true);
    let world = world().with(v(ALL[1])).with(excluded);
    assert_eq!(woken_for(&world, "ns/p/m"), None);
}

#[test]
fn rule_16_sources_are_configuration() {
    use Source::{HorizontalPodAutoscaler as Hpa, ScaledObject as Keda, VariantAutoscaling as Va};
    for (sources, counts) in [
        (&[Va, Keda, Hpa][..], ALL[0]),
        (&[Va], ALL[0]),
        (&[Keda, Hpa], ALL[1]),
        (&[Keda], ALL[1]),
        (&[Hpa], ALL[2]),
        (&[Va, Hpa], ALL[0]),
    ] {
        let world = ALL
            .iter()
            .fold(scoped(sources), |world, text| world.with(v(text)));
        assert_eq!(
            woken_for(&world, "ns/p/m").as_deref(),
            Some(counts),
            "{sources:?}"
        );
        assert_eq!(world.inventory.variants(), sources.len());
    }
}

#[test]
fn rule_16_sources_of_different_targets_stand_side_by_side() {
    let costs = |va: &str, keda: &str, hpa: &str| {
        world()
            .with(v("ns/a").cost(va))
            .with(v("ScaledObject ns/b").cost(keda))
            .with(v("HorizontalPodAutoscaler ns/c").cost(hpa))
            .wakes(&["ns/p/m"])
    };
    assert_eq!(costs("1", "2", "3"), ["ns/a"]);
    assert_eq!(costs("3", "1", "2"), ["ns/b"]);
    assert_eq!(costs("3", "2", "1"), ["ns/c"]);
    assert_eq!(costs("2", "2", "2"), ["ns/a"]);
    // What is up counts, whoever describes it.
    let up = world().with(v("ns/a")).with(v("ScaledObject ns/b").starting());
    assert_eq!(up.why("ns/p/m"), []);
}

#[test]
fn rule_16_the_model_of_one_that_does_not_count_is_not_served() {
    let world = world().with(v("ns/a")).with(v(ALL[1]).model("theirs"));
    assert_eq!(
        world.why("ns/p/theirs"),
        [Blocked::OutOfScope(OutOfScope::Outranked)]
    );
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some("ns/a"));
}

#[test]
fn rule_16_disagreement_about_model_or_cost_is_reported() {
    let both = |other: super::world::V| world().with(v("ns/a").cost("5")).with(other);
    let keda = || v(ALL[1]).cost("5");
    for (other, what) in [
        (keda(), None),
        (keda().cost("5.0"), None),
        (keda().alias("more"), None),
        (keda().model("n"), Some("model")),
        (keda().cost("6"), Some("cost")),
        (keda().model("n").cost("6"), Some("model and cost")),
        (v(ALL[2]).model("n").cost("5"), Some("model")),
        // Of another target.
        (v("ScaledObject ns/b").model("n"), None),
    ] {
        let name = other.name.to_string();
        let told = what
            .map(|what| format!("ns/a and {name}, both on Deployment ns/a, differ in {what}: ns/a counts"));
        assert_eq!(both(other).inventory.conflicts(), Vec::from_iter(told));
    }
    // Each with the one that counts, in order.
    let three = both(keda().cost("7")).with(v(ALL[2]).model("n").cost("5"));
    let told = three.inventory.conflicts();
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("HorizontalPodAutoscaler ns/a") && told[0].contains("model: ns/a counts"));
    assert!(told[1].contains("ScaledObject ns/a") && told[1].contains("cost: ns/a counts"));
}

#[test]
fn rule_7_two_of_one_source_on_one_target_are_reported() {
    let world = world().with(v("ns/a")).with(v("ns/b").target("a").shared());
    assert_eq!(
        world.inventory.conflicts(),
        ["ns/a and ns/b are both on Deployment ns/a: they are woken as one"]
    );
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some("ns/a"));
    assert_eq!(self::world().with(v("ns/a")).inventory.conflicts(), [""; 0]);
}

#[test]
fn rule_16_the_hpa_that_keda_made_is_the_scaled_object_itself() {
    let child = hpa("ns/keda-hpa-a").on("ns/a").min(1).child();
    let world = world().with(v(ALL[1])).with(child);
    assert_eq!(world.inventory.conflicts(), [""; 0]);
    assert_eq!(woken_for(&world, "ns/p/m").as_deref(), Some(ALL[1]));
    assert_eq!(world.inventory.variants(), 1);
}

#[test]
fn rule_7_a_paused_scaled_object_keeps_its_target_out_whoever_describes_it() {
    for pause in Pause::ALL {
        let paused = || scaled_object("ns/k").on("ns/a").paused(pause);
        let described = scaled_object("ns/k").paused(pause).describes(v(ALL[1]));
        for world in [
            world().with(v("ns/a")).with(paused()),
            world().with(v(ALL[2])).with(paused()),
            world().with(described),
        ] {
            assert_eq!(
                world.why("ns/p/m"),
                [Blocked::OutOfScope(OutOfScope::Paused)],
                "{pause}"
            );
        }
        let mut elsewhere = world()
            .with(v("ns/a"))
            .with(scaled_object("ns/k").on("ns/b").paused(pause));
        assert_eq!(elsewhere.tick(&[row("ns/p/m")]).wakes(), ["ns/a"]);
        // Unpaused again.
        let mut world = world().with(v("ns/a")).with(paused());
        world.edit_scaler("ScaledObject ns/k", |scaler| scaler.paused = None);
        assert_eq!(world.tick(&[row("ns/p/m")]).wakes(), ["ns/a"]);
    }
}
