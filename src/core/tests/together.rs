//! What rules come to together: aliases and escalation, restarts and holds, reloads and what cannot be read.

use super::world::{MOMENT, World, deployment, hpa, key, owner, row, s, v};
use crate::core::{Change, Failure, Guard, Kind, Row, State, TargetKind};

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// Three variants at 5, 10 and 20, of one model and its alias.
fn three() -> World {
    World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a").cost("5").alias("x"))
        .with(v("ns/b").cost("10").alias("x"))
        .with(v("ns/c").cost("20").alias("x"))
}

#[test]
fn rule_11_a_model_and_its_alias_escalate_once_together() {
    let both = [row("ns/p/m"), row("ns/p/x")];
    for rows in [&both[..], &both[..1]] {
        let mut world = three();
        assert_eq!(world.wake_all(rows), ["ns/a"]);
        world.tick(rows);
        assert_eq!(world.after(s(600)).wake_all(rows), ["ns/b"]);
        world.tick(rows);
        // The alias may be asked for only now.
        assert_eq!(world.after(s(600)).wake_all(&both), [""; 0]);
        assert_eq!(world.after(s(600)).wake_all(&both), [""; 0]);
    }
}

#[test]
fn rule_15_what_was_given_up_is_not_waited_for_after_a_restart() {
    let mut world = three().with(hpa("ns/b").min(0));
    world.wake_all(&demand());
    for report in world.reports() {
        world.told(&report);
    }
    world.tick(&demand());
    assert_eq!(world.after(s(600)).wake_all(&demand()), ["ns/b"]);
    for report in world.reports() {
        world.told(&report);
    }
    world.after(MOMENT).tick(&demand());
    world.restart();
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.state("ns/a").as_str(), "surplus");
    // The second is taken back: it is woken again, and the third is not.
    world.scale("ns/b", 0, 0);
    world.after(MOMENT).tick(&demand());
    world.attribute(Some(&[]));
    assert_eq!(world.after(s(2)).wake_all(&demand()), ["ns/b"]);
}

#[test]
fn rule_11_a_look_at_pods_that_fails_is_a_break() {
    let mut world = three();
    world.wake_all(&demand());
    world.after(MOMENT).tick(&demand());
    world.after(s(10)).pods("ns/a", Some("no GPU"));
    world.after(s(10));
    let now = world.now.mono;
    world.memory.pods_unseen(&deployment("ns/a"), None, now);
    assert_eq!(world.after(s(300)).tick(&demand()).wakes(), [""; 0]);
    // And it is looked again soon, one look at a time.
    let now = world.now.mono;
    assert_eq!(world.memory.pods_due(now, &world.rules), [deployment("ns/a")]);
    assert_eq!(world.memory.pods_due(now + s(60), &world.rules), []);
}

#[test]
fn rule_12_what_cannot_be_read_for_a_while_is_not_forgotten() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a"));
    world.wake_all(&demand());
    world.after(MOMENT).tick(&demand());
    world.scale("ns/a", 0, 0);
    world.after(MOMENT).tick(&demand());
    world.attribute(Some(&[owner("kubectl-edit")]));
    assert_eq!(world.after(s(5)).tick(&demand()).why(), ["manual"]);
    let before = world.inventory.clone();
    let kinds = [Kind::Target(TargetKind::Deployment), Kind::Variant];
    for kind in kinds {
        // A reload while the kind cannot be listed.
        match kind {
            Kind::Variant => world.inventory.apply(Change::Variant(v("ns/a").name.name, None)),
            _ => world.inventory.apply(Change::Target(deployment("ns/a"), None)),
        }
        world.inventory.apply(Change::Readable(kind, None, false));
        assert_eq!(world.after(MOMENT).tick(&demand()).wakes(), [""; 0]);
        world.inventory = before.clone();
        assert_eq!(world.after(MOMENT).tick(&demand()).why(), ["manual"]);
    }
}

#[test]
fn rule_13_one_that_is_refused_again_and_again_gives_way() {
    for (why, woken) in [(Failure::Forbidden, "ns/b"), (Failure::Unavailable, "ns/a")] {
        let mut world = three();
        for _ in 0..3 {
            assert_eq!(world.wake(&demand(), Err((why, None))).target, deployment("ns/a"));
            world.after(s(10));
        }
        let ticked = world.tick(&demand());
        assert_eq!(ticked.wakes(), [woken], "{why:?}");
        assert_eq!(ticked.why().contains(&"wake_failed"), woken == "ns/b", "{why:?}");
    }
    // Alone, it is tried for ever.
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a"));
    for _ in 0..6 {
        world.wake(&demand(), Err((Failure::Forbidden, None)));
        world.after(s(100));
    }
}

#[test]
fn rule_17_a_guard_of_another_copy_has_time_for_its_scale() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a"))
        .with(hpa("ns/a").min(0))
        .rules(|r| r.guard = true);
    world.wake_all(&demand());
    world.after(MOMENT).tick(&demand());
    world.scale("ns/a", 0, 0);
    world.after(MOMENT).tick(&demand());
    world.attribute(Some(&[]));
    let until = world.now.wall + s(900);
    world.edit_scaler("HorizontalPodAutoscaler ns/a", |hpa| {
        hpa.min_replicas = 1;
        hpa.guard = Some(Guard {
            before: Some("0".into()),
            ours: "1".into(),
            until,
            model: key("ns/p/m"),
        });
    });
    for wait in [s(0), s(1), s(5)] {
        world.after(wait).tick(&[]);
        assert_eq!(world.guards(), []);
    }
    world.after(s(1)).tick(&[]);
    world.guards();
    world.after(MOMENT).tick(&[]);
    assert_eq!(world.guards().len(), 1, "nobody has scaled it");
}

#[test]
fn a_dearer_variant_says_that_requests_wait_for_another() {
    let mut world = three();
    world.wake_all(&demand());
    world.after(MOMENT).tick(&demand());
    assert_eq!(world.state("ns/b"), State::Spare);
    assert_eq!(world.state("ns/b").as_str(), "parked");
    assert!(world.state("ns/b").to_string().contains("requests wait"));
    world.after(MOMENT).tick(&[]);
    assert_eq!(world.state("ns/b"), State::Parked);
}
