//! What is told of a wake in the cluster, and by whom.
//!
//! Who sends the write that wakes a target owes its report. A copy that only sees the target go up
//! waits a moment, looks whether the variant's status says so, and reports in its place if not; so
//! a death between the two writes leaves nothing untold. The status is written last, since it is
//! what tells the other copies that it has been told; it is written even where the Events cannot be, as WVA
//! goes by it.

use std::time::Duration;

use super::{Inventory, Memory, ModelKey, Mono, Now, ObjectName, Rules, StatusUpdate, TargetKey, Wall};

/// What the waker knows about a wake and a witness does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The model asked for.
    pub key: ModelKey,
    /// Requests waiting when the wake was decided.
    pub waiting: f64,
    /// Age of the sample that said so, at that moment. Unknown with a custom expression.
    pub sample_age: Option<Duration>,
    /// From the sample to the accepted write. Unknown if the age is.
    pub sample_to_scale: Option<Duration>,
}

/// A report that is owed.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// From when on it may be sent.
    pub(super) at: Mono,
    /// `metadata.generation` of the target after the wake: names the Event.
    pub(super) generation: i64,
    /// What the waker knows; `None` for a witness.
    pub(super) told: Option<Told>,
    /// A status written after this says it already.
    pub(super) since: Wall,
    /// Failed tries.
    pub(super) tries: u32,
    /// Whether the Events are written, or cannot be.
    pub(super) events_done: bool,
    /// Whether the status is written, or cannot be.
    pub(super) status_done: bool,
}

/// How far the report of a variant's wake is.
#[derive(Clone, Debug, PartialEq)]
pub enum Reporting {
    /// To be sent.
    Owed(Due),
    /// Under way.
    Sent(Due),
    /// Done, or found to be done by another.
    Done,
}

impl Reporting {
    /// Whether it means nothing any more once the target is back at 0: all but what this copy has
    /// still to tell of its own wake.
    pub(super) fn ends_with_the_wake(&self) -> bool {
        match self {
            Self::Owed(due) => due.told.is_none(),
            Self::Sent(_) => false,
            Self::Done => true,
        }
    }
}

/// One report to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The variant woken.
    pub variant: ObjectName,
    /// Its `metadata.uid`.
    pub variant_uid: Box<str>,
    /// Its target.
    pub target: TargetKey,
    /// `metadata.uid` of the target.
    pub target_uid: Box<str>,
    /// `metadata.generation` of the target after the wake.
    pub generation: i64,
    /// What the waker knows; `None` if somebody else woke it.
    pub told: Option<Told>,
    /// Whether Events are to be written.
    pub events: bool,
    /// The status to write, if it is to be written.
    pub status: Option<StatusUpdate>,
}

/// How sending a report ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Whether the Events are written, or need not be.
    pub events: bool,
    /// Whether the status is written, or need not be.
    pub status: bool,
}

/// Clocks of two machines may differ by this much without a status being written twice.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

impl Memory {
    /// The reports to send now. They count as under way from here on.
    pub fn reports_due(&mut self, inventory: &Inventory, now: Now, rules: &Rules) -> Vec<Report> {
        let mut reports = Vec::new();
        for (name, reporting) in &mut self.reports {
            let Reporting::Owed(due) = reporting else { continue };
            if now.mono < due.at {
                continue;
            }
            let Some(entry) = inventory.entry(name) else {
                continue;
            };
            let Some(target) = entry.target() else { continue };
            // A witness that has begun to tell sees its own status, and has its Events left to write.
            let witness = due.told.is_none() && !due.status_done;
            if witness && (!rules.status || !entry.is_scaled() || says_so(entry, due.since)) {
                *reporting = Reporting::Done;
                continue;
            }
            let status = (rules.status && !due.status_done).then(|| {
                StatusUpdate::new(
                    &entry.variant,
                    inventory.target(target),
                    &rules.fallback_accelerator,
                    now.wall,
                )
            });
            let events = rules.events && !due.events_done;
            if !events && status.is_none() {
                *reporting = Reporting::Done;
                continue;
            }
            reports.push(Report {
                variant: name.clone(),
                variant_uid: entry.variant.uid.clone(),
                target: target.clone(),
                target_uid: inventory
                    .target(target)
                    .map(|t| t.uid.clone())
                    .unwrap_or_default(),
                generation: due.generation,
                told: due.told.clone(),
                events,
                status,
            });
            *reporting = Reporting::Sent(due.clone());
        }
        reports
    }

    /// A report has ended. What failed is sent again after a wait that grows.
    pub fn reported(&mut self, variant: &ObjectName, reported: Reported, now: Mono, rules: &Rules) {
        let Some(reporting) = self.reports.get_mut(variant) else {
            return;
        };
        let Reporting::Sent(due) = reporting else { return };
        if reported.events && reported.status {
            *reporting = Reporting::Done;
            return;
        }
        let mut due = due.clone();
        due.at = now + rules.backoff.wait(due.tries);
        due.tries = due.tries.saturating_add(1);
        due.events_done |= reported.events;
        due.status_done |= reported.status;
        *reporting = Reporting::Owed(due);
    }
}

/// Whether the variant's status already says that the target is to have a replica, written after
/// the wake can have been.
fn says_so(entry: &super::Entry, since: Wall) -> bool {
    let Some(desired) = &entry.variant.status.desired else {
        return false;
    };
    let since = since.checked_sub(CLOCK_SKEW).unwrap_or(since);
    desired.replicas >= 1 && (since <= Wall::UNIX_EPOCH || desired.last_run.is_some_and(|at| at >= since))
}
