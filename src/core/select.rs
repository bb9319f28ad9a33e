//! Which variants together serve a model, and which of them are woken (rules 8 and 9).

use super::{Entry, ObjectName, Observed, Parked, Scope};

/// Rule 8: wake the cheapest set that serves, or every variant asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// One serving set per model.
    Cheapest,
    /// Every variant, as WVA's own engine does.
    All,
}

/// Rule 10: what demand that no variant asks for comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// It is reported, with the nearest reason.
    Report,
    /// It wakes the cheapest serving set of its pool.
    Pool,
}

/// A variant that can be woken: in scope, its target at 0.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a ObjectName,
    /// The variant.
    pub entry: &'a Entry,
    /// Its target at 0.
    pub parked: &'a Parked,
}

impl<'a> Candidate<'a> {
    /// The variant as a candidate, if it is one.
    pub fn new(name: &'a ObjectName, entry: &'a Entry) -> Option<Self> {
        match (&entry.scope, &entry.observed) {
            (Scope::In, Ok(Observed::Zero(parked))) => Some(Self { name, entry, parked }),
            _ => None,
        }
    }
}

/// The variants that together serve a model.
#[derive(Clone, Debug)]
pub struct ServingSet<'a> {
    /// Its members, at least one.
    pub members: Vec<Candidate<'a>>,
}

impl ServingSet<'_> {
    /// What one replica of each member costs.
    pub fn cost(&self) -> f64 {
        self.members.iter().map(|m| m.entry.variant.cost.value()).sum()
    }
}

/// The cheapest serving set, ties by name. Each variant serves by itself.
pub fn cheapest<'a>(candidates: Vec<Candidate<'a>>) -> Option<ServingSet<'a>> {
    let sets = candidates
        .into_iter()
        .map(|one| ServingSet { members: vec![one] });
    sets.min_by(|a, b| {
        let names = |set: &ServingSet<'a>| set.members.iter().map(|m| m.name).collect::<Vec<_>>();
        a.cost()
            .total_cmp(&b.cost())
            .then_with(|| names(a).cmp(&names(b)))
    })
}

/// Rule 9: the VA asks for replicas by itself, while its target is at 0.
///
/// The reason `ScaleFromZeroMode` marks a status that a wake has written, ours or that of WVA's own
/// engine; WVA replaces it as soon as it decides for itself.
pub fn asks_by_itself(entry: &Entry) -> bool {
    let status = &entry.variant.status;
    let from_a_wake = status
        .condition(super::OPTIMIZATION_READY)
        .is_some_and(|c| &*c.reason == super::SCALE_FROM_ZERO_MODE);
    status.desired_replicas() >= 1 && !from_a_wake
}
