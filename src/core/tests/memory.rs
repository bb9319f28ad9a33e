//! Rules 12 to 15 under random faults: two copies, lost and late answers, watches that lag, and
//! others who scale the same targets.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::simulated::{Copy, Event, Fate, Server, TARGETS};
use crate::core::Failure;

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
    (events, fate(), prop::bool::weighted(0.8), reports).prop_map(|(events, fate, lands, reports)| CopyStep {
        events,
        fate,
        lands,
        reports,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop_oneof![
        4 => any::<bool>().prop_map(Event::Ready),
        3 => Just(Event::Scale(0)),
        1 => Just(Event::Scale(1)),
        1 => Just(Event::Scale(3)),
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
}

impl Run {
    fn step(&mut self, step: &Step) {
        if let Some((target, event)) = step.happens {
            self.server.happens(target, event);
        }
        for (me, (copy, how)) in self.copies.iter_mut().zip(&step.copies).enumerate() {
            if !self.alive[me] {
                continue;
            }
            copy.world.after(step.wait);
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
    ) {
        let mut run = Run {
            server: Server::new(),
            copies: [Copy::new(), Copy::new()],
            alive: [true, true],
        };
        let dies = dies.map(|at| at.index(steps.len()));
        for (at, step) in steps.iter().enumerate() {
            run.alive[1] &= dies != Some(at);
            // Each step asserts that nothing is sent while a wake is under way, that none goes
            // anywhere but from 0 to 1, and none without demand or to the dearer variant.
            run.step(step);
        }
        for copy in &run.copies {
            prop_assert!(copy.ups <= copy.accepted + copy.unanswered, "what others woke is not ours");
        }

        // Faults stop and demand stays: woken within the longest backoff, or the longest Retry-After
        // and a look at the object.
        let before = TARGETS.map(|target| run.server.replicas(target));
        run.calm(&["m", "n"], 24);
        let up = TARGETS.map(|target| run.server.replicas(target) > 0);
        prop_assert!(up[0] || up[1], "m is woken");
        prop_assert!(up[2], "n is woken");

        // What was woken without faults is told in every variant's status.
        run.calm(&["m", "n"], 12);
        for (at, variants) in [(0, &["ns/a", "ns/a2"][..]), (2, &["ns/n"])] {
            let woken_now = before[at] == 0 && run.server.woken_by(TARGETS[at]).is_some();
            for variant in variants.iter().filter(|_| woken_now) {
                prop_assert!(run.server.says_so(variant), "{} is told", variant);
            }
        }

        // It serves, demand goes, and so does all memory.
        run.server.all_ready();
        run.calm(&["m", "n"], 4);
        run.calm(&[], 24);
        for copy in run.living() {
            prop_assert!(!copy.remembers(), "{:?}", copy.world.memory);
        }
    }

    #[test]
    fn without_demand_for_long_enough_nothing_is_remembered(steps in vec(step(), 1..40)) {
        let mut run = Run {
            server: Server::new(),
            copies: [Copy::new(), Copy::new()],
            alive: [true, true],
        };
        for step in &steps {
            run.step(step);
        }
        run.calm(&[], 1);
        // Whether it was woken or not: readyTimeout and five minutes.
        for copy in &mut run.copies {
            copy.world.after(Duration::from_secs(310));
        }
        run.calm(&[], 2);
        for copy in run.living() {
            prop_assert!(!copy.remembers(), "{:?}", copy.world.memory);
        }
    }
}
