//! Rule 17: what scales a target to 0 is kept from taking a wake back during its episode.

use super::world::{MOMENT, S, World, hpa, just_before, key, name, row, s, scaled_object, v, variant};
use crate::core::{Change, GuardChange, GuardWrite, Row, Wake};

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

fn world(scalers: &[S]) -> World {
    let world = World::new().pool("ns/p", "app=m").rules(|r| r.guard = true);
    scalers.iter().cloned().fold(world.with(v("ns/a")), World::with)
}

const H: &str = "HorizontalPodAutoscaler ns/h";
const K: &str = "ScaledObject ns/k";

fn h() -> S {
    hpa("ns/h").on("ns/a").min(0)
}

fn k() -> S {
    scaled_object("ns/k").on("ns/a")
}

/// What is put up: on what, what stood there before, what is written.
fn puts(writes: &[GuardWrite]) -> Vec<(String, Option<String>, String)> {
    let one = |write: &GuardWrite| match &write.change {
        GuardChange::Put(guard) => {
            let before = guard.before.as_deref().map(Into::into);
            (write.scaler.to_string(), before, guard.ours.to_string())
        }
        other => panic!("not put: {other:?}"),
    };
    writes.iter().map(one).collect()
}

/// What is done, by its first word.
fn words(writes: &[GuardWrite]) -> Vec<&'static str> {
    let word = |write: &GuardWrite| match write.change {
        GuardChange::Put(_) => "put",
        GuardChange::End(_) => "end",
        GuardChange::Forget(_) => "forget",
    };
    writes.iter().map(word).collect()
}

/// Woken, with the guards that go before; all of it is seen.
fn woken(mut world: World) -> World {
    let ticked = world.tick(&demand());
    let [wake] = &ticked.plan.wakes[..] else {
        panic!("{ticked:?}");
    };
    world.send(&ticked.plan);
    for write in &wake.guards {
        world.guard(write, true);
    }
    world.answered(wake, Ok(()));
    world.scale("ns/a", 1, 0);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.guards(), []);
    // What was written is left alone for a moment, as the watch may be behind.
    world.after(s(1));
    world
}

/// All guards that are due are written and seen; which.
fn write(world: &mut World) -> Vec<&'static str> {
    let due = world.guards();
    for one in &due {
        world.guard(one, true);
    }
    words(&due)
}

/// It is at 0 for as long as another copy's scale may take.
fn idle(world: &mut World) {
    assert_eq!(world.guards(), []);
    assert_eq!(world.after(s(7)).guards(), []);
}

#[test]
fn rule_17_what_is_written_before_the_scale() {
    let put = |key: &str, before: Option<&str>, ours: &str| (key.into(), before.map(Into::into), ours.into());
    for (scalers, guards) in [
        (vec![], vec![]),
        (vec![h()], vec![put(H, Some("0"), "1")]),
        (vec![h().min(1)], vec![]),
        (vec![h().min(3)], vec![]),
        (vec![k()], vec![put(K, None, "true")]),
        (
            vec![k().paused_scale_in("false")],
            vec![put(K, Some("false"), "true")],
        ),
        // The user's own stays the user's.
        (vec![k().paused_scale_in("true")], vec![]),
        // KEDA's HPA is the ScaledObject's own.
        (
            vec![k(), hpa("ns/keda-hpa-k").on("ns/a").min(0).child()],
            vec![put(K, None, "true")],
        ),
        (vec![hpa("ns/h").on("ns/a").min(0).child()], vec![]),
        (vec![k(), h()], vec![put(K, None, "true")]),
        (
            vec![h(), hpa("ns/i").on("ns/a").min(0)],
            vec![
                put(H, Some("0"), "1"),
                put("HorizontalPodAutoscaler ns/i", Some("0"), "1"),
            ],
        ),
        // Of another target, or going.
        (vec![hpa("ns/h").on("ns/b").min(0)], vec![]),
        (vec![h().but(|h| h.deleting = true)], vec![]),
        (vec![k().but(|k| k.deleting = true)], vec![]),
    ] {
        let mut world = world(&scalers);
        let wake = world.tick(&demand()).plan.wakes.remove(0);
        assert_eq!(puts(&wake.guards), guards);
        for write in &wake.guards {
            let GuardChange::Put(guard) = &write.change else {
                panic!("{write:?}");
            };
            assert_eq!(guard.until, world.now.wall + s(900));
            assert_eq!(guard.model, key("ns/p/m"));
            let scaler = world.scaler(&write.scaler.to_string());
            assert_eq!(write.resource_version, scaler.resource_version);
        }
        // A wake by hand is guarded, too.
        let by_hand = Wake::by_hand(&world.inventory, &variant("ns/a"), world.now, &world.rules);
        assert_eq!(puts(&by_hand.expect("a wake").guards), guards);
        // And nothing by default.
        world.rules.guard = false;
        assert_eq!(world.tick(&demand()).plan.wakes[0].guards, []);
        assert_eq!(world.guards(), []);
    }
}

#[test]
fn rule_17_only_what_is_woken_is_guarded() {
    let mut world = world(&[h(), k()]);
    world.tick(&[]);
    assert_eq!(world.guards(), [], "no episode");
    world.tick(&demand());
    assert_eq!(world.guards(), [], "not woken yet");
    let mut serving = world.clone();
    serving.memory = crate::core::Memory::default();
    serving.scale("ns/a", 1, 1);
    serving.tick(&[]);
    assert_eq!(serving.guards(), [], "up, and no episode");
}

#[test]
fn rule_17_what_others_wake_or_a_failed_guard_left_out_is_guarded_by_the_level() {
    let mut other = world(&[h()]);
    other.tick(&demand());
    other.scale("ns/a", 1, 0);
    other.after(s(3)).tick(&demand());
    assert_eq!(write(&mut other), ["put"]);
    assert_eq!(other.scaler(H).min_replicas, 1);
    assert_eq!(write(other.after(s(60))), [""; 0]);
    let mut failed = world(&[h()]);
    let ticked = failed.tick(&demand());
    failed.send(&ticked.plan);
    failed.guard(&ticked.plan.wakes[0].guards[0], false);
    assert_eq!(failed.guards(), [], "the wake is still under way");
    failed.answered(&ticked.plan.wakes[0], Ok(()));
    assert_eq!(failed.after(just_before(s(1))).guards(), []);
    assert_eq!(write(failed.after(MOMENT)), ["put"]);
}

#[test]
fn rule_17_it_ends_with_the_episode_or_its_deadline_and_leaves_nothing_behind() {
    type End = (&'static str, fn(&mut World));
    let ends: [End; 7] = [
        ("served", |world| {
            world.scale("ns/a", 1, 1);
            world.tick(&[]);
            assert_eq!(world.after(just_before(s(120))).guards(), []);
            world.after(MOMENT).tick(&[]);
        }),
        ("timed out", |world| {
            world.tick(&[]);
            world.after(s(900)).tick(&[]);
        }),
        ("its deadline, with demand", |world| {
            for _ in 0..8 {
                world.after(s(100)).tick(&demand());
                assert_eq!(world.guards(), []);
            }
            world.after(s(100)).tick(&demand());
        }),
        ("taken back", |world| {
            world.scale("ns/a", 0, 0);
            world.tick(&[]);
            idle(world);
        }),
        ("parked", |world| {
            world.scale("ns/a", 1, 1);
            world.tick(&demand());
            world.after(s(120)).tick(&demand());
            world.scale("ns/a", 0, 0);
            world.tick(&[]);
            idle(world);
        }),
        ("turned off", |world| world.rules.guard = false),
        ("the variant gone", |world| {
            world.inventory.apply(Change::Variant(name("ns/a"), None));
            world.tick(&[]);
        }),
    ];
    for (before, scalers) in [
        (None, [k()]),
        (Some("false"), [k().paused_scale_in("false")]),
        (Some("0"), [h()]),
    ] {
        for (what, end) in ends {
            let mut world = woken(world(&scalers));
            let text = scalers[0].key.to_string();
            assert!(world.scaler(&text).guard.is_some());
            end(&mut world);
            assert_eq!(write(&mut world), ["end"], "{what} {before:?}");
            let scaler = world.scaler(&text);
            assert_eq!(scaler.guard, None, "{what}");
            match before {
                Some("0") => assert_eq!(scaler.min_replicas, 0, "{what}"),
                before => assert_eq!(scaler.paused_scale_in.as_deref(), before, "{what}"),
            }
            for _ in 0..5 {
                world.after(s(10)).tick(&[]);
                assert_eq!(write(&mut world), [""; 0], "{what}");
            }
        }
    }
}

#[test]
fn rule_17_it_stands_through_the_episode() {
    let mut world = woken(world(&[h()]));
    for _ in 0..8 {
        world.after(s(100)).tick(&[]);
        assert_eq!(world.guards(), []);
    }
    // Ready at the last moment; its requests come back, and it serves them.
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    assert_eq!(world.guards(), []);
}

#[test]
fn rule_17_a_value_that_is_no_longer_ours_stays_and_the_annotation_goes() {
    type Theirs = fn(&mut crate::core::Scaler);
    let cases: [(S, &str, Theirs); 4] = [
        (h(), H, |h| h.min_replicas = 0),
        (h(), H, |h| h.min_replicas = 3),
        (k(), K, |k| k.paused_scale_in = None),
        (k(), K, |k| k.paused_scale_in = Some("false".into())),
    ];
    for (scaler, text, theirs) in cases {
        let mut world = woken(world(&[scaler]));
        world.edit_scaler(text, theirs);
        let written = world.scaler(text).clone();
        world.after(MOMENT).tick(&demand());
        assert_eq!(write(&mut world), ["forget"], "{text}");
        let now = world.scaler(text);
        assert_eq!(now.guard, None);
        assert_eq!(
            (now.min_replicas, &now.paused_scale_in),
            (written.min_replicas, &written.paused_scale_in)
        );
        // Who does not want it is not fought.
        for _ in 0..10 {
            world.after(s(20)).tick(&demand());
            assert_eq!(write(&mut world), [""; 0], "{text}");
        }
    }
}

#[test]
fn rule_17_one_that_is_taken_away_whole_is_not_put_up_again() {
    let mut world = woken(world(&[k()]));
    world.edit_scaler(K, |k| (k.guard, k.paused_scale_in) = (None, None));
    for _ in 0..10 {
        world.after(s(20)).tick(&demand());
        assert_eq!(world.guards(), []);
    }
}

#[test]
fn rule_17_a_write_that_fails_is_tried_again_with_growing_waits_from_the_newer_object() {
    let mut world = woken(world(&[h()]));
    world.tick(&[]);
    world.after(s(900)).tick(&[]);
    let mut due = world.guards();
    for wait in [1, 2, 4] {
        assert_eq!(words(&due), ["end"], "{wait}");
        assert_eq!(world.after(s(5)).guards(), [], "under way");
        // A conflict: somebody has written it.
        world.edit_scaler(H, |_| {});
        world.guard(&due[0], false);
        assert_eq!(world.after(just_before(s(wait))).guards(), []);
        due = world.after(MOMENT).guards();
        assert_eq!(due[0].resource_version, world.scaler(H).resource_version);
    }
    // One that went through is left alone until the watch has shown it.
    let scaler = due[0].scaler.clone();
    let backoff = world.rules.backoff;
    world
        .memory
        .guard_answered(&scaler, true, world.now.mono, backoff);
    assert_eq!(world.after(just_before(s(1))).guards(), []);
}

#[test]
fn rule_17_after_a_restart_it_goes_on_standing_and_ends_as_it_should() {
    for scaler in [h(), k()] {
        let mut world = woken(world(&[scaler]));
        world.after(s(100));
        assert_eq!(world.restart(), 1);
        world.tick(&[]);
        assert_eq!(write(&mut world), [""; 0]);
        world.scale("ns/a", 1, 1);
        world.tick(&[]);
        world.after(just_before(s(120))).tick(&[]);
        assert_eq!(write(&mut world), [""; 0]);
        world.after(MOMENT).tick(&[]);
        assert_eq!(write(&mut world), ["end"]);
    }
    // Started only after its deadline.
    let mut late = woken(world(&[h()]));
    late.after(s(1000));
    assert_eq!(late.restart(), 0);
    late.tick(&[]);
    assert_eq!(write(&mut late), ["end"]);
    // Or with guards turned off.
    let mut off = woken(world(&[h()]));
    off.rules.guard = false;
    off.restart();
    off.tick(&[]);
    assert_eq!(write(&mut off), ["end"]);
}

#[test]
fn rule_17_two_copies_write_one_guard() {
    let mut one = world(&[h()]);
    one.tick(&demand());
    one.scale("ns/a", 1, 0);
    let mut two = one.clone();
    one.after(MOMENT).tick(&demand());
    two.after(MOMENT).tick(&demand());
    let (first, second) = (one.guards(), two.guards());
    assert_eq!(first, second, "by compare-and-swap one of them holds");
    one.guard(&first[0], true);
    two.guard(&second[0], false);
    two.edit_scaler(H, |h| super::world::apply_guard(h, &first[0]));
    for world in [&mut one, &mut two] {
        world.after(s(5)).tick(&demand());
        assert_eq!(write(world), [""; 0]);
    }
}

#[test]
fn rule_17_a_guard_that_was_to_end_is_kept_where_its_target_is_woken_again() {
    let mut world = woken(world(&[h()]));
    world.scale("ns/a", 0, 0);
    world.tick(&[]);
    world.attribute(Some(&[]));
    idle(&mut world);
    // The end fails, and meanwhile it is woken again.
    let due = world.after(MOMENT).guards();
    assert_eq!(words(&due), ["end"]);
    world.guard(&due[0], false);
    let ticked = world.after(s(5)).tick(&demand());
    assert_eq!(ticked.wakes(), ["ns/a"]);
    assert_eq!(ticked.plan.wakes[0].guards, [], "it stands already");
    world.send(&ticked.plan);
    assert_eq!(world.after(s(5)).guards(), []);
    world.answered(&ticked.plan.wakes[0], Ok(()));
    world.scale("ns/a", 1, 0);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.after(s(60)).guards(), []);
    assert!(world.scaler(H).guard.is_some());
}

#[test]
fn rule_17_a_second_wake_is_guarded_as_the_first() {
    let mut world = woken(world(&[h()]));
    world.scale("ns/a", 0, 0);
    world.tick(&demand());
    world.attribute(Some(&[]));
    idle(&mut world);
    assert_eq!(write(world.after(MOMENT)), ["end"]);
    let ticked = world.after(s(5)).tick(&demand());
    assert_eq!(puts(&ticked.plan.wakes[0].guards).len(), 1);
}
