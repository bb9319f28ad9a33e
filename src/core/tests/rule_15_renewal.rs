//! The status of a woken variant stands: it is renewed if something removes it while the target starts, and left to
//! WVA once it serves (design, section 5).

use super::world::{MOMENT, World, just_before, row, s, v};
use crate::core::{Mark, Report, Row};

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// Woken, told, and starting.
fn told() -> World {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a"));
    world.wake_all(&demand());
    let report = world.reports().remove(0);
    world.told(&report);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.reports(), []);
    world
}

/// WVA, or a person, says 0 again.
fn undo(world: &mut World) {
    world.status("ns/a", |status| {
        status.desired.as_mut().expect("a status").replicas = 0;
    });
}

/// The status alone, without Events, and asking for 1.
fn is_renewal(report: &Report) -> bool {
    let status = matches!(&report.mark, Some(Mark::Status(update)) if update.replicas == 1);
    status && !report.events && report.told.is_none()
}

#[test]
fn rule_15_a_status_that_is_undone_while_starting_is_renewed_with_growing_waits() {
    let mut world = told();
    for wait in [1, 2, 4, 8, 16] {
        undo(&mut world);
        assert_eq!(world.reports(), [], "not at once");
        assert_eq!(world.after(just_before(s(wait))).reports(), [], "{wait}");
        let reports = world.after(MOMENT).reports();
        assert!(
            reports.len() == 1 && is_renewal(&reports[0]),
            "{wait}: {reports:?}"
        );
        assert_eq!(world.after(s(10)).reports(), [], "under way");
        world.told(&reports[0]);
        assert_eq!(world.after(s(100)).reports(), [], "it stands");
    }
}

#[test]
fn rule_15_a_status_that_is_removed_is_renewed_too() {
    let mut world = told();
    world.status("ns/a", |status| *status = crate::core::VariantStatus::default());
    world.reports();
    let reports = world.after(s(1)).reports();
    assert!(reports.len() == 1 && is_renewal(&reports[0]), "{reports:?}");
}

#[test]
fn rule_15_a_renewal_that_fails_is_tried_again_with_growing_waits() {
    let mut world = told();
    undo(&mut world);
    world.reports();
    for wait in [1, 2, 4] {
        assert_eq!(world.after(just_before(s(wait))).reports(), [], "{wait}");
        assert_eq!(world.after(MOMENT).reports().len(), 1, "{wait}");
        world.reported("ns/a", true, false);
    }
}

#[test]
fn rule_15_once_it_serves_the_status_is_wvas() {
    // Undone after it was ready.
    let mut world = told();
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    undo(&mut world);
    for _ in 0..10 {
        assert_eq!(world.after(s(10)).reports(), []);
    }
    // Undone before, and ready before the renewal was due.
    let mut world = told();
    undo(&mut world);
    assert_eq!(world.reports(), []);
    world.scale("ns/a", 1, 1);
    world.tick(&demand());
    for _ in 0..10 {
        assert_eq!(world.after(s(10)).reports(), []);
    }
    // Nor at 0.
    let mut world = told();
    undo(&mut world);
    world.reports();
    world.scale("ns/a", 0, 0);
    world.tick(&demand());
    assert_eq!(world.after(s(10)).reports(), []);
}

#[test]
fn rule_15_a_watch_that_shows_the_status_late_makes_no_second_write() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").asks(0));
    world.wake_all(&demand());
    let report = world.reports().remove(0);
    // Written, and not seen yet.
    world.reported("ns/a", true, true);
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.reports(), []);
    let Some(Mark::Status(update)) = report.mark else {
        panic!("{report:?}");
    };
    world.status("ns/a", |status| *status = super::world::written(update));
    for _ in 0..30 {
        assert_eq!(world.after(MOMENT).reports(), []);
    }
}

#[test]
fn rule_15_a_status_that_another_has_renewed_is_left() {
    let mut world = told();
    undo(&mut world);
    world.reports();
    let now = world.now.wall;
    world.status("ns/a", |status| {
        let desired = status.desired.as_mut().expect("a status");
        (desired.replicas, desired.last_run) = (2, Some(now));
    });
    assert_eq!(world.after(s(10)).reports(), []);
}

#[test]
fn rule_15_the_next_copy_looks_after_the_status_as_well() {
    let mut world = told();
    assert_eq!(world.restart(), 1);
    world.tick(&demand());
    assert_eq!(world.after(s(5)).reports(), []);
    undo(&mut world);
    world.reports();
    let reports = world.after(s(1)).reports();
    assert!(reports.len() == 1 && is_renewal(&reports[0]), "{reports:?}");
}

#[test]
fn rule_15_nothing_is_renewed_where_it_is_turned_off_or_the_episode_is_over() {
    let mut off = told();
    off.rules.status = false;
    undo(&mut off);
    off.reports();
    assert_eq!(off.after(s(10)).reports(), []);
    let mut over = told();
    over.after(s(900)).tick(&[]);
    assert_eq!(over.memory.episodes(), 0);
    undo(&mut over);
    over.reports();
    assert_eq!(over.after(s(10)).reports(), []);
}

#[test]
fn rule_15_what_has_no_status_has_none_to_renew() {
    for text in ["ScaledObject ns/a", "HorizontalPodAutoscaler ns/a"] {
        let mut world = World::new().pool("ns/p", "app=m").with(v(text));
        world.wake_all(&demand());
        let report = world.reports().remove(0);
        assert_eq!(report.mark, Some(Mark::Annotation));
        assert!(report.events);
        world.told(&report);
        for _ in 0..5 {
            world.after(s(10)).tick(&demand());
            assert_eq!(world.reports(), [], "{text}");
        }
    }
}
