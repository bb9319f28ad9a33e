//! Rule 19: how much may be starting at once.

use super::world::{MOMENT, World, name, row, s, v, waiting};
use crate::core::{Failure, Row, Select};

/// Models `m`, `n` and `o` in one namespace, `m` and `n` in another; each variant is named as its model.
fn world(all: Option<usize>, per_namespace: Option<usize>) -> World {
    let world = World::new().pool("ns/p", "app=m").pool("two/p", "app=m");
    ["ns/m", "ns/n", "ns/o", "two/m", "two/n"]
        .into_iter()
        .fold(world, |world, text| world.with(v(text).model(&name(text).name)))
        .rules(|r| (r.max_starting, r.max_starting_per_namespace) = (all, per_namespace))
}

fn demand() -> Vec<Row> {
    vec![
        waiting("ns/p/m", 5.0),
        waiting("ns/p/n", 50.0),
        waiting("ns/p/o", 20.0),
        waiting("two/p/m", 7.0),
        waiting("two/p/n", 1.0),
    ]
}

#[test]
fn rule_19_the_largest_queues_go_first_within_the_caps() {
    for (all, per_namespace, woken) in [
        (None, None, "ns/n ns/o two/m ns/m two/n"),
        (Some(1), None, "ns/n"),
        (Some(2), None, "ns/n ns/o"),
        (Some(4), None, "ns/n ns/o two/m ns/m"),
        (Some(9), None, "ns/n ns/o two/m ns/m two/n"),
        (None, Some(1), "ns/n two/m"),
        (None, Some(2), "ns/n ns/o two/m two/n"),
        (Some(3), Some(2), "ns/n ns/o two/m"),
        (Some(2), Some(1), "ns/n two/m"),
        (Some(1), Some(2), "ns/n"),
    ] {
        let ticked = world(all, per_namespace).tick(&demand());
        assert_eq!(ticked.wakes().join(" "), woken, "{all:?} {per_namespace:?}");
        let held = &ticked.plan.blocked;
        assert_eq!(held.len() + ticked.wakes().len(), 5);
        for held in held {
            assert_eq!(held.why.as_str(), "capped");
            let queue = demand()
                .into_iter()
                .find(|row| row.model == held.model && row.namespace == held.namespace);
            assert_eq!(Some(held.waiting), queue.map(|row| row.waiting));
            let variant = held.variant.as_ref().expect("a variant");
            assert_eq!(Some(&*variant.name.name), held.model.as_deref());
        }
    }
}

/// Whether something may start beside what `change` makes of the world, under a cap of one.
fn free_beside(change: impl FnOnce(&mut World)) -> bool {
    let mut world = world(Some(1), None);
    change(&mut world);
    let ticked = world.tick(&[row("ns/p/n")]);
    assert_eq!(ticked.wakes().is_empty(), ticked.why() == ["capped"]);
    !ticked.wakes().is_empty()
}

#[test]
fn rule_19_what_counts_as_starting() {
    let send = |world: &mut World| world.tick(&[row("ns/p/m")]).plan.wakes.remove(0);
    assert!(free_beside(|_| {}));
    // Started by whomever, demand or not.
    assert!(!free_beside(|world| world.scale("ns/m", 1, 0)));
    assert!(!free_beside(|world| world.scale("two/n", 3, 0)));
    // Under way, before the watch shows it.
    assert!(!free_beside(|world| {
        let wake = send(world);
        world.memory.sent(&wake);
    }));
    assert!(!free_beside(|world| {
        let wake = send(world);
        world.memory.sent(&wake);
        world.answered(&wake, Ok(()));
    }));
    assert!(!free_beside(|world| {
        let wake = send(world);
        world.memory.only_reported(&wake);
    }));
    // Failed: it is not.
    assert!(free_beside(|world| {
        let wake = send(world);
        world.memory.sent(&wake);
        world.answered(&wake, Err((Failure::Forbidden, None)));
    }));
    // Ready, or back at 0.
    assert!(free_beside(|world| world.scale("ns/m", 1, 1)));
    assert!(free_beside(|world| {
        world.scale("ns/m", 1, 0);
        world.tick(&[row("ns/p/m")]);
        world.scale("ns/m", 0, 0);
    }));
    // Not ours.
    assert!(free_beside(|world| {
        world.put(v("ns/x").starting().but(|x| x.excluded = true));
    }));
    // Two variants on one target are one that starts.
    let mut shared = world(Some(2), None).with(v("ns/twin").model("m").target("m").shared());
    shared.scale("ns/m", 1, 0);
    assert_eq!(shared.tick(&[row("ns/p/n")]).wakes(), ["ns/n"]);
}

#[test]
fn rule_19_what_was_held_back_goes_when_there_is_room() {
    let mut world = world(Some(1), None);
    let mut order = Vec::new();
    for _ in 0..5 {
        let woken = world.wake_all(&demand());
        assert_eq!(woken.len(), 1);
        assert_eq!(world.after(s(30)).wake_all(&demand()), [""; 0]);
        world.scale(&woken[0], 1, 1);
        order.extend(woken);
    }
    assert_eq!(order.join(" "), "ns/n ns/o two/m ns/m two/n");
}

#[test]
fn rule_19_what_is_overdue_makes_room() {
    let mut world = world(Some(1), None);
    assert_eq!(world.wake_all(&[row("ns/p/m")]), ["ns/m"]);
    world.tick(&[row("ns/p/m")]);
    let both = [row("ns/p/m"), row("ns/p/n")];
    let early = world.after(s(599)).tick(&both);
    assert_eq!((early.wakes(), early.why()), (vec![], vec!["capped"]));
    let late = world.after(s(1)).tick(&both);
    assert_eq!((late.wakes(), late.why()), (vec!["ns/n".into()], vec!["overdue"]));
    assert_eq!(world.state("ns/m").as_str(), "overdue");
}

#[test]
fn rule_19_a_set_under_a_cap_of_one_begins_with_its_decode() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/z").role("decode"))
        .with(v("ns/a").role("prefill"))
        .rules(|r| r.max_starting = Some(1));
    let demand = [row("ns/p/m")];
    let ticked = world.tick(&demand);
    assert_eq!(
        (ticked.wakes(), ticked.why()),
        (vec!["ns/z".into()], vec!["capped"])
    );
    assert_eq!(
        ticked.plan.blocked[0].variant,
        Some(super::world::variant("ns/a"))
    );
    assert_eq!(world.wake_all(&demand), ["ns/z"]);
    assert_eq!(world.after(MOMENT).tick(&demand).why(), ["capped"]);
    world.scale("ns/z", 1, 1);
    assert_eq!(world.after(MOMENT).wake_all(&demand), ["ns/a"]);
}

#[test]
fn rule_19_select_all_is_capped_as_well() {
    let mut world = World::new()
        .pool("ns/p", "app=m")
        .with(v("ns/a"))
        .with(v("ns/b"))
        .with(v("ns/c"))
        .rules(|r| (r.select, r.max_starting) = (Select::All, Some(2)));
    assert_eq!(world.wake_all(&[row("ns/p/m")]), ["ns/a", "ns/b"]);
    assert_eq!(world.state("ns/c").as_str(), "blocked");
}

#[test]
fn rule_19_what_is_up_already_is_not_held_back_by_a_cap() {
    let mut world = world(Some(1), None);
    world.scale("ns/m", 1, 0);
    world.scale("ns/n", 1, 1);
    let ticked = world.tick(&[row("ns/p/m"), row("ns/p/n")]);
    assert_eq!((ticked.wakes(), ticked.why()), (vec![], vec![]));
}
