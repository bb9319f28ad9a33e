//! A stretch of demand for one model: when it begins, what belongs to it, when it is over.

use std::time::Duration;

use super::{Inventory, ModelKey, Mono, Now, Parts, Rules, Wall, join::variants_of};

/// How long after `readyTimeout` an episode lasts when demand never comes back.
const AFTER_READY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// From a model's first request that waits until the model has served them, or the time for that is over. Unknown
/// demand never ends one early.
#[derive(Clone, Debug)]
pub struct Episode {
    /// When it began.
    pub since: Now,
    /// When demand was last present.
    pub last_present: Mono,
    /// How often a set that did not become ready was given up for another (rule 11).
    pub escalations: u32,
    /// Since when it has been serving with demand gone.
    calm: Option<Mono>,
    /// Whether the model is served, where that has been looked at since an object last changed.
    serves: Option<bool>,
    /// Until when its samples, found to be too old, are not looked at again.
    pub(super) stale: Option<Mono>,
}

/// What is known of demand for a model at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Requests wait.
    Present,
    /// None do.
    Gone,
    /// It is not known.
    Unknown,
}

/// Why an episode has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpisodeEnd {
    /// The model has served with demand gone.
    Served,
    /// The time for it is over.
    TimedOut,
}

impl Episode {
    /// One that begins now.
    pub fn new(now: Now) -> Self {
        Self::restored(now, now.wall)
    }

    /// One that another process has left, in which a wake was told of at `told`.
    pub fn restored(now: Now, told: Wall) -> Self {
        let mono = now.mono_of(told);
        Self {
            since: Now { mono, wall: told },
            last_present: mono,
            escalations: 0,
            calm: None,
            serves: None,
            stale: None,
        }
    }

    /// Whether its samples were found too old just now.
    pub(super) fn is_stale(&self, now: Mono) -> bool {
        self.stale.is_some_and(|until| now < until)
    }

    /// How long an episode lasts at the most after demand was last present.
    pub fn longest(rules: &Rules) -> Duration {
        rules.ready_timeout.saturating_add(AFTER_READY_TIMEOUT)
    }

    /// Takes in what is known of demand now, and whether no object has changed since the last time. Says whether it is over.
    pub fn observe(
        &mut self,
        key: &ModelKey,
        inventory: &Inventory,
        (demand, unchanged): (Presence, bool),
        now: Mono,
        rules: &Rules,
    ) -> Option<EpisodeEnd> {
        if !unchanged {
            self.serves = None;
        }
        if demand == Presence::Present {
            self.last_present = now;
        }
        let mut serves = || *self.serves.get_or_insert_with(|| serves(inventory, key, rules));
        if demand == Presence::Present || !serves() {
            self.calm = None;
        } else if demand == Presence::Gone {
            self.calm.get_or_insert(now);
        }
        let calm = self.calm.is_some_and(|since| now.since(since) >= rules.settle);
        if demand == Presence::Gone && calm {
            return Some(EpisodeEnd::Served);
        }
        let over = now.since(self.last_present) >= Self::longest(rules);
        over.then_some(EpisodeEnd::TimedOut)
    }
}

/// Whether what is up of a model serves it: a decode, and a prefill where one is up. A prefill that is ready long before
/// its decode serves nobody (rule 8).
fn serves(inventory: &Inventory, key: &ModelKey, rules: &Rules) -> bool {
    let (mut ready, mut apart) = (Parts::default(), false);
    for (_, entry) in variants_of(inventory, key, rules.unmatched).filter(|(_, entry)| entry.is_scaled()) {
        let parts = entry.role.parts();
        apart |= parts.prefill && !parts.decode;
        if entry.is_serving() {
            ready = ready.and(parts);
        }
    }
    ready.decode && (ready.prefill || !apart)
}
