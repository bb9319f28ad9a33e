//! Rule 12: who took a wake back, and what follows from it.

use std::time::Duration;

use super::world::{MOMENT, S, World, deployment, hpa, just_before, owner, row, s, scaled_object, scaler, v};
use crate::core::{
    Attempt, Attribution, Blocked, Change, Kind, Moved, Notice, Owner, Row, ScalerKind, State, TakenBy,
    Waker, Wall,
};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

/// Woken by us, and back at 0 after a minute; who did it is not looked up yet.
fn taken_back(mut world: World) -> World {
    assert_eq!(world.wake_all(&demand()), ["ns/a"]);
    world.after(MOMENT).tick(&demand());
    world.scale("ns/a", 0, 0);
    let moved = world.after(s(60)).tick(&demand()).moved();
    assert_eq!(moved, [Moved::TakenBack]);
    world
}

/// The same, and what looking it up has told.
fn told(world: World, owners: Option<&[Owner]>) -> (World, TakenBy) {
    let mut world = taken_back(world);
    let notices = world.attribute(owners);
    let [Notice::TakenBack { by, target, key, .. }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(
        (target, key.as_ref()),
        (&deployment("ns/a"), Some(&super::world::key("ns/p/m")))
    );
    let by = by.clone();
    (world, by)
}

fn person(tool: &str) -> TakenBy {
    TakenBy::Person((!tool.is_empty()).then(|| tool.into()))
}

fn autoscalers(keys: &[&str]) -> TakenBy {
    TakenBy::Autoscaler(keys.iter().map(|key| scaler(key)).collect())
}

#[test]
fn rule_12_when_it_is_taken_back_and_when_it_is_parking() {
    use Moved::TakenBack;
    // Ready for so long, `None` never; and how long after the start it is back at 0.
    for (ready, moved) in [
        (None, &[TakenBack][..]),
        (Some(s(0)), &[TakenBack]),
        (Some(s(60)), &[TakenBack]),
        (Some(just_before(s(120))), &[TakenBack]),
        (Some(s(120)), &[]),
        (Some(s(500)), &[]),
    ] {
        for rows in [&demand()[..], &[]] {
            let mut world = world();
            world.wake_all(&demand());
            world.after(MOMENT).tick(&demand());
            // Unknown demand does not let the episode end meanwhile.
            if let Some(served) = ready {
                world.scale("ns/a", 1, 1);
                world.after(s(10)).tick(&demand());
                world.after(served).answer(&crate::core::Answer::Unknown);
            }
            world.scale("ns/a", 0, 0);
            let ticked = world.tick(rows);
            assert_eq!(ticked.moved(), moved, "{ready:?} {rows:?}");
            // After parking the next demand is a fresh wake.
            let fresh = !rows.is_empty() && moved.is_empty();
            assert_eq!(ticked.wakes().len(), usize::from(fresh), "{ready:?} {rows:?}");
        }
    }
}

#[test]
fn rule_12_who_it_was() {
    let none: &[S] = &[];
    let scales_in = &[hpa("ns/h").on("ns/a").min(0)][..];
    let keda = &[
        scaled_object("ns/k").on("ns/a"),
        hpa("ns/keda-hpa-k").on("ns/a").min(1).child(),
    ][..];
    let elsewhere = &[hpa("ns/h").on("ns/b").min(0), scaled_object("two/k").on("two/a")][..];
    let tool = &[owner("kubectl-edit")][..];
    let gitops = &[owner("argocd-controller")][..];
    let h = || autoscalers(&["HorizontalPodAutoscaler ns/h"]);
    for (owners, scalers, by) in [
        // The object still says so.
        (Some(tool), none, person("kubectl-edit")),
        (Some(tool), scales_in, person("kubectl-edit")),
        (Some(gitops), none, TakenBy::Writer("argocd-controller".into())),
        (Some(gitops), keda, TakenBy::Writer("argocd-controller".into())),
        // Through /scale, which keeps no name at zero: what is on the target are the candidates.
        (Some(&[]), scales_in, h()),
        (Some(&[]), keda, autoscalers(&["ScaledObject ns/k"])),
        (None, scales_in, h()),
        // Nothing that scales it by itself is known: a person, by `kubectl scale`.
        (Some(&[]), none, person("")),
        (Some(&[]), elsewhere, person("")),
        // Nothing is known at all.
        (None, none, TakenBy::Unknown),
    ] {
        let world = scalers.iter().cloned().fold(world(), World::with);
        assert_eq!(told(world, owners).1, by, "{owners:?} {by}");
    }
}

#[test]
fn rule_12_without_the_right_to_read_what_scales_it_is_not_taken_for_a_person() {
    for kind in ScalerKind::ALL {
        for within in [None, Some("ns".into())] {
            let mut world = world();
            let change = Change::Readable(Kind::Scaler(kind), within, false);
            world.inventory.apply(change);
            assert_eq!(told(world, Some(&[])).1, TakenBy::Unknown, "{kind:?}");
        }
        let mut world = world();
        let elsewhere = Change::Readable(Kind::Scaler(kind), Some("two".into()), false);
        world.inventory.apply(elsewhere);
        assert_eq!(told(world, Some(&[])).1, person(""));
    }
}

#[test]
fn rule_12_persons_tools_and_others() {
    for tool in [
        "kubectl",
        "kubectl-edit",
        "kubectl-patch",
        "kubectl-client-side-apply",
        "kubectl.exe",
        "oc",
        "oc-edit",
    ] {
        assert_eq!(told(world(), Some(&[owner(tool)])).1, person(tool));
    }
    for writer in [
        "argocd-controller",
        "helm",
        "kustomize-controller",
        "octopus",
        "my-kubectl",
        "manager",
    ] {
        let (_, by) = told(world(), Some(&[owner(writer)]));
        assert_eq!(by, TakenBy::Writer(writer.into()));
    }
}

#[test]
fn rule_12_the_last_writer_is_named_and_the_last_to_scale_comes_first() {
    let at = |manager: &str, time: &str| Owner {
        time: Some(time.parse().expect("a time")),
        ..owner(manager)
    };
    let owners = [
        at("kubectl-edit", "2026-03-01T11:00:00Z"),
        at("helm", "2026-03-01T12:00:00Z"),
        at("kubectl-patch", "2026-03-01T10:00:00Z"),
        owner("of old"),
    ];
    assert_eq!(told(world(), Some(&owners)).1, TakenBy::Writer("helm".into()));
    let then = |time: &str| -> Wall { time.parse().expect("a time") };
    let world = world()
        .with(hpa("ns/1").on("ns/a").min(0))
        .with(
            hpa("ns/2")
                .on("ns/a")
                .min(0)
                .scaled_at(then("2026-03-01T11:59:00Z")),
        )
        .with(
            hpa("ns/3")
                .on("ns/a")
                .min(0)
                .scaled_at(then("2026-03-01T12:00:30Z")),
        );
    let (world, by) = told(world, Some(&[]));
    let keys = ["3", "2", "1"].map(|name| format!("HorizontalPodAutoscaler ns/{name}"));
    assert_eq!(by, autoscalers(&keys.each_ref().map(String::as_str)));
    let words = world.state("ns/a").to_string();
    assert!(words.contains("keeps no name at zero"), "{words}");
    assert!(words.contains(&keys.join(", ")), "{words}");
}

/// Nothing is woken before `wait` after it was taken back, for this reason; then it is.
fn held_for(mut world: World, wait: Duration, reason: &str) {
    for passed in [Duration::ZERO, just_before(wait)] {
        let mut world = world.clone();
        let held = world.after(passed).tick(&demand());
        assert_eq!((held.wakes(), held.why()), (vec![], vec![reason]), "{passed:?}");
    }
    assert_eq!(world.after(wait).tick(&demand()).wakes(), ["ns/a"], "{wait:?}");
}

#[test]
fn rule_12_a_person_is_not_fought_and_others_are_with_backoff() {
    for (owners, wait, reason) in [
        (Some(&[owner("kubectl-edit")][..]), s(600), "manual"),
        (Some(&[owner("oc")]), s(600), "manual"),
        (Some(&[]), s(600), "manual"),
        (Some(&[owner("argocd-controller")]), s(1), "taken_back"),
    ] {
        held_for(told(world(), owners).0, wait, reason);
    }
    let hpa = || world().with(hpa("ns/h").on("ns/a").min(0));
    held_for(told(hpa(), Some(&[])).0, s(1), "taken_back");
    held_for(told(world(), None).0, s(1), "taken_back");
    // A person all the same, whatever else scales it.
    held_for(told(hpa(), Some(&[owner("kubectl")])).0, s(600), "manual");
}

#[test]
fn rule_12_the_hold_is_configuration_and_never_shorter_than_the_backoff() {
    for (hold, wait) in [(s(0), s(1)), (s(30), s(30)), (s(3600), s(3600))] {
        let world = world().rules(|r| r.manual_hold = hold);
        held_for(told(world, Some(&[])).0, wait, "manual");
    }
}

#[test]
fn rule_12_the_hold_is_told_with_its_end() {
    let mut world = taken_back(world());
    let notices = world.after(s(4)).attribute(Some(&[owner("kubectl-edit")]));
    let [Notice::TakenBack { again_in, .. }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(*again_in, s(596), "from when it was taken back");
    assert_eq!(
        world.state("ns/a"),
        State::Reverted(Some(person("kubectl-edit")), s(596))
    );
    assert_eq!(world.why("ns/p/m"), [Blocked::Manual(person("kubectl-edit"))]);
}

#[test]
fn rule_12_a_held_one_that_is_scaled_up_by_hand_goes_on() {
    let (mut world, _) = told(world(), Some(&[]));
    world.after(s(60));
    world.scale("ns/a", 1, 0);
    let up = world.tick(&demand());
    assert_eq!((up.moved(), up.why()), (vec![Moved::Up(Waker::Other)], vec![]));
    assert!(matches!(world.state("ns/a"), State::Starting(_)));
    // What takes that back is looked up afresh.
    world.scale("ns/a", 0, 0);
    assert_eq!(world.after(s(5)).tick(&demand()).moved(), [Moved::TakenBack]);
    assert_eq!(world.attribute(Some(&[owner("helm")])).len(), 1);
    held_for(world, s(2), "taken_back");
}

#[test]
fn rule_12_a_hold_outlasts_the_episode() {
    let (mut world, _) = told(world().rules(|r| r.manual_hold = s(7200)), Some(&[]));
    // Nobody asks any more, and the time for it would be over.
    world.after(s(900)).tick(&[]);
    assert_eq!(world.memory.episodes(), 1);
    assert_eq!(world.after(s(6200)).tick(&demand()).why(), ["manual"]);
    assert_eq!(world.after(s(100)).tick(&demand()).wakes(), ["ns/a"]);
}

#[test]
fn rule_12_nothing_is_woken_before_it_is_known_who_it_was_but_not_for_ever() {
    for asked in [false, true] {
        let mut world = taken_back(world());
        if asked {
            assert_eq!(world.memory.attributions_due(), [deployment("ns/a")]);
            assert_eq!(world.memory.attributions_due(), [], "one look");
        }
        assert_eq!(world.state("ns/a"), State::Reverted(None, s(1)));
        held_for(world, s(10), "taken_back");
    }
    // An answer that comes late still tells.
    let mut world = taken_back(world());
    let late = world.after(s(9)).attribute(Some(&[]));
    assert_eq!(late.len(), 1);
    held_for(world, s(591), "manual");
}

#[test]
fn rule_12_an_answer_for_what_is_up_again_is_no_news() {
    let mut world = taken_back(world());
    assert_eq!(world.memory.attributions_due().len(), 1);
    world.scale("ns/a", 1, 0);
    world.tick(&demand());
    let target = deployment("ns/a");
    let told = world
        .memory
        .attributed(&target, Some(&[]), &world.inventory, world.now.mono, &world.rules);
    assert_eq!(told, None);
}

#[test]
fn rule_12_a_second_answer_changes_nothing() {
    let (mut world, by) = told(world(), Some(&[owner("helm")]));
    let target = deployment("ns/a");
    let again = world.memory.attributed(
        &target,
        Some(&[owner("kubectl")]),
        &world.inventory,
        world.now.mono,
        &world.rules,
    );
    assert_eq!(again, None);
    let attempt = &world.memory.tracked(&target).expect("tracked").attempt;
    assert!(matches!(attempt, Attempt::TakenBack { by: Attribution::Known(known), .. } if *known == by));
}

#[test]
fn rule_12_backoff_grows_with_each_wake_that_is_taken_back_and_a_serving_spell_resets_it() {
    let mut world = world().with(hpa("ns/h").on("ns/a").min(0));
    for (served, wait) in [
        (None, 1),
        (None, 2),
        (Some(s(119)), 4),
        (None, 8),
        (Some(s(120)), 1),
        (None, 2),
    ] {
        assert_eq!(world.wake_all(&demand()), ["ns/a"], "{wait}");
        world.after(MOMENT).tick(&demand());
        if let Some(served) = served {
            world.scale("ns/a", 1, 1);
            world.tick(&demand());
            world.after(served).tick(&demand());
            if served >= s(120) {
                // Parked, and woken afresh.
                world.scale("ns/a", 0, 0);
                assert_eq!(world.wake_all(&demand()), ["ns/a"]);
                world.after(MOMENT).tick(&demand());
            }
        }
        world.scale("ns/a", 0, 0);
        assert_eq!(world.tick(&demand()).moved(), [Moved::TakenBack]);
        world.attribute(Some(&[]));
        held_for(world.clone(), s(wait), "taken_back");
        world.after(s(wait));
    }
}

#[test]
fn rule_12_one_that_is_held_does_not_hold_another() {
    let mut world = told(world(), Some(&[]))
        .0
        .with(v("ns/n").model("n").labels("app=n"));
    world = world.pool("ns/q", "app=n");
    let ticked = world.tick(&[row("ns/p/m"), row("ns/q/n")]);
    assert_eq!(
        (ticked.wakes(), ticked.why()),
        (vec!["ns/n".into()], vec!["manual"])
    );
}
