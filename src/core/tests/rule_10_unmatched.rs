//! Rule 10: demand that no variant asks for, with the nearest reason.

use super::world::{World, row, v};
use crate::core::{Blocked, Failure, Gone, OutOfScope, PoolGroup, TakenBy, Unmatched};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

#[test]
fn rule_10_no_variant_of_that_model() {
    assert_eq!(world().why("ns/p/n"), [Blocked::NoVariant]);
    assert_eq!(World::new().why("ns/p/n"), [Blocked::NoVariant]);
}

#[test]
fn rule_10_only_in_another_namespace() {
    assert_eq!(world().why("two/p/m"), [Blocked::WrongNamespace("ns".into())]);
}

#[test]
fn rule_10_but_for_upper_and_lower_case() {
    let world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").model("Meta/Llama").alias("Straße"));
    assert_eq!(
        world.why("ns/p/meta/llama"),
        [Blocked::NameDiffersByCase("Meta/Llama".into())]
    );
    assert_eq!(
        world.why("ns/p/straße"),
        [Blocked::NameDiffersByCase("Straße".into())]
    );
    // In the very namespace that is nearer than the right name elsewhere.
    let both = world.pool("two/p", "app=m").with(v("two/a").model("meta/llama"));
    assert_eq!(
        both.why("ns/p/meta/llama"),
        [Blocked::NameDiffersByCase("Meta/Llama".into())]
    );
    assert_eq!(
        both.why("three/p/meta/llama"),
        [Blocked::WrongNamespace("two".into())]
    );
}

#[test]
fn rule_10_behind_another_pool_or_none() {
    let world = world().pool("ns/q", "app=q");
    assert_eq!(world.why("ns/q/m"), [Blocked::OtherPool("p".into())]);
    assert_eq!(world.why("ns/missing/m"), [Blocked::OtherPool("p".into())]);
    let none = World::new().pool("ns/p", "app=q").with(v("ns/a"));
    assert_eq!(none.why("ns/p/m"), [Blocked::NoPool]);
}

#[test]
fn rule_10_too_many_names_for_the_epp() {
    assert_eq!(world().why("ns/p/other"), [Blocked::LabelOverflow]);
    // A model may be called so.
    let named = world().with(v("ns/o").model("other"));
    assert_eq!(named.wakes(&["ns/p/other"]), ["ns/o"]);
}

#[test]
fn rule_10_the_nearest_of_several_reasons_is_told() {
    let excluded = || v("ns/1").but(|a| a.excluded = true);
    let missing = || v("ns/2").shared();
    let no_pool = || v("ns/3").labels("app=none");
    let elsewhere = || v("ns/4").labels("app=q");
    let world = World::new()
        .pool("ns/p", "app=m")
        .pool("ns/q", "app=q")
        .with(excluded());
    assert_eq!(
        world.why("ns/p/m"),
        [Blocked::OutOfScope(OutOfScope::VariantExcluded)]
    );
    let world = world.with(missing());
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Missing)]);
    let world = world.with(no_pool());
    assert_eq!(world.why("ns/p/m"), [Blocked::NoPool]);
    let world = world.with(elsewhere());
    assert_eq!(world.why("ns/p/m"), [Blocked::OtherPool("q".into())]);
    let world = world.with(v("ns/5"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/5"]);
}

#[test]
fn rule_10_an_excluded_pool_is_nearer_than_another_pool() {
    let world = World::new()
        .pool_of(PoolGroup::Stable, "ns/p", "app=m", true)
        .pool("ns/q", "app=q")
        .with(v("ns/a"))
        .with(v("ns/b").labels("app=q"));
    assert_eq!(
        world.why("ns/p/m"),
        [Blocked::OutOfScope(OutOfScope::PoolExcluded)]
    );
}

#[test]
fn rule_10_a_pool_of_that_name_in_two_namespaces_wakes_in_neither() {
    // The demand may be for the pool of the other tenant, whether that may be woken or not (rule 3).
    for second in [v("two/a"), v("two/a").but(|a| a.excluded = true)] {
        let world = world()
            .pool("two/p", "app=m")
            .with(second)
            .rules(|r| r.unmatched = Unmatched::Pool);
        for row in ["-/p/x", "-/p/m", "-/p/-"] {
            assert_eq!(world.why(row), [Blocked::AmbiguousNamespace], "{row}");
        }
        assert_eq!(world.wakes(&["ns/p/x"]), ["ns/a"]);
    }
}

#[test]
fn rule_10_blocked_demand_is_told_as_it_came() {
    let mut world = world();
    let held = world.tick(&[row("ns/p/n"), row("-/-/x")]).plan.blocked;
    let told: Vec<_> = held
        .iter()
        .map(|h| (h.namespace.as_deref(), h.pool.as_deref(), h.model.as_deref()))
        .collect();
    assert_eq!(
        told,
        [(Some("ns"), Some("p"), Some("n")), (None, None, Some("x"))]
    );
    assert!(held.iter().all(|h| h.why.is_unmatched()));
}

#[test]
fn rule_10_every_reason_has_a_word_of_its_own() {
    let mut all = vec![
        Blocked::NoVariant,
        Blocked::WrongNamespace("x".into()),
        Blocked::NameDiffersByCase("x".into()),
        Blocked::OtherPool("x".into()),
        Blocked::NoPool,
        Blocked::LabelOverflow,
        Blocked::UnnamedDemand,
        Blocked::AmbiguousNamespace,
    ];
    assert!(all.iter().all(Blocked::is_unmatched));
    let matched = [
        Blocked::Target(Gone::Missing),
        Blocked::Target(Gone::Unreadable),
        Blocked::Target(Gone::Unsupported),
        Blocked::Target(Gone::NoTemplate),
        Blocked::StaleDemand,
        Blocked::WakeFailed(Failure::Forbidden),
        Blocked::TakenBack(None),
        Blocked::Manual(TakenBy::Person(None)),
        Blocked::UnknownRole("x".into()),
        Blocked::Incomplete,
        Blocked::Capped,
        Blocked::FlowControlOff,
        Blocked::EppNotScraped,
    ];
    assert!(!matched.iter().any(Blocked::is_unmatched));
    all.extend(matched);
    all.extend(OutOfScope::ALL.map(Blocked::OutOfScope));
    let words: std::collections::BTreeSet<_> = all.iter().map(Blocked::as_str).collect();
    let texts: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((words.len(), texts.len()), (all.len(), all.len()));
}
