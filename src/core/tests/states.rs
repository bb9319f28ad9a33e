//! What a variant is, in words: one function of what is observed, what was attempted, the demand and the time.

use std::time::Duration;

use super::world::{MOMENT, World, deployment, hpa, owner, row, s, v, variant};
use crate::core::{
    Blocked, Failure, Gone, OutOfScope, Overdue, Row, Seen, Sign, Signal, State, StuckBy, TakenBy, TargetRef,
};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

fn demand() -> [Row; 1] {
    [row("ns/p/m")]
}

fn after_tick(mut world: World, rows: &[Row]) -> State {
    world.tick(rows);
    world.state("ns/a")
}

fn woken() -> World {
    let mut world = world();
    assert_eq!(world.wake_all(&demand()), ["ns/a"]);
    world.after(MOMENT).tick(&demand());
    world
}

#[test]
fn the_way_of_a_wake() {
    let mut world = world();
    let mut states = Vec::new();
    let mut look = |world: &World| states.push(world.state("ns/a").as_str());
    world.tick(&[]);
    look(&world);
    let ticked = world.tick(&demand());
    look(&world);
    world.send(&ticked.plan);
    look(&world);
    world.answered(&ticked.plan.wakes[0], Ok(()));
    look(&world);
    world.scale("ns/a", 1, 0);
    world.after(MOMENT).tick(&demand());
    look(&world);
    world.after(s(600)).tick(&demand());
    look(&world);
    world.scale("ns/a", 1, 1);
    world.tick(&[]);
    look(&world);
    world.scale("ns/a", 0, 0);
    world.tick(&[]);
    look(&world);
    world.after(s(900)).tick(&[]);
    look(&world);
    let way = "parked asked asked asked starting overdue serving reverted parked";
    assert_eq!(states.join(" "), way);
}

#[test]
fn out_of_scope_comes_before_anything_else() {
    for out in [
        v("ns/a"),
        v("ns/a").starting(),
        v("ns/a").serving(),
        v("ns/a").shared(),
    ] {
        let world = World::new()
            .pool("ns/p", "app=m")
            .with(out.but(|a| a.excluded = true));
        let state = after_tick(world, &demand());
        assert_eq!(state, State::OutOfScope(OutOfScope::VariantExcluded));
        let words = "left alone: the variant has the annotation scale-from-zero/exclude";
        assert_eq!(state.to_string(), words);
    }
}

#[test]
fn blocked_is_what_cannot_be_woken_demand_or_not() {
    let pooled = || World::new().pool("ns/p", "app=m");
    for rows in [&demand()[..], &[]] {
        for (world, why) in [
            (pooled().with(v("ns/a").shared()), Blocked::Target(Gone::Missing)),
            (
                pooled().with(v("ns/a").but(|a| a.target = TargetRef::Unsupported("Job".into()))),
                Blocked::Target(Gone::Unsupported),
            ),
            (
                pooled().with(v("ns/a").edit(|t| t.has_template = false)),
                Blocked::Target(Gone::NoTemplate),
            ),
            (World::new().with(v("ns/a")), Blocked::NoPool),
        ] {
            let state = after_tick(world, rows);
            assert_eq!(state, State::Blocked(why.clone()));
            assert_eq!(state.to_string(), why.to_string());
        }
    }
}

#[test]
fn blocked_is_what_is_held_back_while_requests_wait() {
    let held = |mut world: World, why: &str| {
        world.tick(&demand());
        let state = world.state("ns/a");
        assert!(
            matches!(&state, State::Blocked(blocked) if blocked.as_str() == why),
            "{state:?}"
        );
        // Without requests it is parked, unless it could never be woken.
        world.tick(&[]);
        let parked = world.state("ns/a") == State::Parked;
        assert_eq!(parked, why != "unknown_role", "{why}");
    };
    let mut failed = world();
    failed.wake(&demand(), Err((Failure::Forbidden, None)));
    held(failed, "wake_failed");
    held(world().with(v("ns/a").role("decoder")), "unknown_role");
    held(world().with(v("ns/a").role("prefill")), "incomplete_set");
    let other = v("ns/b").model("n").starting();
    held(world().with(other).rules(|r| r.max_starting = Some(1)), "capped");
}

#[test]
fn asked_is_whose_turn_it_may_be() {
    let both = || world().with(v("ns/b").cost("99"));
    let state = |world: &World, name: &str| world.state(name).as_str();
    let mut world = both();
    world.tick(&demand());
    assert_eq!((state(&world, "ns/a"), state(&world, "ns/b")), ("asked", "asked"));
    assert_eq!(
        world.state("ns/a").to_string(),
        "requests wait, and it is being woken"
    );
    // Once the cheaper starts or serves, the other is parked.
    world.wake_all(&demand());
    world.tick(&demand());
    assert_eq!(
        (state(&world, "ns/a"), state(&world, "ns/b")),
        ("starting", "parked")
    );
    // A dry run has asked, and goes no further.
    let mut dry = both();
    let wake = dry.tick(&demand()).plan.wakes.remove(0);
    dry.memory.only_reported(&wake);
    dry.tick(&[]);
    assert_eq!((state(&dry, "ns/a"), state(&dry, "ns/b")), ("asked", "parked"));
}

#[test]
fn requests_that_wait_are_counted_for_every_name_and_pool() {
    let mut world = world().with(v("ns/a").alias("x")).pool("ns/q", "app=m");
    world.tick(&[row("ns/p/m"), row("ns/q/x"), row("ns/p/zzz")]);
    let joined = crate::core::join(
        &world.inventory,
        &[row("ns/p/m"), row("ns/q/x"), row("ns/p/zzz")],
        &world.rules,
    );
    let held = crate::core::HashMap::default();
    let situation = crate::core::Situation {
        inventory: &world.inventory,
        memory: &world.memory,
        signals: &world.signals,
        demand: &joined.asked,
        held: &held,
        now: world.now,
        rules: &world.rules,
    };
    let name = variant("ns/a");
    let entry = world.inventory.entry(&name).expect("an entry");
    assert_eq!(situation.waiting(&name, entry).to_bits(), 20.0_f64.to_bits());
}

#[test]
fn no_signal_is_told_unless_requests_are_seen_all_the_same() {
    let off = |mut world: World| {
        let seen = Seen {
            namespace: Some("ns".into()),
            pool: Some("p".into()),
            what: Sign::Endpoints,
        };
        world.signals.answered(&[seen], &world.inventory);
        world
    };
    let state = after_tick(off(world()), &[]);
    assert_eq!(state, State::NoSignal(Signal::Off));
    assert!(
        state.to_string().starts_with("demand for it cannot be seen: "),
        "{state}"
    );
    assert!(
        state.to_string().contains("featureGates: [flowControl]"),
        "{state}"
    );
    assert_eq!(after_tick(off(world()), &demand()), State::Asked);
    let up = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    assert_eq!(after_tick(off(up), &[]), State::Serving);
}

#[test]
fn starting_says_for_how_long_where_that_is_known() {
    let mut world = woken();
    assert_eq!(
        world.after(s(90)).state("ns/a"),
        State::Starting(Some(s(90) + MOMENT))
    );
    assert_eq!(world.state("ns/a").to_string(), "starting for 90 s");
    let nobody_asked = World::new().pool("ns/p", "app=m").with(v("ns/a").starting());
    let state = after_tick(nobody_asked, &[]);
    assert_eq!(state, State::Starting(None));
    assert_eq!(state.to_string(), "has replicas, none is ready");
    assert_eq!(State::Serving.to_string(), "one replica or more is ready");
    assert_eq!(
        State::Parked.to_string(),
        "at 0 replicas; no requests wait for it"
    );
}

#[test]
fn overdue_says_what_is_wrong_in_the_clusters_words() {
    let mut world = woken();
    world.stuck("ns/a", StuckBy::ReplicaFailure, "exceeded quota: gpus");
    let refused = world.after(s(11)).state("ns/a");
    assert_eq!(
        refused.to_string(),
        "overdue: its pods are refused: exceeded quota: gpus"
    );
    let mut world = woken();
    world.stuck("ns/a", StuckBy::NotProgressing, "deadline exceeded");
    let now = world.now.mono;
    world.memory.pods_unseen(&deployment("ns/a"), Some(s(300)), now);
    assert_eq!(
        world.state("ns/a").to_string(),
        "overdue: it makes no progress: deadline exceeded"
    );
    let mut world = woken();
    world.pods("ns/a", Some("0/4 nodes are available"));
    let pending = world.after(s(300)).state("ns/a");
    let words = "overdue: its pod cannot be scheduled: 0/4 nodes are available";
    assert_eq!(pending.to_string(), words);
    let late = woken().after(s(600)).state("ns/a");
    assert_eq!(
        late.to_string(),
        "overdue: not ready 600 s after it began to start"
    );
    let surplus = State::Surplus(Overdue::NotReady(s(600))).to_string();
    assert!(
        surplus.contains("another set was woken in its place"),
        "{surplus}"
    );
    assert!(surplus.contains("scale it down by hand"), "{surplus}");
}

#[test]
fn reverted_says_by_whom_and_when_it_is_woken_again() {
    let back = || {
        let mut world = woken().with(hpa("ns/h").on("ns/a").min(0));
        world.scale("ns/a", 0, 0);
        world.tick(&demand());
        world
    };
    let world = back();
    assert_eq!(world.state("ns/a"), State::Reverted(None, s(1)));
    assert!(world.state("ns/a").to_string().contains("being looked up"));
    let mut by_hpa = back();
    by_hpa.attribute(Some(&[]));
    let words = by_hpa.state("ns/a").to_string();
    assert!(words.contains("HorizontalPodAutoscaler ns/h"), "{words}");
    assert!(
        words.ends_with("; woken again in 1 s at the earliest, if requests wait then"),
        "{words}"
    );
    let ready = by_hpa.after(s(1)).state("ns/a");
    assert!(
        ready.to_string().ends_with("; the next request wakes it"),
        "{ready}"
    );
    let mut by_hand = back();
    by_hand.attribute(Some(&[owner("kubectl-edit")]));
    let state = by_hand.state("ns/a");
    assert_eq!(
        state,
        State::Reverted(Some(TakenBy::Person(Some("kubectl-edit".into()))), s(600))
    );
    assert!(
        state
            .to_string()
            .starts_with("scaled back to 0 by a person, by kubectl-edit"),
        "{state}"
    );
}

#[test]
fn every_state_has_a_word_of_its_own() {
    let overdue = || Overdue::NotReady(s(1));
    let all = [
        State::OutOfScope(OutOfScope::Paused),
        State::NoSignal(Signal::Off),
        State::Blocked(Blocked::NoPool),
        State::Parked,
        State::Asked,
        State::Starting(None),
        State::Serving,
        State::Overdue(overdue()),
        State::Surplus(overdue()),
        State::Reverted(None, Duration::ZERO),
    ];
    let words: std::collections::BTreeSet<_> = all.iter().map(State::as_str).collect();
    let texts: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((words.len(), texts.len()), (all.len(), all.len()));
}
