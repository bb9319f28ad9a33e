//! When a set that is starting is held to have failed (rule 11).

use std::{fmt, time::Duration};

use super::{Entry, Mono, Now, Observed, Rules, StuckBy, Tracked};

/// How long `ReplicaFailure` must be true: one refusal is tried again by the Deployment's controller within seconds.
/// Not longer than `wake.unschedulableAfter`.
const REPLICA_FAILURE_FOR: Duration = Duration::from_secs(10);

/// The clock of the API server and ours may differ by this much.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// What the pods of a starting target say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pods {
    /// When they are to be looked at.
    pub look: Mono,
    /// Since when one of them cannot be scheduled, without a break, and why.
    pub unschedulable: Option<(Mono, Box<str>)>,
    /// Whether they may not be looked at: then the target's own conditions serve.
    pub unseen: bool,
    /// Whether a look is under way.
    pub asked: bool,
}

/// Why a target that has begun to start is not waited for alone any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Not ready for this long, which is `wake.readyTimeout`.
    NotReady(Duration),
    /// A pod cannot be scheduled, for `wake.unschedulableAfter` without a break; the scheduler's words.
    Unschedulable(Box<str>),
    /// Its pods are refused, by quota or admission; the condition's message.
    ReplicaFailure(Box<str>),
    /// Its own `progressDeadlineSeconds` are over; the condition's message.
    NotProgressing(Box<str>),
}

impl Overdue {
    /// Whether a variant's target is overdue. Only what has changed after it began to start counts.
    pub fn of(entry: &Entry, tracked: &Tracked, now: Now, rules: &Rules) -> Option<Self> {
        let since = tracked.starting_since()?;
        let Ok(Observed::Scaled { ready: 0, stuck, .. }) = &entry.observed else {
            return None;
        };
        if let Some(stuck) = stuck {
            let changed = now.mono_of(stuck.since);
            let message = stuck.message.clone();
            let refused_for = REPLICA_FAILURE_FOR.min(rules.unschedulable_after);
            if changed + CLOCK_SKEW >= since {
                match stuck.by {
                    // Not before its own start, should the clocks differ.
                    StuckBy::ReplicaFailure if now.mono.since(changed.max(since)) >= refused_for => {
                        return Some(Self::ReplicaFailure(message));
                    }
                    // Its deadline is none of ours; it serves where its pods cannot be looked at.
                    StuckBy::NotProgressing if tracked.pods.unseen => {
                        return Some(Self::NotProgressing(message));
                    }
                    _ => {}
                }
            }
        }
        if let Some((at, why)) = &tracked.pods.unschedulable
            && now.mono.since((*at).max(since)) >= rules.unschedulable_after
        {
            return Some(Self::Unschedulable(why.clone()));
        }
        let waited: Duration = now.mono.since(since);
        (waited >= rules.ready_timeout).then_some(Self::NotReady(rules.ready_timeout))
    }

    /// The word for it in metrics and reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotReady(_) => "not_ready",
            Self::Unschedulable(_) => "unschedulable",
            Self::ReplicaFailure(_) => "replica_failure",
            Self::NotProgressing(_) => "not_progressing",
        }
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady(wait) => write!(f, "not ready {} s after it began to start", wait.as_secs()),
            Self::Unschedulable(why) => write!(f, "its pod cannot be scheduled: {why}"),
            Self::ReplicaFailure(why) => write!(f, "its pods are refused: {why}"),
            Self::NotProgressing(why) => write!(f, "it makes no progress: {why}"),
        }
    }
}

impl Tracked {
    /// Whether [`Overdue::of`] may find anything, without a look at the target's record.
    pub(super) fn may_be_overdue(&self, now: Now, rules: &Rules) -> bool {
        self.starting_since().is_some_and(|since| {
            self.stuck || self.pods.unschedulable.is_some() || now.mono.since(since) >= rules.ready_timeout
        })
    }

    /// What its pods say now: why one cannot be scheduled and since when, or that none is held up.
    pub fn pods_seen(&mut self, unschedulable: Option<(Mono, Box<str>)>) {
        self.pods.unseen = false;
        self.pods.asked = false;
        let before = self.pods.unschedulable.take();
        self.pods.unschedulable = unschedulable.map(|(since, why)| {
            // A pod that took another's place does not begin the wait anew.
            let since = before.map_or(since, |(earlier, _)| earlier.min(since));
            (since, why)
        });
    }
}
