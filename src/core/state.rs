//! What a variant is: one pure function of what is observed, what was attempted, the demand and the time.
//!
//! ```text
//!   out_of_scope ── our business or not ── no_signal / blocked ── can it be woken, and would we know?
//!         parked ─▶ asked ─▶ starting ─▶ serving          the way of a wake
//!                              │  ▲          │
//!                              ▼  └──────────┼── reverted ◀─ back at 0 before `settle`
//!                           overdue ─▶ surplus           another set has taken its place
//! ```

use std::{fmt, time::Duration};

use super::{
    Asked, Attempt, Attribution, Blocked, Entry, HashMap, Held, Inventory, Map, Memory, ModelKey, Now,
    Observed, OutOfScope, Overdue, Role, Rules, Scope, Signal, Signals, TakenBy, Target, Tracked, VariantKey,
};

/// The state of a variant.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Not ours to wake.
    OutOfScope(OutOfScope),
    /// Demand for it would not be seen (rule 4).
    NoSignal(Signal),
    /// It cannot be woken, or requests wait and it is held back.
    Blocked(Blocked),
    /// At 0, and nobody asks for it.
    Parked,
    /// At 0, while requests wait for its model, and another variant of it is up.
    Spare,
    /// At 0, and a wake is under way or about to be.
    Asked,
    /// Above 0, none ready, for so long; `None` where that is not known.
    Starting(Option<Duration>),
    /// One replica is ready.
    Serving,
    /// Starting for too long, or unable to start.
    Overdue(Overdue),
    /// Given up for another set, and left at its replicas: nothing here scales down.
    Surplus(Overdue),
    /// Scaled back to 0 in an episode; by whom, once that is known, and how long until it may be woken again.
    Reverted(Option<TakenBy>, Duration),
}

impl State {
    /// Every word of [`State::as_str`].
    pub const WORDS: [&'static str; 10] = [
        "out_of_scope",
        "no_signal",
        "blocked",
        "parked",
        "asked",
        "starting",
        "serving",
        "overdue",
        "surplus",
        "reverted",
    ];

    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OutOfScope(_) => "out_of_scope",
            Self::NoSignal(_) => "no_signal",
            Self::Blocked(_) => "blocked",
            Self::Parked | Self::Spare => "parked",
            Self::Asked => "asked",
            Self::Starting(_) => "starting",
            Self::Serving => "serving",
            Self::Overdue(_) => "overdue",
            Self::Surplus(_) => "surplus",
            Self::Reverted(..) => "reverted",
        }
    }
}

impl State {
    /// The state in words. Where demand is not known, nobody can say that no requests wait.
    pub fn told(&self, demand_known: bool) -> String {
        match self {
            Self::Parked if !demand_known => "at 0 replicas; whether requests wait is not known".to_owned(),
            state => state.to_string(),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfScope(why) => write!(f, "left alone: {why}"),
            Self::NoSignal(signal) => match signal.blocks() {
                Some(why) => write!(f, "demand for it cannot be seen: {why}"),
                None => f.write_str("whether demand for it would be seen is not known"),
            },
            Self::Blocked(why) => why.fmt(f),
            Self::Parked => f.write_str("at 0 replicas; no requests wait for it"),
            Self::Spare => f.write_str(
                "at 0 replicas; requests wait for its model, which another variant serves or is starting to",
            ),
            Self::Asked => f.write_str("requests wait, and it is being woken"),
            Self::Starting(Some(since)) => write!(f, "starting for {} s", since.as_secs()),
            Self::Starting(None) => f.write_str("has replicas, none is ready"),
            Self::Serving => f.write_str("one replica or more is ready"),
            Self::Overdue(why) => write!(f, "overdue: {why}"),
            Self::Surplus(why) => write!(
                f,
                "another set was woken in its place ({why}); it is left as it is, scale it down by hand if it is not wanted"
            ),
            Self::Reverted(by, wait) => {
                match by {
                    Some(by) => write!(f, "scaled back to 0 by {by}")?,
                    None => f.write_str("scaled back to 0; who did it is being looked up")?,
                }
                match wait.as_secs() {
                    0 => f.write_str("; the next request wakes it"),
                    wait => write!(
                        f,
                        "; woken again in {wait} s at the earliest, if requests wait then"
                    ),
                }
            }
        }
    }
}

/// Everything that states follow from, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The objects.
    pub inventory: &'a Inventory,
    /// What was tried.
    pub memory: &'a Memory,
    /// What the slow query said.
    pub signals: &'a Signals,
    /// Demand, as the last answer had it.
    pub demand: &'a Map<ModelKey, Asked>,
    /// What the last plan held back, by variant.
    pub held: &'a HashMap<VariantKey, Held>,
    /// The time.
    pub now: Now,
    /// The configuration.
    pub rules: &'a Rules,
}

impl Situation<'_> {
    /// The state of a variant.
    pub fn state(&self, name: &VariantKey, entry: &Entry) -> State {
        if let Scope::Out(why) = entry.scope {
            return State::OutOfScope(why);
        }
        let tracked = entry.target().and_then(|target| self.memory.tracked(target));
        match &entry.observed {
            Err(gone) => State::Blocked(Blocked::Target(*gone)),
            Ok(Observed::Scaled { ready, .. }) if *ready > 0 => State::Serving,
            Ok(Observed::Scaled { .. }) => self.starting(entry, tracked),
            Ok(Observed::Zero(_)) => self.at_zero(name, entry, tracked),
        }
    }

    fn starting(&self, entry: &Entry, tracked: Option<&Tracked>) -> State {
        let Some(tracked) = tracked else {
            return State::Starting(None);
        };
        if let Some(why) = &tracked.passed_over {
            return State::Surplus(why.clone());
        }
        match Overdue::of(entry, tracked, self.now, self.rules) {
            Some(why) => State::Overdue(why),
            None => State::Starting(tracked.starting_since().map(|since| self.now.mono.since(since))),
        }
    }

    fn at_zero(&self, name: &VariantKey, entry: &Entry, tracked: Option<&Tracked>) -> State {
        match tracked.map(|tracked| &tracked.attempt) {
            Some(Attempt::TakenBack { retry, by, .. }) => {
                let by = match by {
                    Attribution::Known(by) => Some(by.clone()),
                    Attribution::Due | Attribution::Asked => None,
                };
                return State::Reverted(by, retry.since(self.now.mono));
            }
            Some(Attempt::Sent { .. } | Attempt::Accepted { .. } | Attempt::Reported) => return State::Asked,
            _ => {}
        }
        if let Some(held) = self.held.get(name) {
            return State::Blocked(held.why.clone());
        }
        if entry.role == Role::Unknown {
            let target = entry.target().and_then(|target| self.inventory.target(target));
            let role = target.and_then(Target::role_label).unwrap_or_default();
            return State::Blocked(Blocked::UnknownRole(role.into()));
        }
        if entry.pools.is_empty() {
            return State::Blocked(Blocked::NoPool);
        }
        if self.asks_for(name, entry) {
            return State::Asked;
        }
        if self.waiting(name, entry) > 0.0 {
            return State::Spare;
        }
        let signals = entry
            .pools
            .iter()
            .map(|pool| self.signals.of(&name.name.namespace, pool));
        let silent = signals.map(|signal| signal.blocks().is_some().then_some(signal));
        match silent
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.first().copied())
        {
            Some(signal) => State::NoSignal(signal),
            None => State::Parked,
        }
    }

    /// Requests waiting for a variant's models at its pools.
    pub fn waiting(&self, name: &VariantKey, entry: &Entry) -> f64 {
        let asked = keys(name, entry).filter_map(|key| self.demand.get(&key));
        let asked = asked.fold(0.0, |sum, asked| sum + asked.waiting);
        let held = self.held.get(name).map_or(0.0, |held| held.waiting);
        asked.max(held).min(f64::MAX)
    }

    /// Whether requests wait for the model, and nothing else of it is up: then it may be this one's turn.
    fn asks_for(&self, name: &VariantKey, entry: &Entry) -> bool {
        keys(name, entry).any(|key| {
            let up = |(_, other): (_, &Entry)| other.is_scaled() || self.memory.is_under_way(other.target());
            self.demand.contains_key(&key)
                && !super::join::variants_of(self.inventory, &key, self.rules.unmatched).any(up)
        })
    }
}

/// What demand for a variant may be counted by.
fn keys<'a>(name: &'a VariantKey, entry: &'a Entry) -> impl Iterator<Item = ModelKey> + 'a {
    let models = std::iter::once(&entry.variant.model).chain(&entry.variant.aliases);
    models.flat_map(|model| {
        entry.pools.iter().map(|pool| ModelKey {
            namespace: name.name.namespace.clone(),
            pool: pool.clone(),
            model: model.clone(),
        })
    })
}
