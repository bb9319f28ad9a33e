//! Rule 11 for serving sets of several targets.

use super::world::{MOMENT, Ticked, World, row, s, v, variant};
use crate::core::{Failure, Notice, Row, State};

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// A decode and a prefill, woken together, beside what else there is: `name role cost`.
fn woken(others: &[&str]) -> World {
    let world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/d").role("decode").cost("1"))
        .with(v("ns/p").role("prefill").cost("1"));
    let mut world = others.iter().fold(world, |world, text| {
        let [name, role, cost] = text.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not name role cost: {text}");
        };
        world.with(v(&format!("ns/{name}")).role(role).cost(cost))
    });
    assert_eq!(world.wake_all(&demand()), ["ns/d", "ns/p"]);
    world.tick(&demand());
    world
}

fn escalated(ticked: &Ticked) -> (Vec<String>, Vec<String>) {
    let from = ticked.plan.escalations.iter().flat_map(|e| &e.from);
    (
        from.map(|(target, _)| target.name.to_string()).collect(),
        ticked.wakes(),
    )
}

/// After the time for it, with so many of the two ready: what is given up, and what is woken instead.
fn after_timeout(others: &[&str], ready: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut world = woken(others);
    for one in ready {
        world.scale(&format!("ns/{one}"), 1, 1);
    }
    world.tick(&demand());
    escalated(&world.after(s(600)).tick(&demand()))
}

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(|name| format!("ns/{name}")).collect()
}

#[test]
fn rule_11_the_part_that_is_overdue_is_replaced_or_the_set_is() {
    for (others, ready, from, woken) in [
        // Neither is ready: another set.
        (&["w both 9"][..], &[][..], "d p", "w"),
        (&["e decode 2", "q prefill 2"], &[], "d p", "e q"),
        (&["e decode 2", "q prefill 2", "w both 3.9"], &[], "d p", "w"),
        // One is: what completes it, or does without it, whatever is cheaper.
        (&["q prefill 2", "w both 9"], &["d"], "p", "q"),
        (&["q prefill 12", "w both 9"], &["d"], "p", "w"),
        (&["e decode 2", "w both 9"], &["p"], "d", "e"),
        (&["e decode 12", "w both 9"], &["p"], "d", "w"),
        // A decode without its prefill is no set, where one exists.
        (&["w both 9"], &["d"], "p", "w"),
        // Nothing that helps.
        (&["e decode 2"], &["d"], "", ""),
        (&["q prefill 2"], &["p"], "", ""),
        (&["q prefill 2"], &[], "", ""),
        (&["e encode 2"], &["d"], "", ""),
        (&["w both 9"], &["d", "p"], "", ""),
    ] {
        assert_eq!(
            after_timeout(others, ready),
            (names(from), names(woken)),
            "{others:?} {ready:?}"
        );
    }
}

#[test]
fn rule_11_a_set_counts_as_one_escalation() {
    let mut world = woken(&["e decode 2", "q prefill 2", "w both 90"]);
    assert_eq!(world.after(s(600)).wake_all(&demand()), names("e q"));
    world.tick(&demand());
    for one in ["ns/d", "ns/p"] {
        assert!(matches!(world.state(one), State::Surplus(_)), "{one}");
    }
    for _ in 0..20 {
        assert_eq!(world.after(s(100)).wake_all(&demand()), [""; 0]);
    }
    assert_eq!(world.state("ns/e").as_str(), "overdue");
}

#[test]
fn rule_11_a_set_that_serves_in_place_of_another_lets_the_episode_end() {
    let mut world = woken(&["w both 9"]);
    assert_eq!(world.after(s(600)).wake_all(&demand()), names("w"));
    world.scale("ns/w", 1, 1);
    world.after(MOMENT).tick(&[]);
    assert_eq!(world.memory.episodes(), 1);
    // The prefill that was given up is still starting.
    let ended = world.after(s(120)).tick(&[]).notices;
    let served = |n: &Notice| matches!(n, Notice::EpisodeEnded { served: true, .. });
    assert!(ended.iter().any(served), "{ended:?}");
}

#[test]
fn rule_11_a_prefill_that_is_ready_first_does_not_end_the_episode() {
    let mut world = woken(&["w both 9"]);
    world.scale("ns/p", 1, 1);
    // Demand is dropped after a minute; the decode is still loading.
    for _ in 0..10 {
        world.after(s(50)).tick(&[]);
    }
    assert_eq!(world.memory.episodes(), 1);
    assert_eq!(
        escalated(&world.after(s(100)).tick(&[])),
        (names("d"), names("w"))
    );
    // Nor is the decode alone the set, while its prefill starts.
    let mut world = woken(&[]);
    world.scale("ns/d", 1, 1);
    for _ in 0..5 {
        world.after(s(60)).tick(&[]);
    }
    assert_eq!(world.memory.episodes(), 1);
    world.scale("ns/p", 1, 1);
    world.after(MOMENT).tick(&[]);
    world.after(s(120)).tick(&[]);
    assert_eq!(world.memory.episodes(), 0);
}

#[test]
fn rule_11_a_set_without_the_prefill_that_was_given_up_is_woken_again() {
    let mut world = woken(&["w both 9"]);
    world.scale("ns/d", 1, 1);
    world.tick(&demand());
    assert_eq!(world.after(s(600)).wake_all(&demand()), names("w"));
    world.after(MOMENT).tick(&demand());
    world.scale("ns/w", 0, 0);
    world.after(MOMENT).tick(&demand());
    world.attribute(Some(&[super::world::owner("controller")]));
    assert_eq!(world.after(s(1)).tick(&demand()).wakes(), names("w"));
}

#[test]
fn rule_11_a_half_that_cannot_be_completed_gives_way() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/d").role("decode").cost("1"))
        .with(v("ns/p").role("prefill").cost("1"))
        .with(v("ns/w").role("both").cost("9"));
    let both = world.tick(&demand());
    assert_eq!(both.wakes(), ["ns/d", "ns/p"]);
    for wake in &both.plan.wakes {
        world.memory.sent(wake);
        let refused = Err((Failure::Forbidden, Some(s(5_000))));
        let answer = if wake.variant == variant("ns/d") {
            Ok(())
        } else {
            refused
        };
        world.answered(wake, answer);
    }
    world.scale("ns/d", 1, 0);
    let waiting = world.tick(&demand());
    assert_eq!((waiting.wakes(), waiting.why()), (vec![], vec!["wake_failed"]));
    let late = world.after(s(600)).tick(&demand());
    assert_eq!(escalated(&late), (names("d"), names("w")));
}
