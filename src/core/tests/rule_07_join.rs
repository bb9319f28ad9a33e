//! Rule 7, first half: which variants a row asks for.

use super::world::{World, labels, name, row, v, variant, waiting};
use crate::core::{
    Blocked, Change, Gone, Kind, ObjectName, PoolGroup, PoolKey, TargetKey, TargetKind, TargetRef,
};

fn one() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

#[test]
fn rule_7_a_row_asks_for_the_variant_of_its_namespace_pool_and_model() {
    assert_eq!(one().wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(one().wakes(&["other/p/m"]), [""; 0]);
    assert_eq!(one().wakes(&["ns/p/n"]), [""; 0]);
    assert_eq!(one().wakes(&["ns/q/m"]), [""; 0]);
    assert_eq!(one().wakes(&[]), [""; 0]);
}

#[test]
fn rule_7_a_pool_that_the_row_does_not_name_is_any_pool() {
    assert_eq!(one().wakes(&["ns/-/m"]), ["ns/a"]);
    assert_eq!(one().wakes(&["ns/-/n"]), [""; 0]);
    let no_pool = World::new().with(v("ns/a"));
    assert_eq!(no_pool.why("ns/-/m"), [Blocked::NoPool]);
}

#[test]
fn rule_7_a_wake_says_what_it_is_for() {
    let mut world = one();
    let ticked = world.tick(&[waiting("ns/p/m", 5.0)]);
    let wake = &ticked.plan.wakes[0];
    assert_eq!(wake.to_owned().target.to_string(), "Deployment ns/a");
    assert_eq!(wake.variant, variant("ns/a"));
    assert_eq!(wake.key.to_string(), "model m of pool ns/p");
    assert_eq!(wake.cause.waiting().to_bits(), 5.0_f64.to_bits());
    assert_eq!(
        wake.cause
            .demanded()
            .and_then(|demanded| demanded.family.as_deref()),
        Some("queue_size")
    );
    assert_eq!(wake.resource_version(), "101");
    assert_eq!((&*wake.uid, wake.generation), ("uid of the target of ns/a", 7));
    assert_eq!(ticked.plan.blocked, []);
}

#[test]
fn rule_7_an_alias_stands_for_the_model() {
    let world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").model("base").alias("adapter-a").alias("adapter-b"));
    for model in ["base", "adapter-a", "adapter-b"] {
        assert_eq!(world.wakes(&[&format!("ns/p/{model}")]), ["ns/a"], "{model}");
    }
    assert_eq!(world.wakes(&["ns/p/adapter"]), [""; 0]);
    // All three at once are still one target.
    assert_eq!(
        world.wakes(&["ns/p/base", "ns/p/adapter-a", "ns/p/adapter-b"]),
        ["ns/a"]
    );
}

#[test]
fn rule_7_an_alias_that_repeats_the_model_or_itself_is_harmless() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").alias("m").alias("x").alias("x"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/p/x"]), ["ns/a"]);
    world.put(v("ns/a"));
    assert_eq!(world.why("ns/p/x"), [Blocked::NoVariant]);
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_7_the_pods_labels_contain_the_pools_selector() {
    for (selector, pods, selected) in [
        ("app=m", "app=m", true),
        ("app=m", "app=m,tier=gpu", true),
        ("app=m,tier=gpu", "app=m,tier=gpu,zone=a", true),
        ("app=m,tier=gpu", "app=m", false),
        ("app=m", "app=n", false),
        ("app=m", "", false),
        ("", "app=m", false),
        ("", "", false),
    ] {
        let world = World::new().pool("ns/p", selector).with(v("ns/a").labels(pods));
        let woken = world.wakes(&["ns/p/m"]) == ["ns/a"];
        assert_eq!(woken, selected, "selector {selector:?}, pods {pods:?}");
        if !selected {
            assert_eq!(world.why("ns/p/m"), [Blocked::NoPool]);
        }
    }
}

#[test]
fn rule_7_a_pool_of_another_namespace_selects_nothing_here() {
    let world = World::new().pool("other/p", "app=m").with(v("ns/a"));
    assert_eq!(world.why("ns/p/m"), [Blocked::NoPool]);
    assert_eq!(world.why("other/p/m"), [Blocked::WrongNamespace("ns".into())]);
}

#[test]
fn rule_7_a_pool_counts_in_either_group() {
    for group in [PoolGroup::Stable, PoolGroup::Experimental] {
        let world = World::new()
            .pool_of(group, "ns/p", "app=m", false)
            .with(v("ns/a"));
        assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"], "{group:?}");
    }
    // During a migration the same pool stands in both, and the loss of one is no loss.
    let mut both = World::new()
        .pool_of(PoolGroup::Experimental, "ns/p", "app=m", false)
        .pool("ns/p", "app=m")
        .with(v("ns/a"));
    assert_eq!(both.wakes(&["ns/p/m"]), ["ns/a"]);
    let key = PoolKey {
        group: PoolGroup::Experimental,
        name: name("ns/p"),
    };
    both.inventory.apply(Change::Pool(key, None));
    assert_eq!(both.wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_7_pools_of_one_name_that_select_differently_each_select() {
    let world = World::new()
        .pool_of(PoolGroup::Experimental, "ns/p", "app=old", false)
        .pool("ns/p", "app=m")
        .with(v("ns/a"))
        .with(v("ns/b").model("n").labels("app=old"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/p/n"]), ["ns/b"]);
}

#[test]
fn rule_7_a_variant_behind_two_pools_answers_both_with_one_wake() {
    let world = one().pool("ns/q", "app=m");
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/q/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/p/m", "ns/q/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/-/m"]), ["ns/a"]);
}

#[test]
fn rule_7_two_variants_on_one_target_are_one_wake() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").target("t"))
        .with(v("ns/b").target("t").shared())
        .with(v("ns/c").model("n").target("t").shared())
        .rules(|r| r.select = crate::core::Select::All);
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/t"]);
    // The larger queue gives its reason.
    let ticked = world.tick(&[waiting("ns/p/m", 2.0), waiting("ns/p/n", 3.0)]);
    assert_eq!(ticked.wakes(), ["ns/t"]);
    assert_eq!(&*ticked.plan.wakes[0].key.model, "n");
}

#[test]
fn rule_7_of_two_queues_alike_for_one_target_the_same_gives_the_reason_whichever_row_comes_first() {
    for rows in [["ns/p/m", "ns/p/n"], ["ns/p/n", "ns/p/m"]] {
        let mut world = World::new()
            .pool("ns/p", "app=m")
            .with(v("ns/a").target("t"))
            .with(v("ns/c").model("n").target("t").shared());
        let ticked = world.tick(&rows.map(|row| waiting(row, 2.0)));
        assert_eq!(ticked.wakes(), ["ns/t"]);
        assert_eq!(&*ticked.plan.wakes[0].key.model, "m");
    }
}

#[test]
fn rule_7_a_stateful_set_is_a_target_and_no_other_of_the_same_name() {
    let key = TargetKey {
        kind: TargetKind::StatefulSet,
        name: name("ns/a"),
    };
    let refer = |k: &TargetKey| {
        let target = TargetRef::Known(k.clone());
        v("ns/a").but(|variant| variant.target = target)
    };
    let mut world = World::new().pool("ns/p", "app=m").with(refer(&key));
    assert_eq!(world.tick(&[row("ns/p/m")]).plan.wakes[0].target, key);
    let mut deployment = v("ns/a").target.expect("a target");
    deployment.labels = labels("app=m");
    world.inventory.apply(Change::Target(key.clone(), None));
    let other = TargetKey {
        kind: TargetKind::Deployment,
        name: ObjectName::new("ns", "a"),
    };
    world.inventory.apply(Change::Target(other, Some(deployment)));
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Missing)]);
}

#[test]
fn rule_7_a_target_that_is_missing_unreadable_or_unsupported_is_said_to_be() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").shared());
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Missing)]);
    let deployments = Kind::Target(TargetKind::Deployment);
    world
        .inventory
        .apply(Change::Readable(deployments.clone(), None, false));
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Unreadable)]);
    let statefulsets = Kind::Target(TargetKind::StatefulSet);
    world.inventory.apply(Change::Readable(statefulsets, None, true));
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Unreadable)]);
    world
        .inventory
        .apply(Change::Readable(deployments.clone(), None, true));
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Missing)]);
    world.put(v("ns/a"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    // What was read before its kind became unreadable still stands; the API server has the last word.
    world
        .inventory
        .apply(Change::Readable(deployments.clone(), None, false));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    world.put(v("ns/a").but(|variant| variant.target = TargetRef::Unsupported("Job batch/v1".into())));
    assert_eq!(world.why("ns/p/m"), [Blocked::Target(Gone::Unsupported)]);
}

#[test]
fn rule_7_rows_of_one_model_add_up() {
    let mut world = one();
    let ticked = world.tick(&[waiting("ns/p/m", 2.0), waiting("ns/-/m", 3.0)]);
    assert_eq!(ticked.wakes(), ["ns/a"]);
    assert_eq!(ticked.plan.wakes[0].cause.waiting().to_bits(), 5.0_f64.to_bits());
}

#[test]
fn rule_7_the_largest_queue_is_woken_first_and_ties_by_name() {
    let mut world = World::new().pool("ns/p", "app=m");
    for model in ["a", "b", "c", "d"] {
        world.put(v(&format!("ns/{model}")).model(model));
    }
    let rows = [
        waiting("ns/p/d", 2.0),
        waiting("ns/p/a", 1.0),
        waiting("ns/p/b", f64::INFINITY),
        waiting("ns/p/c", 2.0),
    ];
    assert_eq!(world.tick(&rows).wakes(), ["ns/b", "ns/c", "ns/d", "ns/a"]);
}
