//! Which variants together serve a model, and the cheapest of them (rule 8).

use super::{Entry, Observed, Parked, Parts, Role, Scope, Tracked, VariantKey};

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
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a VariantKey,
    /// The variant.
    pub entry: &'a Entry,
    /// Its target at 0.
    pub parked: &'a Parked,
    /// What it does.
    pub parts: Parts,
    /// What was tried on its target.
    pub tracked: Option<&'a Tracked>,
}

impl<'a> Candidate<'a> {
    /// The variant as a candidate, if it is one. One whose role is not known is none.
    pub fn new(name: &'a VariantKey, entry: &'a Entry, tracked: Option<&'a Tracked>) -> Option<Self> {
        match (&entry.scope, &entry.observed, entry.role) {
            (Scope::In, Ok(Observed::Zero(parked)), Role::Known(parts)) => Some(Self {
                name,
                entry,
                parked,
                parts,
                tracked,
            }),
            _ => None,
        }
    }

    fn cost(&self) -> f64 {
        self.entry.variant.cost.value()
    }
}

/// What stands above 0 of a model's variants, and what could.
#[derive(Clone, Debug, Default)]
pub struct Standing<'a> {
    /// What those do that start or serve.
    pub up: Parts,
    /// What those do that serve.
    pub serving: Parts,
    /// Whether one of the variants, up or to be woken, does nothing but prefill: then who only decodes waits for it.
    pub has_prefill: bool,
    /// Those that can be woken.
    pub candidates: Vec<Candidate<'a>>,
}

/// What a model lacks.
#[derive(Clone, Debug)]
pub enum Lack<'a> {
    /// Nothing: it is served, or will be by what is starting.
    Nothing,
    /// These, the cheapest that make it served.
    Set(Vec<Candidate<'a>>),
    /// Something that none of its variants can give.
    Unservable,
}

impl<'a> Standing<'a> {
    /// What is to be woken so that the model is served. A set is one that decodes and prefills, or a decode with a
    /// prefill; a decode alone where no prefill exists. What is up already counts; an encode is woken only once the
    /// rest of its set serves.
    pub fn lack(&self) -> Lack<'a> {
        let prefill = self.up.prefill || !self.has_prefill;
        if self.up.decode && prefill {
            let complete = self.serving.decode && (self.serving.prefill || !self.has_prefill);
            let encode = || self.cheapest(|parts| parts.encode && !parts.prefill && !parts.decode);
            return match encode().filter(|_| complete && !self.up.encode) {
                Some(encode) => Lack::Set(vec![encode]),
                None => Lack::Nothing,
            };
        }
        let whole = self
            .cheapest(|parts| parts.decode && parts.prefill)
            .map(|one| vec![one]);
        let decode = || self.cheapest(|parts| parts.decode && !parts.prefill);
        let reads = || self.cheapest(|parts| parts.prefill && !parts.decode);
        let apart = match (self.up.decode, prefill) {
            (true, _) => reads().map(|one| vec![one]),
            (_, true) => decode().map(|one| vec![one]),
            _ => decode()
                .zip(reads())
                .map(|(decode, prefill)| vec![decode, prefill]),
        };
        whole
            .into_iter()
            .chain(apart)
            .min_by(|a, b| cost(a).total_cmp(&cost(b)).then_with(|| names(a).cmp(&names(b))))
            .map_or(Lack::Unservable, Lack::Set)
    }

    fn cheapest(&self, does: impl Fn(Parts) -> bool) -> Option<Candidate<'a>> {
        let doing = self.candidates.iter().filter(|candidate| does(candidate.parts));
        doing
            .min_by(|a, b| a.cost().total_cmp(&b.cost()).then_with(|| a.name.cmp(b.name)))
            .copied()
    }
}

/// What one replica of each costs.
fn cost(set: &[Candidate<'_>]) -> f64 {
    set.iter().map(Candidate::cost).sum()
}

fn names<'a>(set: &[Candidate<'a>]) -> Vec<&'a VariantKey> {
    set.iter().map(|one| one.name).collect()
}

/// Rule 9: the VA asks for replicas by itself, while its target is at 0. What a wake has written does not count.
pub fn asks_by_itself(entry: &Entry) -> bool {
    let status = &entry.variant.status;
    status.desired_replicas() >= 1 && !status.is_from_a_wake()
}
