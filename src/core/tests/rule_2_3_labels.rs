//! Rules 2 and 3: rows that name no model, and rows that name no namespace.

use super::world::{V, World, row, v};
use crate::core::{Blocked, Namespace, OutOfScope, PoolGroup};

#[test]
fn rule_2_a_row_without_a_model_is_for_the_only_model_of_its_pool() {
    let world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").alias("adapter").cost("2"))
        .with(v("ns/b").cost("1"))
        .pool("ns/q", "app=n")
        .with(v("ns/c").model("n").labels("app=n"));
    assert_eq!(world.wakes(&["ns/p/-"]), ["ns/b"]);
    assert_eq!(world.wakes(&["ns/q/-"]), ["ns/c"]);
    assert_eq!(world.why("ns/nowhere/-"), [Blocked::UnnamedDemand]);
    assert_eq!(world.why("other/p/-"), [Blocked::UnnamedDemand]);
    // The key is that of the model, so that it is one episode with rows that name it.
    let wake = world.clone().tick(&[row("ns/p/-")]).plan.wakes.remove(0);
    assert_eq!(&*wake.key.model, "m");
    assert_eq!(world.wakes(&["ns/p/-", "ns/p/m"]), ["ns/b"]);
}

#[test]
fn rule_2_a_row_without_a_model_wakes_nothing_in_a_pool_of_two() {
    for second in [
        v("ns/b").model("n"),
        v("ns/b").model("n").but(|b| b.excluded = true),
        v("ns/b").model("n").serving(),
    ] {
        let world = World::new().pool("ns/p", "app=m").with(v("ns/a")).with(second);
        assert_eq!(world.why("ns/p/-"), [Blocked::UnnamedDemand]);
    }
}

#[test]
fn rule_2_a_row_without_a_model_says_why_the_only_model_is_not_woken() {
    let world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").but(|a| a.excluded = true));
    assert_eq!(
        world.why("ns/p/-"),
        [Blocked::OutOfScope(OutOfScope::VariantExcluded)]
    );
}

#[test]
fn rule_2_a_row_without_model_and_pool_needs_one_model_in_the_namespace() {
    let world = World::new().pool("ns/p", "app=m").with(v("ns/a"));
    assert_eq!(world.wakes(&["ns/-/-"]), ["ns/a"]);
    let world = world
        .pool("ns/q", "app=n")
        .with(v("ns/b").model("n").labels("app=n"));
    assert_eq!(world.why("ns/-/-"), [Blocked::UnnamedDemand]);
    assert_eq!(world.wakes(&["ns/p/-"]), ["ns/a"]);
}

fn tenants(second: V) -> World {
    World::new()
        .pool("one/p", "app=m")
        .pool("two/p", "app=m")
        .with(v("one/a"))
        .with(second)
}

#[test]
fn rule_3_a_row_without_a_namespace_is_for_the_only_one_that_answers() {
    let world = World::new().pool("one/p", "app=m").with(v("one/a"));
    assert_eq!(world.wakes(&["-/p/m"]), ["one/a"]);
    assert_eq!(world.wakes(&["-/-/m"]), ["one/a"]);
    assert_eq!(world.wakes(&["-/-/-"]), ["one/a"]);
    assert_eq!(world.why("-/q/m"), [Blocked::OtherPool("p".into())]);
    assert_eq!(world.why("-/p/n"), [Blocked::NoVariant]);
}

#[test]
fn rule_3_a_row_without_a_namespace_that_two_answer_wakes_neither() {
    let world = tenants(v("two/a"));
    for row in ["-/p/m", "-/-/m", "-/p/-", "-/-/-"] {
        assert_eq!(world.why(row), [Blocked::AmbiguousNamespace], "{row}");
    }
    assert_eq!(world.wakes(&["one/p/m"]), ["one/a"]);
    assert_eq!(world.wakes(&["two/p/m", "-/p/m"]), ["two/a"]);
    let all = world.rules(|r| r.every_namespace = true);
    for row in ["-/p/m", "-/-/m", "-/p/-", "-/-/-"] {
        assert_eq!(all.wakes(&[row]), ["one/a", "two/a"], "{row}");
    }
}

#[test]
fn rule_3_a_tenant_out_of_scope_makes_a_namespace_ambiguous_too() {
    let out = [
        v("two/a").but(|a| a.excluded = true),
        v("two/a").but(|a| a.deleting = true),
        v("two/a").edit(|t| t.excluded = true),
        v("two/a").serving(),
    ];
    for second in out {
        for row in ["-/p/m", "-/-/m", "-/p/-"] {
            assert_eq!(
                tenants(second.clone()).why(row),
                [Blocked::AmbiguousNamespace],
                "{row}"
            );
        }
    }
    let excluded = Namespace {
        excluded: true,
        excluded_from_wva: false,
    };
    let world = tenants(v("two/a")).namespace("two", excluded);
    assert_eq!(world.why("-/p/m"), [Blocked::AmbiguousNamespace]);
    // Excluded pools included: what waits there waits at that tenant's.
    let world = tenants(v("two/a")).pool_of(PoolGroup::Stable, "two/p", "app=m", true);
    for row in ["-/p/m", "-/-/m", "-/p/-", "-/-/-"] {
        assert_eq!(world.why(row), [Blocked::AmbiguousNamespace], "{row}");
    }
    // Even where every namespace may be woken, who is out of scope is not.
    let all = world.rules(|r| r.every_namespace = true);
    assert_eq!(all.wakes(&["-/p/m"]), ["one/a"]);
}

#[test]
fn rule_3_a_namespace_that_cannot_answer_does_not_make_it_ambiguous() {
    // Another model, another pool, no pool, no target.
    for second in [
        v("two/a").model("n"),
        v("two/a").labels("app=elsewhere"),
        v("two/a").shared(),
    ] {
        assert_eq!(tenants(second).wakes(&["-/p/m"]), ["one/a"]);
    }
    let other_pool = World::new()
        .pool("one/p", "app=m")
        .pool("two/q", "app=m")
        .with(v("one/a"))
        .with(v("two/a"));
    assert_eq!(other_pool.wakes(&["-/p/m"]), ["one/a"]);
    assert_eq!(other_pool.wakes(&["-/q/m"]), ["two/a"]);
    assert_eq!(other_pool.why("-/-/m"), [Blocked::AmbiguousNamespace]);
}

#[test]
fn rule_3_with_every_namespace_one_of_two_models_does_not_hide_the_other() {
    let world = tenants(v("two/a"))
        .with(v("two/b").model("n"))
        .rules(|r| r.every_namespace = true);
    assert_eq!(world.wakes(&["-/p/-"]), ["one/a"]);
    assert_eq!(world.wakes(&["-/p/n"]), ["two/b"]);
}
