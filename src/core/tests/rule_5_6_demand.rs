//! Rules 5 and 6, and what an episode is: stale demand, unknown demand, the end of demand.

use std::time::Duration;

use super::world::{MOMENT, Ticked, World, deployment, just_before, key, row, s, v};
use crate::core::{Answer, Attempt, Failure, Notice, Sample};

fn world() -> World {
    World::new().pool("ns/p", "app=m").with(v("ns/a"))
}

/// The age of the samples of a row, as the second query answers it.
fn age(text: &str, seconds: f64) -> Sample {
    let row = row(text);
    Sample {
        family: None,
        namespace: row.namespace,
        pool: row.pool,
        model: row.model,
        target_model: None,
        value: seconds,
    }
}

fn aged(world: &mut World, rows: &[&str], ages: Vec<Sample>) -> Ticked {
    let rows: Vec<_> = rows.iter().copied().map(row).collect();
    let mut ticked = world.tick(&rows);
    ticked
        .plan
        .check_ages(ages, &mut world.memory, world.now, &world.rules);
    ticked
}

#[test]
fn rule_5_samples_that_are_too_old_wake_nothing() {
    for (seconds, fresh) in [
        (0.0, true),
        (-2.0, true),
        (119.9, true),
        (120.0, true),
        (120.1, false),
        (1e300, false),
    ] {
        let ticked = aged(&mut world(), &["ns/p/m"], vec![age("ns/p/m", seconds)]);
        if fresh {
            assert_eq!(ticked.wakes(), ["ns/a"], "{seconds}");
            let told = ticked.plan.wakes[0].sample_age;
            assert_eq!(told, Some(Duration::from_secs_f64(seconds.max(0.0))));
        } else {
            assert_eq!(
                (ticked.wakes(), ticked.why()),
                (vec![], vec!["stale_demand"]),
                "{seconds}"
            );
        }
    }
}

#[test]
fn rule_5_an_age_that_is_not_known_holds_nothing_back() {
    for ages in [
        vec![],
        vec![age("ns/p/m", f64::NAN)],
        vec![age("ns/p/m", f64::INFINITY)],
        vec![age("ns/p/n", 1000.0)],
        vec![age("ns/q/m", 1000.0)],
        vec![age("two/p/m", 1000.0)],
    ] {
        let ticked = aged(&mut world(), &["ns/p/m"], ages);
        assert_eq!(ticked.wakes(), ["ns/a"]);
        assert_eq!(ticked.plan.wakes[0].sample_age, None);
    }
}

#[test]
fn rule_5_the_freshest_sample_counts_whatever_labels_it_lacks() {
    for ages in [
        vec![age("ns/p/m", 500.0), age("ns/p/m", 3.0), age("ns/p/m", f64::NAN)],
        vec![age("-/-/m", 3.0)],
        vec![age("ns/p/-", 3.0), age("ns/p/m", 400.0)],
    ] {
        let ticked = aged(&mut world(), &["ns/p/m"], ages);
        assert_eq!(ticked.wakes(), ["ns/a"]);
        assert_eq!(ticked.plan.wakes[0].sample_age, Some(s(3)));
    }
    let not_a_number = vec![age("ns/p/m", f64::NAN), age("ns/p/m", 500.0)];
    assert_eq!(
        aged(&mut world(), &["ns/p/m"], not_a_number).why(),
        ["stale_demand"]
    );
}

#[test]
fn rule_5_a_renamed_model_has_the_age_of_its_target_model() {
    let mut renamed = age("ns/p/public", 3.0);
    renamed.target_model = Some("m".into());
    let ages = vec![age("ns/p/m", 500.0), renamed];
    assert_eq!(aged(&mut world(), &["ns/p/m"], ages).wakes(), ["ns/a"]);
}

#[test]
fn rule_5_stale_demand_holds_back_its_own_model_only() {
    let mut world = world().with(v("ns/n").model("n"));
    let ages = vec![age("ns/p/m", 500.0), age("ns/p/n", 1.0)];
    let ticked = aged(&mut world, &["ns/p/m", "ns/p/n"], ages);
    assert_eq!(
        (ticked.wakes(), ticked.why()),
        (vec!["ns/n".into()], vec!["stale_demand"])
    );
}

#[test]
fn rule_5_stale_demand_is_looked_at_again_after_a_moment() {
    let mut world = world();
    aged(&mut world, &["ns/p/m"], vec![age("ns/p/m", 500.0)]);
    // No second query until then.
    let at_once = world.after(Duration::from_millis(100)).tick(&[row("ns/p/m")]);
    assert_eq!((at_once.wakes(), at_once.why()), (vec![], vec!["stale_demand"]));
    world.after(s(1));
    let again = aged(&mut world, &["ns/p/m"], vec![age("ns/p/m", 500.5)]);
    assert_eq!(again.why(), ["stale_demand"]);
    world.after(s(1));
    let fresh = aged(&mut world, &["ns/p/m"], vec![age("ns/p/m", 0.5)]);
    assert_eq!((fresh.wakes(), fresh.why()), (vec!["ns/a".into()], vec![]));
}

#[test]
fn rule_5_one_target_asked_for_twice_is_woken_by_the_fresh_demand() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").alias("x"));
    let stale = || vec![age("ns/p/m", 500.0), age("ns/p/x", 1.0)];
    let first = aged(&mut world, &["ns/p/m", "ns/p/x"], stale());
    let second = aged(&mut world, &["ns/p/m", "ns/p/x"], stale());
    assert_eq!([first.wakes(), second.wakes()].concat(), ["ns/a"]);
}

#[test]
fn rule_6_unknown_demand_wakes_nothing_and_begins_nothing() {
    let mut world = world();
    let ticked = world.answer(&Answer::Unknown);
    assert_eq!(
        (ticked.wakes(), ticked.why(), ticked.notices),
        (vec![], vec![], vec![])
    );
    assert_eq!(world.memory.episodes(), 0);
}

#[test]
fn rule_6_unknown_demand_forgets_nothing() {
    let mut world = world();
    world.wake(&[row("ns/p/m")], Err((Failure::Forbidden, Some(s(40)))));
    let before = world.memory.tracked(&deployment("ns/a")).cloned();
    for _ in 0..30 {
        assert_eq!(world.after(s(1)).answer(&Answer::Unknown).notices, []);
    }
    assert_eq!(world.memory.tracked(&deployment("ns/a")).cloned(), before);
    assert_eq!(world.tick(&[row("ns/p/m")]).why(), ["wake_failed"]);
    assert_eq!(world.after(s(10)).tick(&[row("ns/p/m")]).wakes(), ["ns/a"]);
}

#[test]
fn rule_6_unknown_demand_still_follows_what_the_watch_shows() {
    let mut world = world();
    world.wake(&[row("ns/p/m")], Ok(()));
    world.scale("ns/a", 1, 0);
    assert_eq!(world.after(s(1)).answer(&Answer::Unknown).moved().len(), 1);
}

fn ended(ticked: &Ticked) -> Option<bool> {
    ticked.notices.iter().find_map(|notice| match notice {
        Notice::EpisodeEnded { served, .. } => Some(*served),
        _ => None,
    })
}

#[test]
fn rule_6_an_episode_begins_once_with_the_first_demand() {
    let mut world = world();
    let first = world.tick(&[row("ns/p/m")]);
    let begun = Notice::EpisodeBegan {
        key: key("ns/p/m"),
        waiting: 10.0,
    };
    assert_eq!(first.notices, [begun]);
    assert_eq!(world.after(s(1)).tick(&[row("ns/p/m")]).notices, []);
    let since = world.memory.episode(&key("ns/p/m")).expect("an episode").since;
    assert_eq!(world.now.mono.since(since.mono), s(1));
}

#[test]
fn rule_6_an_episode_ends_when_the_model_has_served_without_demand_for_settle() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    world.tick(&[row("ns/p/m")]);
    assert_eq!(ended(&world.after(s(1)).tick(&[])), None);
    assert_eq!(ended(&world.after(s(119)).tick(&[])), None);
    assert_eq!(ended(&world.after(s(1)).tick(&[])), Some(true));
    assert_eq!(world.memory.episodes(), 0);
    world.after(s(1)).tick(&[]);
    assert_eq!(world.memory.tracked(&deployment("ns/a")), None);
}

#[test]
fn rule_6_demand_that_returns_or_a_model_that_stops_serving_starts_the_calm_anew() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    world.tick(&[row("ns/p/m")]);
    world.after(s(1)).tick(&[]);
    world.after(s(100)).tick(&[row("ns/p/m")]);
    world.after(s(1)).tick(&[]);
    assert_eq!(ended(&world.after(s(100)).tick(&[])), None);
    world.scale("ns/a", 1, 0);
    world.after(s(1)).tick(&[]);
    world.scale("ns/a", 1, 1);
    world.after(s(1)).tick(&[]);
    assert_eq!(ended(&world.after(s(119)).tick(&[])), None);
    assert_eq!(ended(&world.after(s(1)).tick(&[])), Some(true));
}

#[test]
fn rule_6_unknown_demand_does_not_count_as_gone() {
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a").serving());
    world.tick(&[row("ns/p/m")]);
    for _ in 0..8 {
        assert_eq!(ended(&world.after(s(100)).answer(&Answer::Unknown)), None);
    }
    world.tick(&[]);
    assert_eq!(ended(&world.after(s(60)).tick(&[])), None);
    assert_eq!(ended(&world.after(s(60)).tick(&[])), Some(true));
}

#[test]
fn rule_6_an_episode_of_a_model_that_never_serves_ends_at_its_deadline() {
    let deadline = s(600 + 300);
    let mut world = world();
    world.wake(&[row("ns/p/m")], Ok(()));
    world.scale("ns/a", 1, 0);
    // Demand is dropped by the EPP after a minute: gone, and the episode goes on.
    world.after(s(60)).tick(&[row("ns/p/m")]);
    assert_eq!(ended(&world.after(just_before(deadline)).tick(&[])), None);
    assert_eq!(ended(&world.after(MOMENT).tick(&[])), Some(false));
    // The same where demand is unknown at the end.
    world.tick(&[row("ns/p/m")]);
    assert_eq!(
        ended(&world.after(deadline).answer(&Answer::Unknown)),
        Some(false)
    );
}

#[test]
fn rule_6_demand_that_stays_never_lets_an_episode_end() {
    let mut world = world().rules(|r| r.ready_timeout = Duration::MAX);
    for _ in 0..40 {
        assert_eq!(ended(&world.after(s(1000)).tick(&[row("ns/p/m")])), None);
    }
}

#[test]
fn rule_6_all_memory_goes_with_the_episode() {
    let mut world = world();
    world.wake(&[row("ns/p/m")], Err((Failure::Throttled, None)));
    world.after(s(900)).tick(&[]);
    world.after(s(1)).tick(&[]);
    assert_eq!(world.memory.episodes(), 0);
    assert_eq!(world.memory.tracked(&deployment("ns/a")), None);
    let again = world.tick(&[row("ns/p/m")]);
    assert_eq!(again.wakes(), ["ns/a"]);
    let tracked = world.memory.tracked(&deployment("ns/a")).expect("tracked");
    assert_eq!((&tracked.attempt, tracked.tries), (&Attempt::Idle, 0));
}
