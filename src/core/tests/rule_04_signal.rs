//! Rule 4: whether demand would be seen. Flow control that is off, an EPP that is not scraped, and nobody waiting are
//! three things.

use super::world::{V, World, v};
use crate::core::{
    Seen,
    Sign::{self, Endpoints, FlowControl, OldEndpoints, Other},
    Signal::{self, NotScraped, Off, On, Unknown},
    State,
};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

/// `ns/pool`; `-` for a label that is missing.
fn seen(rows: &[(&str, Sign)]) -> Vec<Seen> {
    let label = |text: &str| (text != "-").then(|| text.into());
    let one = |(place, what): &(&str, Sign)| {
        let (namespace, pool) = place.split_once('/').expect("namespace/pool");
        Seen {
            namespace: label(namespace),
            pool: label(pool),
            what: *what,
        }
    };
    rows.iter().map(one).collect()
}

fn answer(world: &mut World, rows: &[(&str, Sign)]) {
    world.signals.answered(&seen(rows), &world.inventory);
}

fn signal(world: &World, pool: &str) -> Signal {
    let (namespace, pool) = pool.split_once('/').expect("namespace/pool");
    world.signals.of(&namespace.into(), &pool.into())
}

/// The signal of `ns/p` after the first, second and third of the same answers.
fn thrice(world: &World, rows: &[(&str, Sign)]) -> [Signal; 3] {
    let mut world = world.clone();
    std::array::from_fn(|_| {
        answer(&mut world, rows);
        signal(&world, "ns/p")
    })
}

/// The words and reasons of what cannot be seen.
fn silent(world: &World) -> Vec<(String, &'static str)> {
    let held = world.signals.silent().iter().map(|(_, held)| held);
    held.map(|held| {
        let variant = held.variant.as_ref().expect("a variant");
        (variant.to_string(), held.why.as_str())
    })
    .collect()
}

#[test]
fn rule_4_what_is_seen_of_a_pool_says_whether_demand_would_be() {
    let nothing = [Unknown, Unknown, NotScraped];
    for (rows, signals) in [
        // Saturation or a queue: flow control is on, whatever else is seen.
        (&[("ns/p", FlowControl)][..], [On; 3]),
        (&[("ns/p", FlowControl), ("ns/p", Endpoints)], [On; 3]),
        (&[("ns/p", Endpoints), ("ns/p", FlowControl)], [On; 3]),
        (&[("ns/p", OldEndpoints), ("ns/p", FlowControl)], [On; 3]),
        // Only that it has endpoints: off.
        (&[("ns/p", Endpoints)], [Off; 3]),
        (&[("ns/p", OldEndpoints), ("ns/p", Endpoints)], [Off; 3]),
        // Too old to say: never an alert.
        (&[("ns/p", OldEndpoints)], [Unknown; 3]),
        (&[("ns/p", Other)], [Unknown; 3]),
        // Neither, three times.
        (&[], nothing),
        // What others export says nothing of this one.
        (&[("ns/q", FlowControl)], nothing),
        (&[("two/p", FlowControl)], nothing),
        (&[("two/-", Other)], nothing),
        (&[("-/q", FlowControl)], nothing),
    ] {
        assert_eq!(thrice(&world(), rows), signals, "{rows:?}");
    }
}

#[test]
fn rule_4_a_missing_label_matches_any_but_calls_nothing_off_that_may_be_anothers() {
    let alone = world();
    let two = world().pool("two/p", "app=m").with(v("two/a"));
    for (rows, of_one, of_two) in [
        (&[("-/p", FlowControl)][..], On, On),
        (&[("-/p", Endpoints)], Off, Unknown),
        (&[("-/p", OldEndpoints)], Unknown, Unknown),
        // An EPP that names no pool is scraped; whether its flow control is on cannot be told.
        (&[("ns/-", FlowControl)], Unknown, Unknown),
        (&[("ns/-", Other)], Unknown, Unknown),
        (&[("-/-", Other)], Unknown, Unknown),
        // What names the pool in full says more.
        (&[("ns/p", Endpoints), ("-/p", FlowControl)], Off, Off),
        (&[("ns/p", FlowControl), ("-/p", Endpoints)], On, On),
    ] {
        assert_eq!(thrice(&alone, rows), [of_one; 3], "{rows:?}");
        assert_eq!(thrice(&two, rows), [of_two; 3], "{rows:?}, two");
    }
}

#[test]
fn rule_4_only_three_misses_in_a_row_count() {
    let mut world = world();
    let on: &[(&str, Sign)] = &[("ns/p", FlowControl)];
    for (rows, now) in [
        (&[][..], Unknown),
        (&[], Unknown),
        (on, On),
        (&[], Unknown),
        (&[], Unknown),
        (&[], NotScraped),
        (&[], NotScraped),
        // Back: it begins anew.
        (on, On),
        (&[], Unknown),
    ] {
        answer(&mut world, rows);
        assert_eq!(signal(&world, "ns/p"), now);
    }
}

#[test]
fn rule_4_a_healthy_idle_pool_is_silent() {
    let mut world = world();
    world.tick(&[]);
    for _ in 0..5 {
        answer(&mut world, &[("ns/p", FlowControl), ("ns/p", Endpoints)]);
        assert_eq!(silent(&world), []);
        assert_eq!(world.state("ns/a"), State::Parked);
    }
}

#[test]
fn rule_4_what_is_not_known_is_silent_too() {
    let mut world = world();
    assert_eq!(signal(&world, "ns/p"), Unknown, "not asked yet");
    world.tick(&[]);
    assert_eq!(world.state("ns/a"), State::Parked);
    answer(&mut world, &[("ns/p", Endpoints)]);
    assert_eq!(silent(&world).len(), 1);
    world.signals.unknown();
    assert_eq!((signal(&world, "ns/p"), silent(&world)), (Unknown, vec![]));
}

#[test]
fn rule_4_every_inactive_variant_that_cannot_be_seen_is_told_with_its_reason() {
    let behind = |name: &str, app: &str| -> V { v(name).labels(&format!("app={app}")) };
    let mut world = World::new()
        .pool("ns/off", "app=off")
        .pool("ns/on", "app=on")
        .pool("ns/dark", "app=dark")
        .with(behind("ns/b", "off").model("n"))
        .with(behind("ns/a", "off"))
        .with(behind("ns/c", "on"))
        .with(behind("ns/d", "dark"))
        // These are not inactive.
        .with(behind("ns/e", "off").model("e").serving())
        .with(behind("ns/f", "off").model("f").starting())
        // Of a model that is up they are spares.
        .with(behind("ns/h", "off").model("e"))
        .with(behind("ns/i", "off").model("f"))
        .with(behind("ns/g", "off").but(|g| g.excluded = true));
    for _ in 0..3 {
        answer(&mut world, &[("ns/off", Endpoints), ("ns/on", FlowControl)]);
    }
    let told = ["a", "b"].map(|name| (format!("ns/{name}"), "flow_control_off"));
    let dark = [("ns/d".into(), "epp_not_scraped")];
    assert_eq!(silent(&world), [&told[..], &dark[..]].concat());
    let held: Vec<_> = world.signals.silent().iter().map(|(_, held)| held).collect();
    let of = |held: &crate::core::Held| (held.model.clone(), held.pool.clone());
    assert_eq!(of(held[1]), (Some("n".into()), Some("off".into())));
    assert!(held.iter().all(|h| h.why.is_no_signal() && h.waiting < 1.0));
}

#[test]
fn rule_4_a_pool_with_nothing_inactive_is_not_judged() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    for _ in 0..4 {
        answer(&mut world, &[]);
        assert_eq!((signal(&world, "ns/p"), silent(&world)), (Unknown, vec![]));
    }
    // Parked now: its misses count from here.
    world.scale("ns/a", 0, 0);
    assert_eq!(thrice(&world, &[]), [Unknown, Unknown, NotScraped]);
}

#[test]
fn rule_4_one_of_two_pools_that_shows_demand_is_enough() {
    let mut world = world().pool("ns/q", "app=m");
    world.tick(&[]);
    answer(&mut world, &[("ns/p", Endpoints), ("ns/q", FlowControl)]);
    assert_eq!(world.state("ns/a"), State::Parked);
    assert_eq!(silent(&world), [("ns/a".into(), "flow_control_off")]);
    answer(&mut world, &[("ns/p", Endpoints), ("ns/q", Endpoints)]);
    assert_eq!(world.state("ns/a"), State::NoSignal(Off));
}

#[test]
fn rule_4_every_signal_has_a_word() {
    let words = [On, Off, NotScraped, Unknown].map(Signal::as_str);
    assert_eq!(
        words,
        ["on", "flow_control_off", "epp_not_scraped", "signal_unknown"]
    );
    let blocks = [On, Off, NotScraped, Unknown].map(|s| s.blocks().map(|why| why.as_str()));
    assert_eq!(
        blocks,
        [None, Some("flow_control_off"), Some("epp_not_scraped"), None]
    );
}
