//! Rule 15: memory is rebuilt at start from conditions, the VA's status and guard annotations.

use std::time::Duration;

use super::world::{MOMENT, World, deployment, hpa, just_before, key, owner, row, s, scaled_object, v};
use crate::core::{Attempt, Moved, OPTIMIZATION_READY, Row, State, Waker, Wall};

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

fn empty() -> World {
    World::new().pool("ns/p", "app=m")
}

fn ago(wait: Duration) -> Wall {
    empty().now.wall - wait
}

fn since(world: &World) -> Option<Wall> {
    world.memory.episode(&key("ns/p/m")).map(|e| e.since.wall)
}

#[test]
fn rule_15_a_wake_that_was_told_of_is_gone_on_with() {
    let told = s(200);
    let mut starting = empty()
        .with(v("ns/a").woken(ago(told)).starting())
        .with(v("ns/b").cost("99"));
    assert_eq!(starting.restart(), 1);
    assert_eq!(since(&starting), Some(ago(told)));
    assert_eq!(starting.tick(&[]).moved(), [], "it is no news");
    assert_eq!(starting.state("ns/a"), State::Starting(Some(told)));
    // The time to become ready goes on, without any demand.
    assert_eq!(starting.after(just_before(s(400))).tick(&[]).wakes(), [""; 0]);
    assert_eq!(starting.after(MOMENT).tick(&[]).wakes(), ["ns/b"]);

    let mut serving = empty().with(v("ns/a").woken(ago(told)).serving());
    assert_eq!(serving.restart(), 1);
    assert_eq!(serving.tick(&[]).moved(), []);
    // For how long it has served is not known: the time to settle begins anew.
    for (wait, moved) in [(just_before(s(120)), &[Moved::TakenBack][..]), (s(120), &[])] {
        let mut world = serving.clone();
        world.after(wait).tick(&demand());
        world.scale("ns/a", 0, 0);
        assert_eq!(world.tick(&demand()).moved(), moved, "{wait:?}");
    }

    let mut back = empty().with(v("ns/a").woken(ago(told)));
    assert_eq!(back.restart(), 1);
    back.tick(&demand());
    assert_eq!(back.state("ns/a"), State::Reverted(None, Duration::ZERO));
    assert_eq!(back.memory.attributions_due(), [deployment("ns/a")]);
}

#[test]
fn rule_15_who_took_a_wake_back_meanwhile_is_asked_before_it_is_woken_again() {
    for told in [s(2), s(60), s(800)] {
        let mut world = empty().with(v("ns/a").woken(ago(told)));
        world.restart();
        assert_eq!(world.tick(&demand()).why(), ["taken_back"], "{told:?}");
        world.attribute(Some(&[owner("kubectl-edit")]));
        let held = world.after(just_before(s(600))).tick(&demand());
        assert_eq!((held.wakes(), held.why()), (vec![], vec!["manual"]), "{told:?}");
        assert_eq!(world.after(MOMENT).tick(&demand()).wakes(), ["ns/a"]);
    }
    // One that no person took back costs no time.
    let mut world = empty().with(v("ns/a").woken(ago(s(60)))).with(hpa("ns/a").min(0));
    world.restart();
    world.tick(&demand());
    world.attribute(Some(&[]));
    assert_eq!(world.after(MOMENT).tick(&demand()).wakes(), ["ns/a"]);
}

#[test]
fn rule_15_old_marks_are_of_an_episode_that_is_over() {
    // readyTimeout and five minutes.
    for (told, restored) in [(s(0), 1), (just_before(s(900)), 1), (s(900), 0), (s(9000), 0)] {
        for v in [v("ns/a"), v("ns/a").starting(), v("ns/a").serving()] {
            let mut world = empty().with(v.woken(ago(told)));
            assert_eq!(world.restart(), restored, "{told:?}");
            assert_eq!(world.memory.episodes(), restored);
        }
    }
    let mut longer = empty()
        .with(v("ns/a").woken(ago(s(1000))))
        .rules(|r| r.ready_timeout = s(1800));
    assert_eq!(longer.restart(), 1);
    // Another clock that is ahead: as if told now.
    let ahead = ago(s(0)) + s(30);
    let mut world = empty().with(v("ns/a").woken(ahead).starting());
    assert_eq!(world.restart(), 1);
    world.tick(&[]);
    assert_eq!(world.state("ns/a"), State::Starting(Some(Duration::ZERO)));
}

#[test]
fn rule_15_what_wva_has_decided_since_is_no_wake_of_ours() {
    for reason in ["OptimizationSucceeded", "OptimizationFailed"] {
        for v in [v("ns/a"), v("ns/a").starting()] {
            let decided = v.asks(1).condition(OPTIMIZATION_READY, "True", reason).but(|a| {
                a.status.desired.as_mut().expect("it asks").last_run = Some(ago(s(10)));
            });
            let mut world = empty().with(decided);
            assert_eq!((world.restart(), world.memory.episodes()), (0, 0), "{reason}");
        }
    }
    // A status without a time tells nothing.
    let mut world = empty().with(v("ns/a").woken(ago(s(5))).but(|a| {
        a.status.desired.as_mut().expect("it asks").last_run = None;
    }));
    assert_eq!(world.restart(), 0);
}

#[test]
fn rule_15_an_annotation_tells_of_the_wake_but_not_of_what_came_after() {
    let annotated = |text: &str| v(text).but(|a| a.annotated = Some(ago(s(100))));
    for text in ["ns/a", "ScaledObject ns/a", "HorizontalPodAutoscaler ns/a"] {
        let mut up = empty().with(annotated(text).starting());
        assert_eq!(up.restart(), 1, "{text}");
        up.tick(&[]);
        assert_eq!(up.state(text), State::Starting(Some(s(100))), "{text}");
        // At 0 it may have been parked since: the next demand is a fresh wake.
        let mut parked = empty().with(annotated(text));
        assert_eq!(parked.restart(), 1);
        assert_eq!(parked.tick(&demand()).wakes(), ["ns/a"], "{text}");
    }
    // The later of the two counts.
    let mut both = empty().with(
        v("ns/a")
            .woken(ago(s(300)))
            .but(|a| a.annotated = Some(ago(s(100)))),
    );
    both.restart();
    assert_eq!(since(&both), Some(ago(s(100))));
}

#[test]
fn rule_15_a_guard_tells_of_its_episode() {
    let until = |left: u64| empty().now.wall + s(left);
    for (left, restored) in [(600, 1), (1, 1), (0, 0)] {
        for scaler in [hpa("ns/a"), scaled_object("ns/a")] {
            let guarded = scaler.guarded(Some("0"), until(left), "ns/p/m");
            let mut world = empty().with(v("ns/a").starting()).with(guarded);
            world.rules.guard = true;
            assert_eq!(world.restart(), restored, "{left}");
            if restored == 1 {
                assert_eq!(since(&world), Some(ago(s(900 - left))));
            }
            world.tick(&[]);
            assert_eq!(world.memory.tracked(&deployment("ns/a")).is_some(), restored == 1);
        }
    }
}

#[test]
fn rule_15_what_is_out_of_scope_or_has_no_target_is_not_taken_up() {
    for broken in [
        v("ns/a").woken(ago(s(5))).starting().but(|a| a.excluded = true),
        v("ns/a").woken(ago(s(5))).but(|a| a.deleting = true),
        v("ns/a").woken(ago(s(5))).shared(),
        v("ns/a").woken(ago(s(5))).labels("app=none"),
    ] {
        assert_eq!(empty().with(broken).restart(), 0);
    }
}

#[test]
fn rule_15_every_copy_comes_to_the_same() {
    // Several variants of one model and of one target, told at several times: whatever order a map has.
    for _ in 0..20 {
        let mut world = empty()
            .with(v("ns/c").woken(ago(s(300))).starting())
            .with(v("ns/a").woken(ago(s(500))).serving())
            .with(v("ns/b").woken(ago(s(100))).starting())
            .with(v("ns/d").target("b").shared().woken(ago(s(40))));
        assert_eq!(world.restart(), 1);
        assert_eq!(since(&world), Some(ago(s(500))), "it began with the first");
        let last = world
            .memory
            .episode(&key("ns/p/m"))
            .expect("an episode")
            .last_present;
        assert_eq!(last, world.now.mono_of(ago(s(40))), "and lasts from the last");
        let b = world.memory.tracked(&deployment("ns/b")).expect("tracked");
        let told = world.now.mono_of(ago(s(40)));
        assert!(
            matches!(b.attempt, Attempt::Scaled { since, .. } if since == told),
            "{b:?}"
        );
    }
}

#[test]
fn rule_15_a_leader_to_be_keeps_what_it_has_seen_itself() {
    let mut world = empty().with(v("ns/a"));
    world.wake_all(&demand());
    world.after(MOMENT).tick(&demand());
    let told = world.now.wall - s(400);
    world.put(v("ns/a").woken(told).starting());
    let before = world.memory.tracked(&deployment("ns/a")).cloned();
    let World {
        inventory,
        memory,
        now,
        rules,
        ..
    } = &mut world;
    assert_eq!(memory.restore(inventory, *now, rules), 0);
    assert_eq!(memory.tracked(&deployment("ns/a")).cloned(), before);
}

#[test]
fn rule_15_killed_in_the_middle_the_next_goes_on() {
    let mut world = empty().with(v("ns/a").cost("5")).with(v("ns/b").cost("10"));
    world.wake_all(&demand());
    let report = world.reports().remove(0);
    world.told(&report);
    world.after(s(300)).tick(&demand());
    assert_eq!(world.restart(), 1);
    let up = world.tick(&demand());
    assert_eq!(
        (up.wakes(), up.moved()),
        (vec![], vec![]),
        "no second wake, no other waker"
    );
    assert_eq!(world.reports(), [], "told already");
    world.scale("ns/a", 1, 1);
    let ready = world.after(s(60)).tick(&demand());
    assert_eq!(ready.moved(), [Moved::Ready(s(360), Waker::Earlier)]);
}

#[test]
fn rule_15_killed_between_scale_and_status_the_next_tells_of_it() {
    let mut world = empty().with(v("ns/a"));
    world.wake_all(&demand());
    assert_eq!(world.restart(), 0, "no mark yet");
    world.tick(&demand());
    assert_eq!(world.after(s(1)).reports().len(), 1);
}

#[test]
fn rule_15_a_set_that_was_given_up_for_another_still_counts() {
    let up = |text: &str, role: &str, told: u64| v(text).role(role).woken(ago(s(told))).starting();
    // What is woken once all of it is overdue, with so many escalations allowed.
    let next = |variants: &[super::world::V], max: u32| {
        let mut world = variants.iter().cloned().fold(empty(), World::with);
        world = world
            .with(v("ns/z").cost("99"))
            .rules(|r| r.max_escalations = max);
        assert_eq!(world.restart(), 1);
        world.tick(&demand());
        world.after(s(600)).tick(&demand()).wakes()
    };
    let one = || vec![up("ns/a", "both", 100)];
    let two = || vec![up("ns/a", "both", 800), up("ns/b", "both", 100)];
    let set = || vec![up("ns/d", "decode", 100), up("ns/p", "prefill", 99)];
    let sets = || {
        let first = [up("ns/d", "decode", 800), up("ns/p", "prefill", 801)];
        [
            first.to_vec(),
            vec![up("ns/e", "decode", 101), up("ns/q", "prefill", 99)],
        ]
        .concat()
    };
    for (variants, escalations) in [(one(), 0), (two(), 1), (set(), 0), (sets(), 1)] {
        assert_eq!(next(&variants, escalations), [""; 0], "never one more");
        assert_eq!(next(&variants, escalations + 1), ["ns/z"]);
    }
    // Two variants on one target, and an encode beside its set, are no second set.
    let twin = || v("ns/twin").target("a").shared().woken(ago(s(99)));
    let encode = || up("ns/x", "encode", 50);
    assert_eq!(next(&[one(), vec![twin()]].concat(), 1), ["ns/z"]);
    assert_eq!(next(&[set(), vec![encode()]].concat(), 1), ["ns/z"]);
}
