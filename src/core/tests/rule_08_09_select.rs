//! Rules 8, 9 and 18: who is woken of those asked for.

use super::world::{V, World, row, s, v};
use crate::core::{
    Attempt, Blocked, Cost, Gone, Kind, OPTIMIZATION_READY, SCALE_FROM_ZERO_MODE, Select, TargetKind,
    asks_by_itself,
};

fn world(variants: &[V]) -> World {
    variants
        .iter()
        .cloned()
        .fold(World::new().pool("ns/p", "app=m"), World::with)
}

#[test]
fn rule_8_the_cheapest_is_woken_alone() {
    let costs = |a: &str, b: &str| world(&[v("ns/a").cost(a), v("ns/b").cost(b)]).wakes(&["ns/p/m"]);
    assert_eq!(costs("5", "7"), ["ns/a"]);
    assert_eq!(costs("7", "5"), ["ns/b"]);
    assert_eq!(costs("10", "9.5"), ["ns/b"]);
    assert_eq!(costs("100", "20"), ["ns/b"], "numbers, not text");
    assert_eq!(costs("0", "0.01"), ["ns/a"]);
    assert_eq!(costs("1e1", "11"), ["ns/a"]);
}

#[test]
fn rule_8_ties_go_by_name() {
    let world = world(&[v("ns/b").cost("5"), v("ns/a").cost("5.00"), v("ns/c").cost("5")]);
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    let zeros = [v("ns/a").cost("0"), v("ns/b").cost("-0")];
    assert_eq!(self::world(&zeros).wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_8_a_cost_that_is_no_number_is_the_default_of_ten() {
    for cost in ["", "cheap", "NaN", "inf", "-1", "1,5", "5$"] {
        let beside = |other: &str| world(&[v("ns/a").cost(cost), v("ns/b").cost(other)]).wakes(&["ns/p/m"]);
        assert_eq!(beside("10.1"), ["ns/a"], "{cost:?}");
        assert_eq!(beside("9.9"), ["ns/b"], "{cost:?}");
        assert_eq!(beside("10.0"), ["ns/a"], "{cost:?}");
    }
    let missing = v("ns/a").but(|a| a.cost = Cost::parse(None));
    assert_eq!(
        world(&[missing, v("ns/b").cost("10.1")]).wakes(&["ns/p/m"]),
        ["ns/a"]
    );
}

#[test]
fn rule_8_each_pool_has_a_set_of_its_own() {
    let world = world(&[v("ns/a"), v("ns/b").labels("app=n").cost("1")]).pool("ns/q", "app=n");
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/p/m", "ns/q/m"]), ["ns/a", "ns/b"]);
}

#[test]
fn rule_8_select_all_wakes_every_variant_asked_for() {
    let world = world(&[
        v("ns/a"),
        v("ns/b").cost("1"),
        v("ns/c").alias("x"),
        v("ns/d").model("n"),
        v("ns/e").but(|e| e.excluded = true),
        v("ns/f").serving(),
    ])
    .rules(|r| r.select = Select::All);
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a", "ns/b", "ns/c"]);
    assert_eq!(world.wakes(&["ns/p/x"]), ["ns/c"]);
    assert_eq!(world.wakes(&["ns/p/x", "ns/p/n"]), ["ns/c", "ns/d"]);
}

#[test]
fn rule_8_a_prefill_that_is_up_without_a_decode_is_no_set_and_is_said_to_be_none() {
    for prefill in [v("ns/a").role("prefill"), v("ns/a").role("encode")] {
        for (replicas, ready) in [(0, 0), (1, 0), (1, 1)] {
            let world = world(&[prefill.clone().scaled(replicas, ready)]);
            assert_eq!(world.why("ns/p/m"), [Blocked::Incomplete], "{replicas} {ready}");
        }
    }
}

#[test]
fn rule_9_a_model_that_serves_or_starts_gets_no_further_wake() {
    for up in [v("ns/a").serving(), v("ns/a").starting(), v("ns/a").scaled(3, 1)] {
        let world = world(&[up, v("ns/b").cost("1")]);
        assert_eq!(world.why("ns/p/m"), []);
    }
}

#[test]
fn rule_9_one_out_of_scope_that_serves_or_starts_counts() {
    for up in [v("ns/a").serving(), v("ns/a").starting()] {
        for out in [
            up.clone().but(|a| a.excluded = true),
            up.clone().but(|a| a.deleting = true),
            up.clone().edit(|t| t.excluded = true),
            up.clone().but(|a| a.max_replicas = Some(0)),
        ] {
            assert_eq!(world(&[out, v("ns/b")]).why("ns/p/m"), []);
        }
    }
}

#[test]
fn rule_9_a_model_that_only_one_out_of_scope_serves_is_not_blocked() {
    for up in [v("ns/a").serving(), v("ns/a").starting()] {
        let world = world(&[up.but(|a| a.excluded = true)]);
        for row in ["ns/p/m", "ns/-/m", "-/p/m", "ns/p/-"] {
            assert_eq!(world.why(row), [], "{row}");
        }
        // Behind another pool it does not help.
        assert_eq!(world.why("ns/q/m").len(), 1);
    }
}

#[test]
fn rule_9_what_serves_behind_another_pool_or_in_another_namespace_does_not_count() {
    let mut world = world(&[v("ns/a"), v("ns/b").labels("app=n").serving()]).pool("ns/q", "app=n");
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    world = world.pool("two/p", "app=m").with(v("two/a").serving());
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["two/p/m"]), [""; 0]);
}

#[test]
fn rule_9_the_base_model_does_not_serve_an_adapter_it_does_not_hold() {
    let world = world(&[v("ns/a").serving(), v("ns/b").alias("adapter")]);
    assert_eq!(world.wakes(&["ns/p/m"]), [""; 0]);
    assert_eq!(world.wakes(&["ns/p/adapter"]), ["ns/b"]);
}

#[test]
fn rule_9_a_wake_under_way_counts_before_the_watch_shows_it() {
    let mut world = world(&[v("ns/a"), v("ns/b")]);
    let first = world.tick(&[row("ns/p/m")]).plan.wakes.remove(0);
    world.memory.sent(&first);
    let second = world.tick(&[row("ns/p/m")]);
    assert_eq!((second.wakes(), second.why()), (vec![], vec![]));
    world.answered(&first, Ok(()));
    let third = world.after(s(30)).tick(&[row("ns/p/m")]);
    assert_eq!((third.wakes(), third.why()), (vec![], vec![]));
}

#[test]
fn rule_9_a_variant_whose_va_asks_by_itself_is_woken_beside_one_that_serves() {
    let serving = v("ns/a").serving();
    assert_eq!(
        world(&[serving.clone(), v("ns/b").asks(1)]).wakes(&["ns/p/m"]),
        ["ns/b"]
    );
    assert_eq!(
        world(&[serving.clone(), v("ns/b").asks(3)]).wakes(&["ns/p/m"]),
        ["ns/b"]
    );
    assert_eq!(
        world(&[serving.clone(), v("ns/b").asks(0)]).wakes(&["ns/p/m"]),
        [""; 0]
    );
    // Not without demand, and not out of scope.
    assert_eq!(world(&[serving.clone(), v("ns/b").asks(1)]).wakes(&[]), [""; 0]);
    let out = v("ns/b").asks(1).but(|b| b.excluded = true);
    assert_eq!(world(&[serving.clone(), out]).wakes(&["ns/p/m"]), [""; 0]);
    // All that ask, whatever they cost.
    let both = [serving, v("ns/b").asks(1).cost("90"), v("ns/c").asks(1)];
    assert_eq!(world(&both).wakes(&["ns/p/m"]), ["ns/b", "ns/c"]);
}

#[test]
fn rule_9_a_status_that_a_wake_has_written_does_not_ask_by_itself() {
    let ours = v("ns/b")
        .asks(1)
        .condition(OPTIMIZATION_READY, "True", SCALE_FROM_ZERO_MODE);
    assert_eq!(
        world(&[v("ns/a").serving(), ours.clone()]).wakes(&["ns/p/m"]),
        [""; 0]
    );
    let decided = v("ns/b")
        .asks(1)
        .condition(OPTIMIZATION_READY, "True", "OptimizationSucceeded");
    let world = world(&[v("ns/a").serving(), decided, ours]);
    let entry = world.inventory.entry(&v("ns/b").name).expect("an entry");
    assert!(!asks_by_itself(entry));
}

#[test]
fn rule_9_who_asks_by_itself_comes_after_the_cheapest() {
    let mut world = world(&[v("ns/a").cost("1"), v("ns/b").asks(1)]);
    let ticked = world.tick(&[row("ns/p/m")]);
    assert_eq!(ticked.wakes(), ["ns/a"]);
    world.memory.sent(&ticked.plan.wakes[0]);
    assert_eq!(world.tick(&[row("ns/p/m")]).wakes(), ["ns/b"]);
}

#[test]
fn rule_18_one_broken_variant_costs_the_others_nothing() {
    let broken = [
        v("ns/x").cost("-NaN").shared(),
        v("ns/x").labels("").cost("0"),
        v("ns/x").cost("0").but(|x| x.excluded = true),
        v("ns/x").cost("0").but(|x| x.deleting = true),
        v("ns/x")
            .cost("0")
            .but(|x| x.target = crate::core::TargetRef::Unsupported("Job".into())),
        v("ns/x").cost("0").but(|x| x.model = "".into()),
    ];
    for broken in broken {
        let world = world(&[broken, v("ns/a").cost("3"), v("ns/n").model("n")]);
        assert_eq!(world.wakes(&["ns/p/m", "ns/p/n", "ns/p/zzz"]), ["ns/a", "ns/n"]);
    }
}

#[test]
fn rule_18_a_kind_that_cannot_be_read_costs_the_others_nothing() {
    let kind = TargetKind::StatefulSet;
    let set = crate::core::TargetKey {
        kind: kind.clone(),
        name: v("ns/x").name.name,
    };
    let x = v("ns/x")
        .shared()
        .but(|x| x.target = crate::core::TargetRef::Known(set));
    let mut world = world(&[x, v("ns/a")]);
    world
        .inventory
        .apply(crate::core::Change::Readable(Kind::Target(kind), None, false));
    let entry = world.inventory.entry(&v("ns/x").name).expect("an entry");
    assert_eq!(entry.observed, Err(Gone::Unreadable));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_18_a_wake_that_fails_does_not_hold_up_another_model() {
    use crate::core::Failure::Forbidden;
    let mut world = world(&[v("ns/a"), v("ns/n").model("n")]);
    world.wake(&[row("ns/p/m")], Err((Forbidden, None)));
    let ticked = world.tick(&[row("ns/p/m"), row("ns/p/n")]);
    assert_eq!(
        (ticked.wakes(), ticked.why()),
        (vec!["ns/n".into()], vec!["wake_failed"])
    );
    let tracked = world
        .memory
        .tracked(&super::world::deployment("ns/a"))
        .expect("tracked");
    assert!(matches!(tracked.attempt, Attempt::Failed { why: Forbidden, .. }));
}
