//! Rules 14 and 15: one step from 0 to 1 whoever wakes, told by the one who did it.

use super::world::{MOMENT, World, deployment, just_before, key, row, s, v, variant};
use crate::core::{Attempt, Cause, Demanded, Failure, Mark, Moved, Report, Row, Told, Waker};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// What reports are due: the variant, whether its waker tells it, whether Events and a mark go with it.
fn due(reports: &[Report]) -> Vec<(String, bool, bool, bool)> {
    let one = |r: &Report| {
        (
            r.variant.to_string(),
            r.told.is_some(),
            r.events,
            r.mark.is_some(),
        )
    };
    reports.iter().map(one).collect()
}

fn a(told: bool, events: bool, mark: bool) -> Vec<(String, bool, bool, bool)> {
    vec![("ns/a".into(), told, events, mark)]
}

#[test]
fn rule_14_nothing_is_sent_while_a_wake_is_under_way() {
    let mut world = world();
    let wake = world.tick(&demand()).plan.wakes.remove(0);
    world.memory.sent(&wake);
    for _ in 0..100 {
        assert_eq!(world.after(s(10)).tick(&demand()).wakes(), [""; 0]);
        // Whatever the watch shows meanwhile.
        world.scale("ns/a", 0, 0);
    }
    // Not even if its demand, or the target, is gone and back.
    world.after(s(2000)).tick(&[]);
    world.after(s(1)).tick(&[]);
    assert_eq!(world.memory.episodes(), 0);
    assert_eq!(world.tick(&demand()).wakes(), [""; 0]);
    world.answered(&wake, Err((Failure::NoAnswer, None)));
    assert_eq!(world.after(s(1)).tick(&demand()).wakes(), ["ns/a"]);
}

#[test]
fn rule_14_the_watch_may_be_ahead_of_the_answer() {
    for (answer, by) in [
        (Ok(()), Waker::Us),
        (Err((Failure::NoAnswer, None)), Waker::Us),
        (Err((Failure::Conflict, None)), Waker::Other),
    ] {
        let mut world = world();
        let wake = world.tick(&demand()).plan.wakes.remove(0);
        world.memory.sent(&wake);
        world.scale("ns/a", 1, 0);
        assert_eq!(world.after(MOMENT).tick(&demand()).moved(), []);
        world.answered(&wake, answer);
        let ticked = world.after(MOMENT).tick(&demand());
        assert_eq!((ticked.moved(), ticked.wakes()), (vec![Moved::Up(by)], vec![]));
    }
}

#[test]
fn rule_14_a_lost_answer_and_then_up_is_ours() {
    let mut world = world();
    world.wake(&demand(), Err((Failure::NoAnswer, None)));
    world.scale("ns/a", 1, 0);
    assert_eq!(
        world.after(MOMENT).tick(&demand()).moved(),
        [Moved::Up(Waker::Us)]
    );
}

#[test]
fn rule_14_what_others_woke_is_told_apart() {
    let mut world = world();
    world.tick(&demand());
    world.scale("ns/a", 1, 0);
    assert_eq!(
        world.after(MOMENT).tick(&demand()).moved(),
        [Moved::Up(Waker::Other)]
    );
    world.scale("ns/a", 1, 1);
    let ready = world.after(s(3)).tick(&demand());
    assert_eq!(ready.moved(), [Moved::Ready(s(3), Waker::Other)]);
    // What stood before the episode is neither's.
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").starting());
    assert_eq!(world.tick(&demand()).moved(), []);
    world.scale("ns/a", 1, 1);
    let ready = world.after(s(3)).tick(&demand());
    assert_eq!(ready.moved(), [Moved::Ready(s(3), Waker::Earlier)]);
}

#[test]
fn rule_15_the_waker_reports_at_once() {
    let mut world = world();
    assert_eq!(world.reports(), []);
    world.wake(&demand(), Ok(()));
    let reports = world.reports();
    assert_eq!(due(&reports), a(true, true, true));
    let told = Told {
        key: key("ns/p/m"),
        cause: Cause::Demand(Demanded {
            waiting: 10.0,
            family: Some("queue_size".into()),
        }),
        sample_age: None,
        sample_to_scale: None,
    };
    assert_eq!(reports[0].told.as_ref(), Some(&told));
    assert_eq!(reports[0].target, deployment("ns/a"));
    // That of the write: the Event's name is made from it.
    assert_eq!(reports[0].generation, 8);
    assert_eq!(world.reports(), [], "under way");
    world.told(&reports[0]);
    assert_eq!(world.after(s(10)).reports(), []);
}

#[test]
fn rule_15_no_report_of_a_wake_that_failed() {
    for why in Failure::ALL {
        let mut world = world();
        world.wake(&demand(), Err((why, None)));
        world.after(s(5)).tick(&[]);
        assert_eq!(world.reports(), [], "{why:?}");
    }
}

#[test]
fn rule_15_what_failed_of_a_report_is_sent_again_apart_with_growing_backoff() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    assert_eq!(due(&world.reports()), a(true, true, true));
    world.reported("ns/a", false, false);
    assert_eq!(world.after(just_before(s(1))).reports(), []);
    assert_eq!(due(&world.after(MOMENT).reports()), a(true, true, true));
    world.reported("ns/a", true, false);
    assert_eq!(world.after(just_before(s(2))).reports(), []);
    assert_eq!(due(&world.after(MOMENT).reports()), a(true, false, true));
    world.reported("ns/a", true, true);
    assert_eq!(world.after(s(1000)).reports(), []);
}

#[test]
fn rule_15_a_status_that_is_written_is_not_written_again_for_its_events() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    world.reports();
    world.reported("ns/a", false, true);
    assert_eq!(due(&world.after(s(1)).reports()), a(true, true, false));
    world.reported("ns/a", true, true);
    assert_eq!(world.after(s(1000)).reports(), []);
}

#[test]
fn rule_15_what_is_turned_off_is_not_reported() {
    for (events, status) in [(true, false), (false, true)] {
        let mut world = world().rules(|r| (r.events, r.status) = (events, status));
        world.wake(&demand(), Ok(()));
        assert_eq!(due(&world.reports()), a(true, events, status));
    }
    let mut world = world().rules(|r| (r.events, r.status) = (false, false));
    world.wake(&demand(), Ok(()));
    assert_eq!(world.reports(), []);
}

/// Woken by another copy, seen now.
fn witnessed() -> World {
    let mut world = world();
    world.tick(&demand());
    world.after(s(20));
    world.scale("ns/a", 1, 0);
    world.tick(&demand());
    world
}

#[test]
fn rule_15_a_witness_reports_after_a_moment_if_the_status_does_not() {
    let mut world = witnessed();
    assert_eq!(world.after(just_before(s(1))).reports(), []);
    let reports = world.after(MOMENT).reports();
    assert_eq!(due(&reports), a(false, true, true));
    assert_eq!(reports[0].generation, 8);
    world.told(&reports[0]);
    world.after(s(5)).tick(&demand());
    assert_eq!(world.reports(), []);
}

#[test]
fn rule_15_a_witness_is_silent_if_the_status_says_so() {
    for (replicas, ago, silent) in [(1, 0, true), (3, 0, true), (0, 0, false), (1, 60, false)] {
        let mut world = witnessed();
        let last_run = world.now.wall - s(ago);
        world.status("ns/a", |status| {
            status.desired = Some(crate::core::Desired {
                replicas,
                accelerator: None,
                last_run: Some(last_run),
            });
        });
        let reports = world.after(s(1)).reports();
        assert_eq!(reports.is_empty(), silent, "{replicas} {ago}");
        // And for good.
        assert_eq!(world.after(s(100)).reports(), []);
    }
}

#[test]
fn rule_15_an_annotation_does_not_stand_for_a_status() {
    // The waker has written the annotation that `annotateVariant` asks for, and died before the status.
    let mut world = world();
    world.tick(&demand());
    world.scale("ns/a", 1, 0);
    world.tick(&demand());
    let now = world.now.wall;
    world.put(v("ns/a").starting().but(|a| a.annotated = Some(now)));
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, true));
}

#[test]
fn rule_15_a_source_without_a_status_is_told_of_by_its_annotation() {
    let hpa = "HorizontalPodAutoscaler ns/a";
    for annotated in [true, false] {
        let mut world = World::new().pool("ns/p", "app=m").with(v(hpa));
        world.tick(&demand());
        world.scale("ns/a", 1, 0);
        world.tick(&demand());
        let now = world.now.wall;
        if annotated {
            world.put(v(hpa).starting().but(|a| a.annotated = Some(now)));
        }
        let reports = world.after(s(1)).reports();
        assert_eq!(reports.is_empty(), annotated);
        if let Some(report) = reports.first() {
            assert_eq!(report.mark, Some(Mark::Annotation));
            world.told(report);
        }
        assert_eq!(world.after(s(100)).reports(), []);
    }
}

#[test]
fn rule_15_a_witness_is_silent_about_what_is_back_at_zero() {
    let mut world = witnessed();
    world.scale("ns/a", 0, 0);
    assert_eq!(world.after(s(1)).reports(), []);
}

#[test]
fn rule_15_a_witness_writes_its_events_though_its_own_status_says_so() {
    let mut world = witnessed();
    let reports = world.after(s(1)).reports();
    world.told(&reports[0]);
    // As told, but that the Events failed.
    let mut world = witnessed();
    let reports = world.after(s(1)).reports();
    world.reported("ns/a", false, true);
    let Some(Mark::Status(update)) = reports[0].mark.clone() else {
        panic!("no status: {reports:?}");
    };
    world.status("ns/a", |status| {
        status.desired = Some(crate::core::Desired {
            replicas: 1,
            accelerator: None,
            last_run: Some(update.last_run),
        });
    });
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, false));
}

#[test]
fn rule_15_a_witness_whose_status_lost_the_race_looks_again() {
    let mut world = witnessed();
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, true));
    world.reported("ns/a", true, false);
    let now = world.now.wall;
    world.status("ns/a", |status| {
        status.desired = Some(crate::core::Desired {
            replicas: 1,
            accelerator: None,
            last_run: Some(now),
        });
    });
    assert_eq!(world.after(s(1)).reports(), []);
}

#[test]
fn rule_15_what_starts_when_the_episode_begins_is_witnessed_and_what_serves_is_not() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").starting());
    world.tick(&demand());
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, true));
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    world.tick(&demand());
    assert_eq!(world.after(s(1)).reports(), []);
    // When it was woken is not known: any status that asks for replicas says so.
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").starting().asks(1));
    world.tick(&demand());
    assert_eq!(world.after(s(1)).reports(), []);
}

#[test]
fn rule_15_a_second_wake_in_one_episode_is_witnessed_afresh() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    let reports = world.reports();
    world.told(&reports[0]);
    world.scale("ns/a", 1, 1);
    for _ in 0..3 {
        world.after(s(60)).tick(&demand());
    }
    world.scale("ns/a", 0, 0);
    world.after(s(60)).tick(&[]);
    // Another copy wakes it, and dies before it has told.
    world.scale("ns/a", 1, 0);
    let up = world.after(s(60)).tick(&demand());
    assert_eq!(up.moved(), [Moved::Up(Waker::Other)]);
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, true));
}

#[test]
fn rule_15_a_wake_that_is_taken_back_at_once_is_told_of_all_the_same() {
    let mut world = world();
    world.wake(&demand(), Ok(()));
    world.scale("ns/a", 0, 0);
    assert_eq!(world.after(MOMENT).tick(&demand()).moved(), [Moved::TakenBack]);
    assert_eq!(due(&world.reports()), a(true, true, true));
}

#[test]
fn rule_15_a_lost_answer_that_went_through_is_told_though_an_old_status_asks_for_replicas() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").asks(1));
    world.wake(&demand(), Err((Failure::NoAnswer, None)));
    world.scale("ns/a", 1, 0);
    world.after(MOMENT).tick(&demand());
    assert_eq!(due(&world.after(s(1)).reports()), a(false, true, true));
}

#[test]
fn rule_7_both_variants_of_one_target_are_reported() {
    for model in ["m", "n"] {
        let mut world = world().with(v("ns/b").target("a").shared().model(model).cost("50"));
        world.wake(&demand(), Ok(()));
        let reports = world.reports();
        assert_eq!(due(&reports), a(true, true, true));
        world.told(&reports[0]);
        world.scale("ns/a", 1, 0);
        world.after(MOMENT).tick(&demand());
        world.after(MOMENT).tick(&demand());
        world.after(s(1)).tick(&demand());
        let reports = world.reports();
        assert_eq!(due(&reports), [("ns/b".into(), false, true, true)], "{model}");
        world.told(&reports[0]);
        world.after(s(5)).tick(&demand());
        assert_eq!(world.reports(), []);
    }
}

#[test]
fn rule_7_what_is_out_of_scope_is_left_to_whom_it_belongs() {
    let theirs = || v("ns/x").starting().but(|x| x.excluded = true);
    let mut world = world().with(theirs());
    assert_eq!(world.tick(&demand()).wakes(), [""; 0]);
    assert_eq!(world.after(s(1)).reports(), []);
    let mut world = self::world().with(theirs().scaled(0, 0));
    world.tick(&demand());
    world.scale("ns/x", 1, 0);
    world.after(s(1)).tick(&demand());
    assert_eq!(world.after(s(1)).reports(), []);
    // On a shared target as well.
    let mut world = self::world().with(v("ns/x").target("a").shared().but(|x| x.excluded = true));
    world.wake(&demand(), Ok(()));
    let reports = world.reports();
    world.told(&reports[0]);
    world.scale("ns/a", 1, 0);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.after(s(2)).reports(), []);
}

#[test]
fn rule_15_reports_go_with_the_episode() {
    let mut world = witnessed();
    world.after(s(900)).tick(&[]);
    assert_eq!(world.memory.episodes(), 0);
    assert_eq!(world.reports(), []);
    let entry = world.inventory.entry(&variant("ns/a")).expect("an entry");
    assert!(entry.is_scaled());
}

#[test]
fn rule_15_an_answer_to_a_wake_of_an_episode_that_is_over_is_not_kept() {
    let mut world = world();
    let wake = world.tick(&demand()).plan.wakes.remove(0);
    world.memory.sent(&wake);
    world.after(s(2000)).tick(&[]);
    assert!(matches!(
        world.memory.tracked(&wake.target).map(|t| &t.attempt),
        Some(Attempt::Sent { .. })
    ));
    world.answered(&wake, Ok(()));
    // Told at once, if at all.
    assert_eq!(due(&world.reports()), a(true, true, true));
    world.reported("ns/a", true, true);
    world.after(s(1)).tick(&[]);
    assert_eq!(world.memory.tracked(&wake.target), None);
}
