//! Rule 10 with `wake.unmatched: pool`: demand that no variant asks for wakes the cheapest set of its pool.

use super::world::{World, row, v};
use crate::core::{Blocked, Unmatched};

fn pool(world: World) -> World {
    world.rules(|r| r.unmatched = Unmatched::Pool)
}

/// Two models behind one pool, and one behind another.
fn world() -> World {
    World::new()
        .pool("ns/p", "app=m")
        .pool("ns/q", "app=q")
        .with(v("ns/a").model("Big").cost("9"))
        .with(v("ns/b").model("small").cost("5"))
        .with(v("ns/c").model("third").cost("1").labels("app=q"))
}

#[test]
fn rule_10_unmatched_demand_wakes_the_cheapest_of_its_pool() {
    for (text, word) in [
        ("ns/p/nobody", "no_variant"),
        ("ns/p/big", "name_differs_by_case"),
        ("ns/p/third", "other_pool"),
        ("ns/p/other", "label_overflow"),
        ("ns/p/-", "unnamed_demand"),
        ("-/p/nobody", "no_variant"),
    ] {
        let words: Vec<_> = world().why(text).iter().map(Blocked::as_str).collect();
        assert_eq!(words, [word], "reported by default: {text}");
        let mut world = pool(world());
        let ticked = world.tick(&[row(text)]);
        assert_eq!(
            (ticked.wakes(), ticked.why()),
            (vec!["ns/b".into()], vec![]),
            "{text}"
        );
        // Episode, backoff and all else as for any other demand.
        world.send(&ticked.plan);
        let again = world.tick(&[row(text)]);
        assert_eq!((again.wakes(), again.why()), (vec![], vec![]), "{text}");
        assert_eq!(world.memory.episodes(), 1);
    }
    let elsewhere = pool(world()).pool("two/p", "app=m").with(v("two/a").model("far"));
    assert_eq!(elsewhere.wakes(&["ns/p/far"]), ["ns/b"], "wrong_namespace");
}

#[test]
fn rule_10_demand_that_a_variant_asks_for_is_not_the_pools() {
    assert_eq!(pool(world()).wakes(&["ns/p/Big"]), ["ns/a"]);
    // Nor is that which one asks for that cannot be woken.
    let out = pool(world()).with(v("ns/x").model("x").but(|x| x.excluded = true));
    assert_eq!(out.why("ns/p/x")[0].as_str(), "out_of_scope_variant_excluded");
    let missing = pool(world()).with(v("ns/x").model("x").shared());
    assert_eq!(missing.why("ns/p/x")[0].as_str(), "target_missing");
}

#[test]
fn rule_10_the_pool_must_be_known_and_hold_something_that_can_be_woken() {
    let world = pool(world());
    for text in ["ns/-/nobody", "-/-/nobody", "ns/none/nobody", "two/p/nobody"] {
        assert_eq!(world.why(text), [Blocked::NoVariant], "{text}");
    }
    let out = |name: &str| v(name).model("x").but(|x| x.excluded = true);
    let none = pool(World::new().pool("ns/p", "app=m").with(out("ns/a")));
    assert_eq!(none.why("ns/p/nobody"), [Blocked::NoVariant]);
    let mut beside = none.with(v("ns/b"));
    assert_eq!(beside.tick(&[row("ns/p/nobody")]).wakes(), ["ns/b"]);
}

#[test]
fn rule_10_what_is_up_behind_the_pool_will_serve_it() {
    for up in [
        v("ns/a").model("Big").starting(),
        v("ns/a").model("Big").serving(),
    ] {
        let world = pool(world()).with(up);
        assert_eq!(world.why("ns/p/nobody"), []);
    }
}

#[test]
fn rule_10_a_set_of_the_pool_has_all_its_roles() {
    let mut world = pool(World::new().pool("ns/p", "app=m"))
        .with(v("ns/d").role("decode").cost("1"))
        .with(v("ns/p").role("prefill").cost("1"))
        .with(v("ns/w").cost("3"));
    assert_eq!(world.tick(&[row("ns/p/nobody")]).wakes(), ["ns/d", "ns/p"]);
}

#[test]
fn rule_10_without_a_namespace_a_pool_of_several_tenants_is_ambiguous() {
    let tenants = [
        v("two/a").model("theirs"),
        // Nor does it matter that theirs cannot be woken: the demand may be for it (rule 3).
        v("two/a").model("theirs").but(|a| a.excluded = true),
        v("two/a").model("theirs").edit(|t| t.deleting = true),
    ];
    for theirs in tenants {
        let world = pool(world()).pool("two/p", "app=m").with(theirs.clone());
        assert_eq!(
            world.why("-/p/nobody"),
            [Blocked::AmbiguousNamespace],
            "{:?}",
            theirs.variant
        );
        assert_eq!(world.wakes(&["ns/p/nobody"]), ["ns/b"]);
    }
    // Not even where both hold the model, and only one can be woken.
    let both = pool(world())
        .pool("two/p", "app=m")
        .with(v("two/a").model("small").but(|a| a.excluded = true));
    assert_eq!(both.why("-/p/small"), [Blocked::AmbiguousNamespace]);
    let every = pool(world())
        .pool("two/p", "app=m")
        .with(v("two/a").model("theirs"))
        .rules(|r| r.every_namespace = true);
    assert_eq!(every.wakes(&["-/p/nobody"]), ["ns/b", "two/a"]);
}
