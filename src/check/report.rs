//! The outcome of a check: one row for each variant, and every problem.

use std::collections::BTreeMap;

use super::{Concerns, Problem, Severity, Verdict, probes};
use crate::core::{Observed, VariantKey};

/// The outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// One row for each variant, by name.
    pub variants: Vec<Row>,
    /// Every problem, the worst first, then in order of the path.
    pub problems: Vec<Problem>,
}

/// A variant at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The variant.
    pub key: VariantKey,
    /// Its model.
    pub model: String,
    /// Kind and name of its target; `None` for one of a kind that cannot be woken.
    pub target: Option<(String, String)>,
    /// Replicas asked for and ready, where the target is known.
    pub replicas: Option<(i64, i64)>,
    /// The pools that select its target.
    pub pools: Vec<String>,
    /// Requests waiting; `None` where demand is not known.
    pub waiting: Option<f64>,
    /// Its state, by the words of docs/metrics.md.
    pub state: &'static str,
    /// That state in words.
    pub reason: String,
    /// The first problem that concerns it: an index into [`Report::problems`].
    pub first: Option<usize>,
}

impl Report {
    /// Whether anything is wrong; notes are not.
    pub fn has_problems(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity != Severity::Note)
    }
}

/// The first problem of each variant: the first that keeps it from waking, else the worst that concerns it by name.
struct First<'a> {
    problems: &'a [Problem],
    /// The first error that concerns all.
    all: Option<usize>,
    named: BTreeMap<&'a VariantKey, usize>,
}

impl<'a> First<'a> {
    /// Of problems in their final order.
    fn of_all(problems: &'a [Problem]) -> Self {
        let mut named = BTreeMap::new();
        let mut all = None;
        for (index, problem) in problems.iter().enumerate() {
            match &problem.concerns {
                Concerns::All if problem.severity == Severity::Error => all = all.or(Some(index)),
                Concerns::Variants(variants) => {
                    for variant in variants {
                        named.entry(variant).or_insert(index);
                    }
                }
                Concerns::All | Concerns::None => {}
            }
        }
        Self { problems, all, named }
    }

    fn of(&self, variant: &VariantKey) -> Option<usize> {
        let named = self.named.get(variant).copied();
        let is_error = |index: &usize| self.problems[*index].severity == Severity::Error;
        match (self.all, named.filter(is_error)) {
            (Some(all), Some(named)) => Some(all.min(named)),
            (Some(all), None) => Some(all),
            (None, _) => named,
        }
    }
}

/// Judges the facts that were decided on.
pub fn judge(verdict: &Verdict<'_>) -> Report {
    let facts = verdict.facts();
    let mut problems = probes::all(facts, verdict);
    problems.sort_by(|a, b| {
        let key = |p: &Problem| (p.severity, p.link);
        key(a)
            .cmp(&key(b))
            .then_with(|| (a.code, &a.object).cmp(&(b.code, &b.object)))
    });
    let mut entries: Vec<_> = facts.inventory.entries().collect();
    entries.sort_by_key(|(name, _)| *name);
    let first = First::of_all(&problems);
    let demand_known = matches!(facts.prometheus.demand, Some(Ok(_)));
    let variants = entries.into_iter().map(|(name, entry)| {
        let state = verdict.state(name, entry);
        Row {
            key: name.clone(),
            model: entry.variant.model.to_string(),
            target: entry
                .target()
                .map(|target| (target.kind.as_str().to_owned(), target.name.name.to_string())),
            replicas: match &entry.observed {
                Ok(Observed::Zero(_)) => Some((0, 0)),
                Ok(Observed::Scaled { replicas, ready, .. }) => Some((*replicas, *ready)),
                Err(_) => None,
            },
            pools: entry.pools.iter().map(ToString::to_string).collect(),
            waiting: demand_known.then(|| verdict.waiting(name, entry)),
            state: state.as_str(),
            reason: state.told(demand_known),
            first: first.of(name),
        }
    });
    Report {
        variants: variants.collect(),
        problems,
    }
}
