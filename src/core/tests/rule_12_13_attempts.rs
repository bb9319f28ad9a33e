//! Rules 12 and 13: wakes that failed, and wakes that were taken back.

use std::time::Duration;

use super::world::{MOMENT, Ticked, World, deployment, just_before, owner, row, s, v};
use crate::core::{
    Attempt, Backoff, Change, Failure, Mono, Moved, Notice, Observed, Row, Select, Target, Waker,
};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// A tick with demand after a wait. What is found taken back is found to be a controller's doing.
fn tick(world: &mut World, wait: Duration) -> Ticked {
    let ticked = world.after(wait).tick(&demand());
    world.attribute(Some(&[owner("controller")]));
    ticked
}

fn failed(why: Failure) -> Result<(), (Failure, Option<Duration>)> {
    Err((why, None))
}

fn attempt(world: &World) -> Attempt {
    let tracked = world.memory.tracked(&deployment("ns/a"));
    tracked.expect("tracked").attempt.clone()
}

#[test]
fn rule_13_backoff_doubles_up_to_its_maximum() {
    let backoff = Backoff {
        initial: s(1),
        max: s(300),
    };
    let waits = [0, 1, 2, 3, 8, 9, 31, 32, u32::MAX].map(|tries| backoff.wait(tries).as_secs());
    assert_eq!(waits, [1, 2, 4, 8, 256, 300, 300, 300, 300]);
}

#[test]
fn rule_13_a_failed_wake_is_tried_again_with_growing_backoff() {
    use Failure::{Forbidden, NoAnswer, NotFound, Rejected, Throttled, Unavailable};
    for why in [Forbidden, NotFound, Throttled, Rejected, NoAnswer, Unavailable] {
        let mut world = world();
        for wait in [1, 2, 4, 8] {
            world.wake(&demand(), failed(why));
            for early in [Duration::ZERO, just_before(s(wait))] {
                let held = tick(&mut world, early);
                assert_eq!(
                    (held.wakes(), held.why()),
                    (vec![], vec!["wake_failed"]),
                    "{why:?}"
                );
            }
            world.after(MOMENT);
        }
        assert_eq!(world.tick(&demand()).wakes(), ["ns/a"], "{why:?}");
    }
}

#[test]
fn rule_13_an_api_server_that_is_back_is_not_left_waiting() {
    use Failure::{Forbidden, NoAnswer, NotFound, Rejected, Throttled, Unavailable};
    for (why, longest) in [
        (NoAnswer, 10),
        (Unavailable, 10),
        (Throttled, 30),
        (Forbidden, 300),
        (NotFound, 300),
        (Rejected, 300),
    ] {
        let mut world = world();
        for _ in 0..9 {
            world.wake(&demand(), failed(why));
            world.after(s(300));
        }
        world.wake(&demand(), failed(why));
        assert_eq!(
            tick(&mut world, just_before(s(longest))).why(),
            ["wake_failed"],
            "{why:?}"
        );
        assert_eq!(tick(&mut world, MOMENT).wakes(), ["ns/a"], "{why:?}");
    }
    // A shorter longest wait of the configuration holds.
    let backoff = Backoff {
        initial: s(1),
        max: s(4),
    };
    assert_eq!(backoff.after(NoAnswer).wait(9), s(4));
}

#[test]
fn rule_13_retry_after_is_honoured_where_it_is_longer() {
    for (asked, wait) in [(40, 40), (0, 1)] {
        let mut world = world();
        world.wake(&demand(), Err((Failure::Throttled, Some(s(asked)))));
        assert_eq!(tick(&mut world, just_before(s(wait))).why(), ["wake_failed"]);
        assert_eq!(tick(&mut world, MOMENT).wakes(), ["ns/a"]);
    }
}

#[test]
fn rule_13_a_failed_wake_is_not_tried_again_without_demand_or_for_one_that_is_up() {
    let mut world = world();
    world.wake(&demand(), failed(Failure::Unavailable));
    assert_eq!(world.after(s(100)).tick(&[]).wakes(), [""; 0]);
    world.scale("ns/a", 1, 0);
    let up = world.tick(&demand());
    assert_eq!((up.wakes(), up.why()), (vec![], vec![]));
    assert_eq!(up.moved(), [Moved::Up(Waker::Other)]);
}

#[test]
fn rule_13_backoff_is_per_target() {
    let mut world = world().with(v("ns/b")).rules(|r| r.select = Select::All);
    let both = world.tick(&demand());
    assert_eq!(both.wakes(), ["ns/a", "ns/b"]);
    for (wake, answer) in both.plan.wakes.iter().zip([failed(Failure::Forbidden), Ok(())]) {
        world.memory.sent(wake);
        world.answered(wake, answer);
    }
    assert_eq!(tick(&mut world, MOMENT).why(), ["wake_failed"]);
    assert_eq!(tick(&mut world, s(1)).wakes(), ["ns/a"]);
    // One reason is told once, however many variants it holds back.
    let mut world = self::world().with(v("ns/b")).rules(|r| r.select = Select::All);
    for wake in &world.tick(&demand()).plan.wakes {
        world.memory.sent(wake);
        world.answered(wake, failed(Failure::Forbidden));
    }
    assert_eq!(tick(&mut world, MOMENT).why(), ["wake_failed"]);
}

#[test]
fn rule_13_after_a_conflict_a_later_object_is_tried_at_once() {
    let mut world = world();
    world.wake(&demand(), failed(Failure::Conflict));
    assert_eq!(tick(&mut world, MOMENT).why(), ["wake_failed"]);
    world.scale("ns/a", 0, 0);
    let again = tick(&mut world, MOMENT);
    assert_eq!(again.wakes(), ["ns/a"]);
    assert_eq!(again.plan.wakes[0].resource_version(), "102");
    assert_eq!(world.memory.look_due(world.now.mono), []);
}

#[test]
fn rule_13_after_a_conflict_an_earlier_object_is_old_news() {
    let mut world = world();
    for _ in 0..5 {
        world.scale("ns/a", 0, 0);
    }
    let latest = world
        .inventory
        .target(&deployment("ns/a"))
        .cloned()
        .expect("a target");
    world.wake(&demand(), failed(Failure::Conflict));
    let earlier = Target {
        observed: Observed::new(Some(0), None, "99"),
        ..latest
    };
    world
        .inventory
        .apply(Change::Target(deployment("ns/a"), Some(earlier)));
    assert_eq!(tick(&mut world, MOMENT).why(), ["wake_failed"]);
}

#[test]
fn rule_13_after_a_conflict_without_news_there_is_a_single_look_and_then_backoff() {
    let mut world = world();
    world.wake(&demand(), failed(Failure::Conflict));
    tick(&mut world, just_before(s(1)));
    assert_eq!(world.memory.look_due(world.now.mono), []);
    // Not before that look, even if ticks were late.
    assert_eq!(tick(&mut world, s(5)).why(), ["wake_failed"]);
    assert_eq!(world.memory.look_due(world.now.mono), [deployment("ns/a")]);
    assert_eq!(world.memory.look_due(world.now.mono), []);
    // The look has found the very same object: the conflict had another cause.
    let first = tick(&mut world, MOMENT);
    assert_eq!(first.wakes(), ["ns/a"]);
    world.memory.sent(&first.plan.wakes[0]);
    world.answered(&first.plan.wakes[0], failed(Failure::Conflict));
    world.after(s(1));
    assert_eq!(world.memory.look_due(world.now.mono).len(), 1);
    assert_eq!(
        tick(&mut world, just_before(s(2))).why(),
        ["wake_failed"],
        "it grows"
    );
    assert_eq!(tick(&mut world, MOMENT).wakes(), ["ns/a"]);
}

#[test]
fn rule_13_after_an_accepted_wake_without_news_there_are_looks_and_no_second_wake() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    let mut looks = 0;
    for _ in 0..250 {
        let held = tick(&mut world, MOMENT);
        assert_eq!((held.wakes(), held.why()), (vec![], vec![]));
        looks += world.memory.look_due(world.now.mono).len();
    }
    assert_eq!(looks, 3, "after 1, 11 and 21 s");
}

#[test]
fn rule_13_a_target_that_is_gone_is_forgotten_and_tried_afresh_when_it_is_back() {
    let mut world = world();
    world.wake(&demand(), Err((Failure::NotFound, Some(s(500)))));
    world.inventory.apply(Change::Target(deployment("ns/a"), None));
    assert_eq!(tick(&mut world, MOMENT).why(), ["target_missing"]);
    world.put(v("ns/a"));
    assert_eq!(tick(&mut world, MOMENT).wakes(), ["ns/a"]);
}

/// A wake that went through and was seen.
fn woken(world: &mut World, ready: bool) {
    world.wake(&demand(), Ok(()));
    world.scale("ns/a", 1, 0);
    assert_eq!(tick(world, MOMENT).moved(), [Moved::Up(Waker::Us)]);
    if ready {
        world.scale("ns/a", 1, 1);
        let moved = tick(world, MOMENT).moved();
        assert_eq!(moved, [Moved::Ready(MOMENT * 2, Waker::Us)]);
    }
}

#[test]
fn rule_12_a_wake_taken_back_before_it_was_ready_is_repeated_with_growing_backoff() {
    let mut world = world();
    for wait in [1, 2, 4] {
        woken(&mut world, false);
        world.after(s(500));
        world.scale("ns/a", 0, 0);
        let back = tick(&mut world, Duration::ZERO);
        assert_eq!(back.moved(), [Moved::TakenBack]);
        assert_eq!((back.wakes(), back.why()), (vec![], vec!["taken_back"]));
        assert_eq!(tick(&mut world, just_before(s(wait))).why(), ["taken_back"]);
        world.after(MOMENT);
    }
    assert_eq!(world.tick(&demand()).wakes(), ["ns/a"]);
}

#[test]
fn rule_12_back_at_zero_soon_after_it_was_ready_is_taken_back_and_later_is_parking() {
    for (served, moved) in [(119, vec![Moved::TakenBack]), (120, vec![])] {
        let mut world = world();
        woken(&mut world, true);
        world.after(s(served));
        world.scale("ns/a", 0, 0);
        let back = world.tick(&demand());
        assert_eq!(back.moved(), moved);
        // What was parked is woken afresh, at once.
        assert_eq!(back.wakes().is_empty(), served == 119);
    }
}

#[test]
fn rule_12_a_wake_taken_back_is_counted_without_demand_too() {
    let mut world = world();
    woken(&mut world, false);
    world.scale("ns/a", 0, 0);
    assert_eq!(world.tick(&[]).moved(), [Moved::TakenBack]);
}

#[test]
fn rule_12_serving_for_longer_than_settle_resets_the_backoff() {
    let mut world = world();
    for _ in 0..3 {
        woken(&mut world, false);
        world.scale("ns/a", 0, 0);
        tick(&mut world, MOMENT);
        world.after(s(10));
    }
    woken(&mut world, true);
    tick(&mut world, s(120));
    world.scale("ns/a", 0, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), []);
    woken(&mut world, false);
    world.scale("ns/a", 0, 0);
    tick(&mut world, MOMENT);
    assert_eq!(tick(&mut world, just_before(s(1))).why(), ["taken_back"]);
    assert_eq!(tick(&mut world, MOMENT).wakes(), ["ns/a"]);
}

#[test]
fn rule_12_serving_for_less_than_settle_does_not_reset_the_backoff() {
    let mut world = world();
    for wait in [1, 2, 4] {
        woken(&mut world, true);
        tick(&mut world, s(100));
        world.scale("ns/a", 0, 0);
        tick(&mut world, MOMENT);
        assert_eq!(tick(&mut world, just_before(s(wait))).why(), ["taken_back"]);
        world.after(MOMENT);
    }
}

#[test]
fn rule_12_taken_back_before_the_watch_has_shown_it_up() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    // Nothing but the version that the wake was built from: it has not been seen yet.
    assert_eq!(tick(&mut world, MOMENT).moved(), []);
    world.scale("ns/a", 0, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), [Moved::TakenBack]);
}

#[test]
fn rule_12_what_stood_before_the_wake_is_not_taken_for_taken_back() {
    let mut world = world();
    let wake = world.wake(&demand(), Ok(()));
    let mut old = world.inventory.target(&wake.target).cloned().expect("a target");
    // After a look the watch may still be behind.
    old.observed = Observed::new(Some(0), None, "99");
    world
        .inventory
        .apply(Change::Target(wake.target.clone(), Some(old)));
    assert_eq!(tick(&mut world, MOMENT).moved(), []);
    assert!(matches!(attempt(&world), Attempt::Accepted { .. }));
    world.scale("ns/a", 1, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), [Moved::Up(Waker::Us)]);
}

#[test]
fn rule_12_versions_that_have_gone_back_do_not_hold_a_wake_up_for_ever() {
    // A restored etcd counts from an earlier number.
    let mut world = world();
    let wake = world.wake(&demand(), Ok(()));
    let mut old = world.inventory.target(&wake.target).cloned().expect("a target");
    old.observed = Observed::new(Some(0), None, "7");
    world.inventory.apply(Change::Target(wake.target, Some(old)));
    assert_eq!(tick(&mut world, s(30)).moved(), [Moved::TakenBack]);
    assert_eq!(tick(&mut world, s(1)).wakes(), ["ns/a"]);
}

#[test]
fn rule_12_parking_of_one_that_served_before_the_episode_is_not_taken_back() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    // It has served for days; requests wait for a moment, and then WVA parks it.
    assert_eq!(world.tick(&demand()).moved(), []);
    world.after(s(30)).tick(&[]);
    world.scale("ns/a", 0, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), []);
    assert_eq!(world.tick(&demand()).wakes(), ["ns/a"]);
    // One that was starting when the episode began has not served yet.
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").starting());
    world.tick(&demand());
    world.scale("ns/a", 0, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), [Moved::TakenBack]);
}

#[test]
fn rule_12_just_after_a_restart_one_that_served_may_have_been_woken_just_now() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    world.now.mono = Mono(s(10));
    world.tick(&demand());
    world.scale("ns/a", 0, 0);
    assert_eq!(tick(&mut world, MOMENT).moved(), [Moved::TakenBack]);
}

#[test]
fn rule_12_one_that_is_taken_back_by_others_wakes_is_up_again() {
    let mut world = world();
    woken(&mut world, false);
    world.scale("ns/a", 0, 0);
    tick(&mut world, MOMENT);
    world.scale("ns/a", 2, 0);
    let up = tick(&mut world, MOMENT);
    assert_eq!((up.moved(), up.why()), (vec![Moved::Up(Waker::Other)], vec![]));
}

#[test]
fn a_target_that_is_ready_at_first_sight_is_told_up_and_then_ready() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    world.scale("ns/a", 1, 1);
    assert_eq!(tick(&mut world, s(1)).moved(), [Moved::Up(Waker::Us)]);
    assert_eq!(tick(&mut world, s(1)).moved(), [Moved::Ready(s(2), Waker::Us)]);
    assert_eq!(tick(&mut world, s(1)).moved(), []);
}

#[test]
fn a_dry_run_tells_of_a_wake_once() {
    let mut world = world();
    let ticked = world.tick(&demand());
    world.memory.only_reported(&ticked.plan.wakes[0]);
    for _ in 0..5 {
        let again = tick(&mut world, s(100));
        assert_eq!((again.wakes(), again.why()), (vec![], vec![]));
    }
    world.scale("ns/a", 1, 0);
    let up = tick(&mut world, s(1));
    let told = Notice::Moved {
        target: deployment("ns/a"),
        moved: Moved::Up(Waker::Other),
    };
    assert_eq!(up.notices, [told]);
}
