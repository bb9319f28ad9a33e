//! Rule 11: a set that does not become ready gives way to the next cheapest.

use std::time::Duration;

use super::world::{MOMENT, Ticked, World, deployment, just_before, row, s, v, variant};
use crate::core::{Cause, Failure, Overdue, Row, Select, State, Stuck, StuckBy, Waker};

/// Three variants of one model, at 5, 10 and 20.
fn world() -> World {
    World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").cost("5"))
        .with(v("ns/b").cost("10"))
        .with(v("ns/c").cost("20"))
}

/// The same with the cheapest woken by us, starting from now on.
fn woken() -> World {
    started(world())
}

fn started(mut world: World) -> World {
    assert_eq!(world.wake_all(&demand()), ["ns/a"]);
    assert_eq!(world.tick(&demand()).moved().len(), 1);
    world
}

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// What a tick gives up, with the reason, and wakes instead.
fn escalated(ticked: &Ticked) -> (Vec<(String, &'static str)>, Vec<String>) {
    let from = ticked.plan.escalations.iter().flat_map(|e| &e.from);
    let from = from.map(|(target, why)| (target.name.to_string(), why.as_str()));
    (from.collect(), ticked.wakes())
}

fn gives_way(why: &'static str) -> (Vec<(String, &'static str)>, Vec<String>) {
    (vec![("ns/a".into(), why)], vec!["ns/b".into()])
}

fn nothing() -> (Vec<(String, &'static str)>, Vec<String>) {
    (vec![], vec![])
}

/// At `at` after it began to start, and not a moment before, `ns/a` gives way to `ns/b`: with demand and without.
fn gives_way_at(world: &World, began: Duration, at: Duration, why: &'static str) {
    for rows in [&demand()[..], &[]] {
        let mut world = world.clone();
        let passed = world.now.mono.0.saturating_sub(began);
        world.after(just_before(at.saturating_sub(passed)));
        assert_eq!(escalated(&world.tick(rows)), nothing(), "{why} {rows:?}");
        let ticked = world.after(MOMENT).tick(rows);
        assert_eq!(escalated(&ticked), gives_way(why), "{why} {rows:?}");
        let Cause::Escalation { from, demanded, .. } = &ticked.plan.wakes[0].cause else {
            panic!("{:?}", ticked.plan.wakes[0]);
        };
        assert_eq!(from.name.to_string(), "ns/a");
        assert_eq!(demanded.is_some(), !rows.is_empty());
    }
}

#[test]
fn rule_11_not_ready_in_time() {
    let world = woken();
    gives_way_at(&world, world.now.mono.0, s(600), "not_ready");
    let patient = woken().rules(|r| r.ready_timeout = s(1800));
    gives_way_at(&patient, patient.now.mono.0, s(1800), "not_ready");
}

#[test]
fn rule_11_unschedulable_without_a_break() {
    let mut world = woken();
    let began = world.now.mono.0;
    world.after(s(20)).pods("ns/a", Some("0/4 nodes have a free GPU"));
    gives_way_at(&world, began, s(320), "unschedulable");
    // Another pod in its place does not begin anew.
    world.after(s(200)).pods("ns/a", Some("0/5 nodes"));
    gives_way_at(&world, began, s(320), "unschedulable");
    // A break does.
    world.after(s(10)).pods("ns/a", None);
    world.after(s(10)).pods("ns/a", Some("0/5 nodes"));
    gives_way_at(&world, began, s(240 + 300), "unschedulable");
    let mut world = woken().rules(|r| r.unschedulable_after = s(60));
    let began = world.now.mono.0;
    world.after(s(20)).pods("ns/a", Some("none"));
    gives_way_at(&world, began, s(80), "unschedulable");
}

#[test]
fn rule_11_its_pods_refused_for_ten_seconds() {
    let mut world = woken();
    let began = world.now.mono.0;
    world
        .after(s(30))
        .stuck("ns/a", StuckBy::ReplicaFailure, "exceeded quota");
    gives_way_at(&world, began, s(40), "replica_failure");
    // One refusal that passes is none.
    world.after(s(5)).scale("ns/a", 1, 0);
    world.after(s(20)).tick(&demand());
    world.stuck("ns/a", StuckBy::ReplicaFailure, "exceeded quota");
    gives_way_at(&world, began, s(65), "replica_failure");
}

#[test]
fn rule_11_who_has_less_time_looks_sooner() {
    let mut world = started(world().rules(|r| r.unschedulable_after = s(2)));
    let looks: usize = (0..10)
        .map(|_| {
            world.after(s(1));
            let due = world.memory.pods_due(world.now.mono, &world.rules);
            for target in &due {
                world.memory.pods_seen(target, None, world.now);
            }
            due.len()
        })
        .sum();
    assert_eq!(looks, 5, "every two seconds");
    let mut world = woken().rules(|r| r.unschedulable_after = s(2));
    let began = world.now.mono.0;
    world
        .after(s(30))
        .stuck("ns/a", StuckBy::ReplicaFailure, "exceeded quota");
    gives_way_at(&world, began, s(32), "replica_failure");
}

#[test]
fn rule_11_its_own_deadline_for_progress_where_its_pods_cannot_be_looked_at() {
    let mut world = woken();
    world
        .after(s(100))
        .stuck("ns/a", StuckBy::NotProgressing, "timed out");
    assert_eq!(escalated(&world.tick(&demand())), nothing());
    let now = world.now.mono;
    world.memory.pods_unseen(&deployment("ns/a"), Some(s(300)), now);
    assert_eq!(escalated(&world.tick(&demand())), gives_way("not_progressing"));
}

#[test]
fn rule_11_one_that_is_ready_no_more_is_starting_again() {
    let mut world = woken();
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    world.after(s(1_000)).scale("ns/a", 1, 0);
    let began = world.now.mono.0;
    world.tick(&demand());
    gives_way_at(&world, began, s(600), "not_ready");
    // Ready in between, the time begins anew.
    world.after(s(500)).scale("ns/a", 1, 1);
    world.tick(&demand());
    world.after(s(50)).scale("ns/a", 1, 0);
    let began = world.now.mono.0;
    world.tick(&demand());
    gives_way_at(&world, began, s(600), "not_ready");
}

#[test]
fn rule_11_what_was_so_before_the_start_does_not_count() {
    for by in [StuckBy::ReplicaFailure, StuckBy::NotProgressing] {
        let mut world = woken();
        let began = world.now.mono.0;
        let old = Stuck {
            by,
            since: world.now.wall - s(60),
            message: "of an earlier time".into(),
        };
        world.edit("ns/a", |target| {
            target.observed = target.observed.clone().with(Some(old));
        });
        gives_way_at(&world, began, s(600), "not_ready");
    }
    // A pod that stood there before counts from the start on only.
    let mut world = woken();
    let began = world.now.mono.0;
    let before = world.now.wall - s(3000);
    let target = super::world::deployment("ns/a");
    world
        .memory
        .pods_seen(&target, Some((before, "none".into())), world.now);
    gives_way_at(&world, began, s(300), "unschedulable");
}

#[test]
fn rule_11_whoever_scaled_it() {
    // WVA's engine, in the episode.
    let mut other = world();
    other.tick(&demand());
    other.scale("ns/a", 1, 0);
    let moved = other.after(s(5)).tick(&demand()).moved();
    assert_eq!(moved, [crate::core::Moved::Up(Waker::Other)]);
    gives_way_at(&other, other.now.mono.0, s(600), "not_ready");
    // Somebody before it began: then the time counts from there.
    let mut earlier = world().with(v("ns/a").starting());
    earlier.tick(&demand());
    gives_way_at(&earlier, earlier.now.mono.0, s(600), "not_ready");
    // Of another's, out of scope.
    let mut out = world().with(v("ns/a").starting().but(|a| a.excluded = true));
    out.tick(&demand());
    gives_way_at(&out, out.now.mono.0, s(600), "not_ready");
}

#[test]
fn rule_11_so_many_times_in_an_episode() {
    for (max, woken) in [
        (0, &["ns/a"][..]),
        (1, &["ns/a", "ns/b"]),
        (2, &["ns/a", "ns/b", "ns/c"]),
        (9, &["ns/a", "ns/b", "ns/c"]),
    ] {
        for later in [&demand()[..], &[]] {
            let mut world = world().rules(|r| r.max_escalations = max);
            let mut all = world.wake_all(&demand());
            // With demand now and then, so that the episode goes on.
            for second in 0..40 {
                let rows = if second % 4 == 0 { &demand()[..] } else { later };
                all.extend(world.after(s(100)).wake_all(rows));
            }
            assert_eq!(all, woken, "{max}");
        }
    }
}

#[test]
fn rule_11_what_stays_behind_is_surplus() {
    let mut world = woken();
    world.after(s(600));
    assert_eq!(world.state("ns/a"), State::Overdue(Overdue::NotReady(s(600))));
    assert_eq!(world.wake_all(&demand()), ["ns/b"]);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.state("ns/a"), State::Surplus(Overdue::NotReady(s(600))));
    assert_eq!(world.state("ns/b"), State::Starting(Some(MOMENT)));
    // It keeps its reason, and nothing more is made of it.
    world.after(s(3600)).tick(&demand());
    assert_eq!(world.state("ns/a"), State::Surplus(Overdue::NotReady(s(600))));
}

/// `ns/a` given up, `ns/b` starting.
fn passed_over() -> World {
    let mut world = woken();
    assert_eq!(world.after(s(600)).wake_all(&demand()), ["ns/b"]);
    world.after(MOMENT).tick(&demand());
    world
}

#[test]
fn rule_11_the_second_comes_back_after_a_revert_and_the_third_does_not() {
    let mut world = passed_over();
    world.scale("ns/b", 0, 0);
    world.after(MOMENT).tick(&demand());
    world.attribute(Some(&[super::world::owner("controller")]));
    assert_eq!(world.after(s(1)).wake_all(&demand()), ["ns/b"]);
}

#[test]
fn rule_11_one_passed_over_that_becomes_ready_after_all_counts_again() {
    let mut world = passed_over();
    world.scale("ns/a", 1, 1);
    world.scale("ns/b", 0, 0);
    let ticked = world.after(MOMENT).tick(&demand());
    assert_eq!((ticked.wakes(), ticked.why()), (vec![], vec![]));
    assert_eq!(world.state("ns/a"), State::Serving);
    // Its pod restarts: it starts as any other does.
    world.scale("ns/a", 1, 0);
    let ticked = world.after(s(600)).tick(&demand());
    assert_eq!((ticked.wakes(), ticked.why()), (vec![], vec![]));
    assert!(matches!(world.state("ns/a"), State::Starting(_)));
}

#[test]
fn rule_11_nothing_is_given_up_while_another_starts_or_serves() {
    for ready in [0, 1] {
        let mut world = woken();
        world.after(s(300));
        world.scale("ns/c", 1, ready);
        world.tick(&demand());
        assert_eq!(
            escalated(&world.after(s(400)).tick(&demand())),
            nothing(),
            "{ready}"
        );
        assert_eq!(world.state("ns/a").as_str(), "overdue");
    }
}

#[test]
fn rule_11_without_another_set_it_is_overdue_and_that_is_all() {
    let mut world = started(World::new().pool("ns/p", "app=m").with(v("ns/a")));
    assert_eq!(escalated(&world.after(s(601)).tick(&demand())), nothing());
    assert_eq!(world.state("ns/a").as_str(), "overdue");
    // One that comes later takes its place.
    world.put(v("ns/b"));
    assert_eq!(
        escalated(&world.after(s(1)).tick(&demand())),
        gives_way("not_ready")
    );
}

#[test]
fn rule_11_one_that_is_ready_is_never_overdue() {
    let mut world = woken();
    world.after(s(599));
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    assert_eq!(escalated(&world.after(s(600)).tick(&demand())), nothing());
    assert_eq!(world.state("ns/a"), State::Serving);
}

#[test]
fn rule_11_nothing_is_given_up_for_a_wake_that_is_held_back() {
    // By the cap: another model is starting.
    let mut capped = woken().with(v("ns/z").model("z").starting());
    capped.rules.max_starting = Some(1);
    let ticked = capped.after(s(600)).tick(&demand());
    assert_eq!(escalated(&ticked), nothing());
    assert_eq!(ticked.why(), ["capped"]);
    capped.rules.max_starting = Some(2);
    assert_eq!(
        escalated(&capped.after(s(1)).tick(&demand())),
        gives_way("not_ready")
    );
    // By its own backoff: `ns/b` was tried in vain before.
    let mut failed = World::new().pool("ns/p", "app=m").with(v("ns/b").cost("10"));
    failed.wake(&demand(), Err((Failure::Forbidden, Some(s(700)))));
    failed.put(v("ns/a").cost("5"));
    let mut failed = started(failed);
    let ticked = failed.after(s(600)).tick(&demand());
    assert_eq!(
        (escalated(&ticked), ticked.why()),
        (nothing(), vec!["wake_failed"])
    );
    assert_eq!(
        escalated(&failed.after(s(100)).tick(&demand())),
        gives_way("not_ready")
    );
}

#[test]
fn rule_11_nothing_is_given_up_for_stale_demand() {
    let mut world = woken();
    let mut ticked = world.after(s(600)).tick(&demand());
    assert_eq!(escalated(&ticked), gives_way("not_ready"));
    let age = crate::core::Sample {
        namespace: Some("ns".into()),
        pool: Some("p".into()),
        model: Some("m".into()),
        value: 121.0,
        ..crate::core::Sample::default()
    };
    ticked
        .plan
        .check_ages(vec![age], &mut world.memory, world.now, &world.rules);
    assert_eq!(escalated(&ticked), nothing());
    world.send(&ticked.plan);
    assert_eq!(world.state("ns/a").as_str(), "overdue", "not surplus");
    assert_eq!(escalated(&world.after(s(2)).tick(&[])), gives_way("not_ready"));
}

#[test]
fn rule_11_with_select_all_there_is_nothing_left_to_wake() {
    let mut world = world().rules(|r| r.select = Select::All);
    assert_eq!(world.wake_all(&demand()), ["ns/a", "ns/b", "ns/c"]);
    assert_eq!(escalated(&world.after(s(700)).tick(&demand())), nothing());
    assert_eq!(world.state("ns/b").as_str(), "overdue");
}

#[test]
fn rule_11_of_the_episode_of_an_alias_too() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").alias("x"))
        .with(v("ns/b").alias("x").cost("99"))
        .with(v("ns/c"));
    let demand = [row("ns/p/x")];
    assert_eq!(world.wake_all(&demand), ["ns/a"]);
    world.tick(&demand);
    let ticked = world.after(s(600)).tick(&[]);
    assert_eq!(escalated(&ticked), gives_way("not_ready"));
    assert_eq!(ticked.plan.wakes[0].variant, variant("ns/b"));
}

#[test]
fn rule_11_pods_are_looked_at_of_what_is_starting_and_only_now_and_then() {
    let mut world = woken();
    let due = |world: &mut World| -> usize {
        let due = world.memory.pods_due(world.now.mono, &world.rules);
        for target in &due {
            world.memory.pods_seen(target, None, world.now);
        }
        due.len()
    };
    assert_eq!(due(&mut world), 0, "most are ready soon, or have not begun");
    let looks: usize = (0..60).map(|_| due(world.after(s(1)))).sum();
    assert!((5..=6).contains(&looks), "{looks} in a minute");
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    assert_eq!(due(world.after(s(60))), 0);
}

#[test]
fn rule_11_once_nothing_more_is_woken_that_is_a_reason() {
    for most in [0, 1] {
        let mut world = woken().rules(|r| r.max_escalations = most);
        for _ in 0..most {
            world.after(s(600)).wake_all(&demand());
            world.tick(&demand());
        }
        assert_eq!(world.tick(&demand()).why(), [""; 0]);
        let ticked = world.after(s(600)).tick(&demand());
        assert_eq!((escalated(&ticked), ticked.why()), (nothing(), vec!["overdue"]));
        // It is told on the variant, and over with the demand.
        let named = ticked.plan.blocked[0].variant.clone();
        assert_eq!(
            named,
            Some(variant(["ns/a", "ns/b"][usize::try_from(most).expect("small")]))
        );
        assert_eq!(world.tick(&[]).why(), [""; 0]);
    }
}
