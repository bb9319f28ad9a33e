//! Rules 11 to 17 under random faults: two copies that may be replaced, lost and late answers, watches that lag, and
//! others who scale the same targets.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    simulated::{Copy, Event, Fate, SCALED_OBJECT, Server, TARGETS},
    world::World,
};
use crate::core::{Failure, Now};

/// What happens between two ticks, and in them.
#[derive(Clone, Debug)]
struct Step {
    wait: Duration,
    happens: Option<(&'static str, Event)>,
    /// The models asked for; `None` if the query failed.
    models: Option<&'static [&'static str]>,
    copies: [CopyStep; 2],
}

#[derive(Clone, Debug)]
struct CopyStep {
    /// How many events its watches tell before the tick.
    events: usize,
    /// What becomes of its writes.
    fate: Fate,
    /// Whether their answers come in this step.
    lands: bool,
    /// Whether its Events and statuses come through.
    reports: (bool, bool),
    /// Whether its process ends before the step, and another takes its place.
    restarts: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        2 => Just(Fate::AnswerLost),
        2 => Just(Fate::Late),
        1 => Just(Fate::Lost),
        2 => (select(&Failure::ALL), option::of(0_u64..4)).prop_map(|(why, wait)| Fate::Refused(why, wait)),
    ]
}

fn copy() -> impl Strategy<Value = CopyStep> {
    let events = prop_oneof![2 => Just(usize::MAX), 2 => 0_usize..3];
    let reports = (prop::bool::weighted(0.7), prop::bool::weighted(0.7));
    let often = prop::bool::weighted(0.8);
    let seldom = prop::bool::weighted(0.05);
    (events, fate(), often, reports, seldom).prop_map(|(events, fate, lands, reports, restarts)| CopyStep {
        events,
        fate,
        lands,
        reports,
        restarts,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop_oneof![
        4 => any::<bool>().prop_map(Event::Ready),
        3 => Just(Event::Autoscale),
        1 => Just(Event::Scale(0, "argocd")),
        1 => Just(Event::Scale(0, "kubectl-edit")),
        1 => Just(Event::Scale(1, "wva")),
        1 => Just(Event::Scale(3, "kubectl-edit")),
        1 => select(&[0, 2]).prop_map(Event::Min),
        2 => Just(Event::Touch),
    ];
    let models: [&'static [&'static str]; 4] = [&["m"], &["n"], &["m", "n"], &[]];
    (
        prop_oneof![3 => Just(100), 3 => 100_u64..1_500, 1 => 1_500_u64..20_000],
        option::weighted(0.4, (select(&TARGETS), event)),
        option::weighted(0.85, select(models.to_vec())),
        [copy(), copy()],
    )
        .prop_map(|(wait, happens, models, copies)| Step {
            wait: Duration::from_millis(wait),
            happens,
            models,
            copies,
        })
}

/// Both copies against one server; of the second one dies at some step, or not.
struct Run {
    server: Server,
    copies: [Copy; 2],
    alive: [bool; 2],
    guard: bool,
    now: Now,
}

impl Run {
    fn new(guard: bool) -> Self {
        let (server, now) = (Server::new(), World::new().now);
        Self {
            copies: [Copy::start(&server, guard, now), Copy::start(&server, guard, now)],
            server,
            alive: [true, true],
            guard,
            now,
        }
    }

    fn after(&mut self, wait: Duration) {
        self.now.mono = self.now.mono + wait;
        self.now.wall += wait;
        for copy in &mut self.copies {
            copy.world.now = self.now;
        }
    }

    /// The process of a copy ends, and another begins.
    fn restart(&mut self, me: usize) {
        self.copies[me] = Copy::start(&self.server, self.guard, self.now);
    }

    fn step(&mut self, step: &Step) {
        if let Some((target, event)) = step.happens {
            self.server.happens(target, event);
        }
        self.after(step.wait);
        for (me, how) in step.copies.iter().enumerate() {
            if !self.alive[me] {
                continue;
            }
            if how.restarts {
                self.restart(me);
            }
            let copy = &mut self.copies[me];
            copy.watch(&self.server, how.events);
            copy.tick(me, &mut self.server, step.models, how.fate);
            if how.lands {
                copy.land();
            }
            copy.report(&mut self.server, how.reports.0, how.reports.1);
        }
        self.server.settle();
    }

    /// So many steps of a quarter of a second without any fault.
    fn calm(&mut self, models: &'static [&'static str], steps: usize) {
        let copy = CopyStep {
            events: usize::MAX,
            fate: Fate::Answered,
            lands: true,
            reports: (true, true),
            restarts: false,
        };
        let step = Step {
            wait: Duration::from_millis(250),
            happens: None,
            models: Some(models),
            copies: [copy.clone(), copy],
        };
        for _ in 0..steps {
            self.step(&step);
        }
    }

    fn living(&self) -> impl Iterator<Item = &Copy> {
        self.copies
            .iter()
            .zip(self.alive)
            .filter_map(|(copy, alive)| alive.then_some(copy))
    }
}

/// A run is long: a quarter of the usual cases, or of `PROPTEST_CASES`.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.div_ceil(4),
        ..usual
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_goes_wrong_a_model_is_woken_once_and_at_last(
        steps in vec(step(), 1..60),
        dies in option::weighted(0.3, any::<prop::sample::Index>()),
        guard in any::<bool>(),
    ) {
        let mut run = Run::new(guard);
        let dies = dies.map(|at| at.index(steps.len()));
        for (at, step) in steps.iter().enumerate() {
            run.alive[1] &= dies != Some(at);
            // Each step asserts that nothing is sent while a wake is under way, that none goes
            // anywhere but from 0 to 1, and none without demand or to the dearer variant first.
            run.step(step);
            prop_assert!(guard || run.server.guards().is_empty(), "no guard where none is wanted");
        }
        for copy in &run.copies {
            prop_assert!(copy.ups <= copy.accepted + copy.unanswered, "what others woke is not ours");
        }

        // Faults stop and demand stays: woken within the longest backoff, or the longest Retry-After
        // and a look at the object, or the hold for a person.
        let before = TARGETS.map(|target| run.server.replicas(target));
        run.calm(&["m", "n"], 24);
        let up = TARGETS.map(|target| run.server.replicas(target) > 0);
        prop_assert!(up[0] || up[1], "m is woken");
        prop_assert!(up[2], "n is woken");

        // What was woken without faults is told on every variant.
        let woken = |at: usize| before[at] == 0 && run.server.woken_by(TARGETS[at]).is_some();
        let woken = [(0, &["ns/a", "ns/a2"][..]), (1, &["ns/b"]), (2, &[SCALED_OBJECT])]
            .into_iter()
            .filter(|(at, _)| woken(*at));
        let woken: Vec<_> = woken.collect();
        run.calm(&["m", "n"], 12);
        for (_, variants) in woken {
            for variant in variants {
                prop_assert!(run.server.says_so(variant), "{} is told", variant);
            }
        }

        // It serves, demand goes, and so do all memory and all guards, before their deadline.
        run.server.all_ready();
        run.calm(&["m", "n"], 4);
        run.calm(&[], 48);
        for copy in run.living() {
            prop_assert!(!copy.remembers(), "{:?}", copy.world.memory);
        }
        prop_assert!(run.server.is_as_meant(), "{:?}", run.server);
    }

    #[test]
    fn without_demand_for_long_enough_nothing_is_remembered(
        steps in vec(step(), 1..40),
        guard in any::<bool>(),
        restart in any::<bool>(),
    ) {
        let mut run = Run::new(guard);
        for step in &steps {
            run.step(step);
        }
        run.calm(&[], 1);
        if restart {
            run.restart(0);
            run.restart(1);
        }
        // Whether it was woken or not: readyTimeout and five minutes.
        run.after(Duration::from_secs(310));
        run.calm(&[], 24);
        for copy in run.living() {
            prop_assert!(!copy.remembers(), "{:?}", copy.world.memory);
        }
        // No guard is left standing after its deadline, whoever has put it up.
        prop_assert!(run.server.is_as_meant(), "{:?}", run.server);
    }
}

/// The random runs are worth their time: guards are put up and taken down, and others escalate, in many of them.
#[test]
fn random_runs_see_guards_and_escalations() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    let mut see = |what, times: bool| *seen.entry(what).or_default() += usize::from(times);
    for _ in 0..150 {
        let steps = vec(step(), 20..60)
            .new_tree(&mut runner)
            .expect("steps")
            .current();
        let mut run = Run::new(true);
        let mut guarded = false;
        for step in &steps {
            let before = run.server.replicas("ns/b");
            let scaled = matches!(step.happens, Some(("ns/b", Event::Scale(..))));
            run.step(step);
            let escalated = before == 0 && run.server.replicas("ns/b") == 1 && !scaled;
            see("the dearer one woken", escalated);
            let stands = !run.server.guards().is_empty();
            see("guard put", stands && !guarded);
            see("guard ended", guarded && !stands);
            guarded = stands;
        }
    }
    for what in ["the dearer one woken", "guard put", "guard ended"] {
        assert!(seen.get(what).is_some_and(|times| *times > 5), "{what}: {seen:?}");
    }
}
