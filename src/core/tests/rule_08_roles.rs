//! Rules 8 and 9 for disaggregated serving: roles, serving sets, what completes them.

use super::world::{World, row, s, v};
use crate::core::{Blocked, Failure, Select};

/// `a decode 5, b prefill 7 serving`: name, role (`-` for no label), cost and how it stands; parked where nothing is said.
fn world(text: &str) -> World {
    let variants = text.split(", ").filter(|one| !one.is_empty());
    variants.fold(World::new().pool("ns/p", "app=m"), |world, one| {
        let words: Vec<_> = one.split(' ').collect();
        let [name, role, cost, ..] = words[..] else {
            panic!("not name role cost: {one}");
        };
        let mut variant = v(&format!("ns/{name}")).cost(cost);
        if role != "-" {
            variant = variant.role(role);
        }
        let variant = match words.get(3).copied() {
            None => variant,
            Some("starting") => variant.starting(),
            Some("serving") => variant.serving(),
            Some(other) => panic!("{other}"),
        };
        world.with(variant)
    })
}

/// What is woken, by name without the namespace, and the reasons of what is blocked.
fn decided(world: &World) -> (Vec<String>, Vec<&'static str>) {
    let ticked = world.clone().tick(&[row("ns/p/m")]);
    let names = ticked.wakes().into_iter();
    let names = names.map(|name| name.strip_prefix("ns/").expect("ns").to_owned());
    (names.collect(), ticked.why())
}

fn wakes(text: &str) -> String {
    let (wakes, why) = decided(&world(text));
    [wakes, why.into_iter().map(|w| format!("!{w}")).collect()]
        .concat()
        .join(" ")
}

#[test]
fn rule_8_every_role_by_itself() {
    for (role, decided) in [
        ("-", "a"),
        ("both", "a"),
        ("prefill-decode", "a"),
        ("encode-prefill-decode", "a"),
        // Where no prefill exists.
        ("decode", "a"),
        ("prefill", "!incomplete_set"),
        ("encode-prefill", "!incomplete_set"),
        ("encode", "!incomplete_set"),
        ("Decode", "!unknown_role"),
        ("decoder", "!unknown_role"),
        ("prefill_decode", "!unknown_role"),
        ("encode-decode", "!unknown_role"),
    ] {
        assert_eq!(wakes(&format!("a {role} 5")), decided, "{role}");
    }
}

#[test]
fn rule_8_every_two_roles() {
    let whole = ["-", "both", "prefill-decode", "encode-prefill-decode"];
    for prefill in ["prefill", "encode-prefill"] {
        assert_eq!(wakes(&format!("a decode 5, b {prefill} 7")), "a b", "{prefill}");
        assert_eq!(wakes(&format!("a {prefill} 5, b encode 7")), "!incomplete_set");
        assert_eq!(wakes(&format!("a {prefill} 5, b {prefill} 7")), "!incomplete_set");
        for one in whole {
            // A prefill is no set, however cheap.
            assert_eq!(wakes(&format!("a {prefill} 1, b {one} 7")), "b");
        }
    }
    for one in whole {
        for two in whole {
            assert_eq!(wakes(&format!("a {one} 5, b {two} 7")), "a");
        }
        assert_eq!(wakes(&format!("a encode 1, b {one} 7")), "b");
        // A decode alone where no prefill exists.
        assert_eq!(wakes(&format!("a decode 5, b {one} 7")), "a");
        assert_eq!(wakes(&format!("a decode 9, b {one} 7")), "b");
        assert_eq!(wakes(&format!("a what 1, b {one} 7")), "b");
    }
    assert_eq!(wakes("a decode 5, b encode 7"), "a");
    assert_eq!(wakes("a decode 5, b decode 4"), "b");
    assert_eq!(wakes("a what 1, b encode 7"), "!unknown_role !incomplete_set");
}

#[test]
fn rule_8_sets_are_compared_by_what_they_cost_together() {
    for (whole, woken) in [("10.9", "w"), ("11.1", "d p"), ("5.5", "w"), ("100", "d p")] {
        let text = format!("d decode 5, p prefill 6, w both {whole}");
        assert_eq!(wakes(&text), woken, "{whole}");
    }
    assert_eq!(
        wakes("d decode 5, e decode 3, p prefill 6, q prefill 2, w - 5.01"),
        "e q"
    );
    // The cheaper decode is none without its prefill.
    assert_eq!(wakes("d decode 1, p prefill 100, w - 50"), "w");
}

#[test]
fn rule_8_ties_between_sets_go_by_name() {
    assert_eq!(wakes("d decode 5, p prefill 6, w - 11"), "d p");
    assert_eq!(wakes("d decode 5, p prefill 6, a - 11"), "a");
    assert_eq!(
        wakes("d2 decode 5, d1 decode 5, p2 prefill 5, p1 prefill 5"),
        "d1 p1"
    );
}

#[test]
fn rule_8_what_completes_a_set() {
    for (text, woken) in [
        // Its prefill: also while the decode starts, as the wake of the prefill may have failed.
        ("d decode 5 serving, p prefill 6", "p"),
        ("d decode 5 starting, p prefill 6", "p"),
        ("d decode 5 serving, p prefill 6, q encode-prefill 4", "q"),
        ("d decode 5 serving, p prefill 6 starting", ""),
        (
            "d decode 5 serving, p prefill 6 serving, q prefill 1, e decode 1",
            "",
        ),
        ("d decode 5 starting, p prefill 6 starting, w - 1", ""),
        // A decode, where a prefill is up.
        ("d decode 5, p prefill 6 serving", "d"),
        ("d decode 5, p prefill 6 starting", "d"),
        ("d decode 5, p prefill 6 starting, w - 4", "w"),
        // The decode has no prefill to wait for.
        ("d decode 5 starting, e decode 1", ""),
        // An encode only once the rest serves.
        ("d decode 5, p prefill 6, x encode 1", "d p"),
        ("d decode 5 starting, p prefill 6 starting, x encode 1", ""),
        ("d decode 5 serving, p prefill 6 starting, x encode 1", ""),
        ("d decode 5 starting, p prefill 6 serving, x encode 1", ""),
        ("d decode 5 serving, p prefill 6 serving, x encode 1", "x"),
        (
            "d decode 5 serving, p prefill 6 serving, x encode 1, y encode 2 starting",
            "",
        ),
        ("d decode 5 serving, p prefill 6, x encode 1", "p"),
        ("d decode 5 serving, x encode 1", "x"),
        // Who does both encodes for itself.
        ("w - 5 serving, x encode 1", ""),
        ("w prefill-decode 5 serving, p prefill 1, d decode 1", ""),
    ] {
        assert_eq!(wakes(text), woken, "{text}");
    }
}

#[test]
fn rule_8_what_is_up_and_does_not_decode_is_told_incomplete() {
    assert_eq!(wakes("p prefill 6 serving"), "!incomplete_set");
    assert_eq!(wakes("p prefill 6 starting, x encode 1"), "!incomplete_set");
    // The misspelt one is what the user looks for.
    assert_eq!(
        wakes("p prefill 6 serving, d decoder 5"),
        "!unknown_role !incomplete_set"
    );
    let held = world("p prefill 6 serving").tick(&[row("ns/p/m")]).plan.blocked;
    assert_eq!(held[0].variant, Some(super::world::variant("ns/p")));
}

#[test]
fn rule_8_an_unknown_role_names_its_value() {
    let why = world("a decoder 5").why("ns/p/m");
    assert_eq!(why, [Blocked::UnknownRole("decoder".into())]);
    assert!(why[0].to_string().contains("\"decoder\""));
    // One that is up may do anything: nothing is woken beside it.
    assert_eq!(wakes("a decoder 5 serving, w - 5"), "");
}

#[test]
fn rule_8_of_a_set_each_is_retried_for_itself() {
    let mut world = world("d decode 5, p prefill 6");
    let first = world.tick(&[row("ns/p/m")]);
    assert_eq!(first.wakes(), ["ns/d", "ns/p"]);
    world.send(&first.plan);
    world.answered(&first.plan.wakes[0], Ok(()));
    world.answered(&first.plan.wakes[1], Err((Failure::Forbidden, None)));
    world.scale("ns/d", 1, 0);
    assert_eq!(world.tick(&[row("ns/p/m")]).why(), ["wake_failed"]);
    assert_eq!(world.after(s(1)).tick(&[row("ns/p/m")]).wakes(), ["ns/p"]);
}

#[test]
fn rule_8_a_set_is_woken_decode_first_whatever_the_names() {
    assert_eq!(wakes("z decode 5, a prefill 6"), "z a");
}

#[test]
fn rule_8_select_all_wakes_whatever_is_asked_for_but_unknown_roles() {
    for (text, woken) in [
        ("a - 5, d decode 6, p prefill 7, x encode 8", "a d p x"),
        ("p prefill 7", "p"),
        ("a - 5 serving, d decode 6", "d"),
        ("a what 5, b - 9", "b !unknown_role"),
    ] {
        let world = world(text).rules(|r| r.select = Select::All);
        let (mut wakes, why) = decided(&world);
        wakes.sort();
        wakes.extend(why.into_iter().map(|w| format!("!{w}")));
        assert_eq!(wakes.join(" "), woken, "{text}");
    }
}

#[test]
fn rule_9_one_of_a_set_that_asks_by_itself_is_woken_beside_it() {
    let serving = || world("d decode 5 serving, p prefill 6 serving");
    let asking = |role: &str| v("ns/q").role(role).cost("90").asks(2);
    for role in ["prefill", "decode", "both", "encode"] {
        assert_eq!(decided(&serving().with(asking(role))).0, ["q"], "{role}");
    }
    // A starting set is one, too.
    let starting = world("d decode 5 starting, p prefill 6 serving").with(asking("prefill"));
    assert_eq!(decided(&starting).0, ["q"]);
    // Without a set there is none to stand beside.
    let none = world("").with(asking("prefill"));
    assert_eq!(decided(&none), (vec![], vec!["incomplete_set"]));
    // Not of its own will if its role is not known.
    let unknown = serving().with(asking("what"));
    assert_eq!(decided(&unknown).0, [""; 0]);
}

#[test]
fn rule_9_a_set_out_of_scope_or_woken_by_others_counts_with_its_roles() {
    let out = |name: &str, role: &str| v(name).role(role).but(|one| one.excluded = true);
    let whole = world("").with(out("ns/d", "decode").serving()).with(v("ns/w"));
    assert_eq!(decided(&whole), (vec![], vec![]));
    let prefill = world("d decode 5, w - 9").with(out("ns/p", "prefill").starting());
    assert_eq!(decided(&prefill), (vec!["d".into()], vec![]));
}
