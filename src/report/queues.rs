//! How many requests have waited for each model over the last minutes: the small graphs of the page, and
//! `/api/queues`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use crate::core::{HashMap, Held, Joined, ModelKey, Wall};

/// Seconds in one step.
const STEP: i64 = 2;
/// Steps kept: five minutes.
const STEPS: i64 = 150;
/// Models kept at once.
const MOST: usize = 1000;
/// How many of them no variant may answer: anybody can ask for any name.
const MOST_UNANSWERED: usize = 200;

/// The last minutes of the queues. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Queues(Arc<Mutex<Ring>>);

/// Names as demand states them, as far as it does.
type Names = (Option<Box<str>>, Option<Box<str>>, Option<Box<str>>);

/// Steps are numbered from 1970, so that they go on over a restart.
#[derive(Debug, Default)]
struct Ring {
    newest: i64,
    /// The steps in which Prometheus has answered.
    answered: VecDeque<i64>,
    /// Demand that variants answer.
    asked: HashMap<ModelKey, Line>,
    /// Demand that wakes nothing, with no variant near it.
    unanswered: HashMap<Names, Line>,
}

/// Steps in which requests have waited, each with the most at once, the oldest first.
type Line = VecDeque<(i64, f64)>;

/// What `/api/queues` says.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueHistory {
    /// Seconds in a step.
    step_seconds: i64,
    /// Steps that are kept.
    steps: i64,
    /// The step of now: seconds since 1970, divided by `stepSeconds`.
    last: i64,
    /// Steps in which it was known what waits.
    answered: Vec<i64>,
    /// Models for which requests have waited.
    models: Vec<ModelQueue>,
}

#[derive(Debug, PartialEq, Serialize)]
struct ModelQueue {
    namespace: Option<Box<str>>,
    pool: Option<Box<str>>,
    model: Option<Box<str>>,
    /// Steps in which requests have waited, each with the most at once.
    waiting: Line,
}

impl Queues {
    /// Prometheus has answered with this demand, of which this was held back.
    pub(crate) fn answered(&self, joined: &Joined, held: &[Held], now: Wall) {
        self.lock().answered(joined, held, step_of(now));
    }

    /// What is known of the step `since` and those after it.
    pub fn since(&self, since: i64, now: Wall) -> QueueHistory {
        self.lock().since(since, step_of(now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn step_of(time: Wall) -> i64 {
    time.as_second() / STEP
}

impl Ring {
    fn answered(&mut self, joined: &Joined, held: &[Held], step: i64) {
        if self.newest != step {
            self.begin(step);
        }
        for (key, asked) in &joined.asked {
            if let Some(line) = self.asked.get_mut(key) {
                add(line, step, asked.waiting);
            } else if self.asked.len() < MOST {
                self.asked
                    .insert(key.clone(), Line::from([(step, bounded(asked.waiting))]));
            }
        }
        // What is held back of that has been counted there.
        let others = held
            .iter()
            .filter(|held| held.why.is_unmatched() && held.waiting > 0.0);
        for held in others.take(MOST_UNANSWERED) {
            let names = (held.namespace.clone(), held.pool.clone(), held.model.clone());
            let full = self.unanswered.len() >= MOST_UNANSWERED;
            match self.unanswered.get_mut(&names) {
                Some(line) => add(line, step, held.waiting),
                None if full => {}
                None => {
                    self.unanswered
                        .insert(names, Line::from([(step, bounded(held.waiting))]));
                }
            }
        }
    }

    /// A step begins: what is older than the ring goes, as does what a clock that was set back has left ahead.
    fn begin(&mut self, step: i64) {
        self.newest = step;
        let kept = |at: i64| at > step - STEPS && at <= step;
        self.answered.retain(|at| kept(*at) && *at != step);
        self.answered.push_back(step);
        let keep = |line: &mut Line| {
            line.retain(|(at, _)| kept(*at));
            !line.is_empty()
        };
        self.asked.retain(|_, line| keep(line));
        self.unanswered.retain(|_, line| keep(line));
    }

    fn since(&self, since: i64, last: i64) -> QueueHistory {
        let oldest = since.max(last.saturating_sub(STEPS - 1));
        let wanted = |at: i64| at >= oldest && at <= last;
        let cut = |line: &Line| line.iter().copied().filter(|(at, _)| wanted(*at)).collect();
        let asked = self.asked.iter().map(|(key, line)| ModelQueue {
            namespace: Some((&*key.namespace).into()),
            pool: Some((&*key.pool).into()),
            model: Some((&*key.model).into()),
            waiting: cut(line),
        });
        let unanswered = self.unanswered.iter();
        let unanswered = unanswered.map(|((namespace, pool, model), line)| ModelQueue {
            namespace: namespace.clone(),
            pool: pool.clone(),
            model: model.clone(),
            waiting: cut(line),
        });
        let mut models: Vec<_> = asked
            .chain(unanswered)
            .filter(|model| !model.waiting.is_empty())
            .collect();
        models.sort_by(|a, b| (&a.namespace, &a.model, &a.pool).cmp(&(&b.namespace, &b.model, &b.pool)));
        QueueHistory {
            step_seconds: STEP,
            steps: STEPS,
            last,
            answered: self.answered.iter().copied().filter(|at| wanted(*at)).collect(),
            models,
        }
    }
}

/// The most within a step counts.
fn add(line: &mut Line, step: i64, waiting: f64) {
    let waiting = bounded(waiting);
    match line.back_mut() {
        Some((at, most)) if *at == step => *most = most.max(waiting),
        _ => line.push_back((step, waiting)),
    }
}

/// JSON knows no infinity, which an expression of the user's own may make.
fn bounded(waiting: f64) -> f64 {
    waiting.min(f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Asked, Blocked};

    fn key(model: &str) -> ModelKey {
        ModelKey {
            namespace: "llm".into(),
            pool: "pool".into(),
            model: model.into(),
        }
    }

    fn demand(of: impl IntoIterator<Item = (String, f64)>) -> Joined {
        let asked = |waiting| Asked {
            waiting,
            family: None,
        };
        Joined {
            asked: of.into_iter().map(|(model, n)| (key(&model), asked(n))).collect(),
            ..Joined::default()
        }
    }

    fn waiting(ring: &Ring, since: i64, last: i64) -> Vec<(i64, f64)> {
        let models = ring.since(since, last).models;
        models.into_iter().flat_map(|model| model.waiting).collect()
    }

    #[test]
    fn a_step_keeps_the_most_that_waited_within_it() {
        let mut ring = Ring::default();
        for n in [2.0, 5.0, 3.0] {
            ring.answered(&demand([("llama".into(), n)]), &[], 1000);
        }
        ring.answered(&demand([]), &[], 1001);
        ring.answered(&demand([("llama".into(), f64::INFINITY)]), &[], 1002);
        assert_eq!(waiting(&ring, 0, 1002), [(1000, 5.0), (1002, f64::MAX)]);
        assert_eq!(ring.since(0, 1003).answered, [1000, 1001, 1002]);
        assert_eq!(waiting(&ring, 1001, 1003), [(1002, f64::MAX)], "from a step on");
    }

    #[test]
    fn what_is_old_goes_and_so_do_models_that_nobody_asks_for() {
        let mut ring = Ring::default();
        ring.answered(&demand([("llama".into(), 1.0)]), &[], 1000);
        ring.answered(&demand([]), &[], 1000 + STEPS - 1);
        assert_eq!(waiting(&ring, 0, 1000 + STEPS - 1).len(), 1);
        assert!(
            waiting(&ring, 0, 1000 + STEPS).is_empty(),
            "even before the next answer"
        );
        ring.answered(&demand([]), &[], 1000 + STEPS);
        assert!(ring.asked.is_empty());
        assert_eq!(ring.answered, [1000 + STEPS - 1, 1000 + STEPS]);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nothing_ahead() {
        let mut ring = Ring::default();
        ring.answered(&demand([("llama".into(), 1.0)]), &[], 5000);
        ring.answered(&demand([("llama".into(), 2.0)]), &[], 1000);
        assert_eq!(waiting(&ring, 0, 1000), [(1000, 2.0)]);
        assert_eq!(ring.answered, [1000]);
    }

    #[test]
    fn neither_many_models_nor_invented_ones_fill_it() {
        let mut ring = Ring::default();
        let held = |n: usize| Held {
            namespace: Some("llm".into()),
            pool: None,
            model: Some(format!("invented-{n}").into()),
            waiting: 1.0,
            why: Blocked::NoVariant,
            variant: None,
        };
        for step in 0..3 {
            let invented: Vec<_> = (0..MOST).map(|n| held(step * MOST + n)).collect();
            let at = 1000 + i64::try_from(step).expect("a small number");
            let models = (0..MOST + 10).map(|n| (format!("model-{n}"), 1.0));
            ring.answered(&demand(models), &invented, at);
        }
        assert_eq!((ring.asked.len(), ring.unanswered.len()), (MOST, MOST_UNANSWERED));
    }
}
