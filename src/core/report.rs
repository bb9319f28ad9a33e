//! What is told of a wake in the cluster, and by whom.
//!
//! Who sends the write that wakes a target owes its report. A copy that only sees the target go up
//! waits a moment, looks whether the variant's status says so, and reports in its place if not; so
//! a death between the two writes leaves nothing untold. The status is written last, since it is
//! what tells the other copies that it has been told; it is written even where the Events cannot be, as WVA
//! goes by it.

use std::{sync::Arc, time::Duration};

use super::{
    Cause, Entry, Episode, Inventory, Memory, ModelKey, Mono, Now, Rules, Source, StatusUpdate, TargetKey,
    VariantKey, Wall,
};

/// What the waker knows about a wake and a witness does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The model asked for.
    pub key: ModelKey,
    /// Why it was woken.
    pub cause: Cause,
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
    /// Whether the mark is written, or cannot be.
    pub(super) mark_done: bool,
}

/// How far the report of a variant's wake is.
#[derive(Clone, Debug, PartialEq)]
pub enum Reporting {
    /// To be sent.
    Owed(Due),
    /// Under way.
    Sent(Due),
    /// Done, or found to be done by another. The mark stands, and how often it had to be renewed.
    Done(u32),
}

impl Reporting {
    /// Whether it means nothing any more once the target is back at 0: all but what this copy has
    /// still to tell of its own wake.
    pub(super) fn ends_with_the_wake(&self) -> bool {
        match self {
            Self::Owed(due) => due.told.is_none(),
            Self::Sent(_) => false,
            Self::Done(_) => true,
        }
    }
}

/// One report to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The variant woken.
    pub variant: VariantKey,
    /// Its `metadata.uid`.
    pub variant_uid: Box<str>,
    /// Its target.
    pub target: TargetKey,
    /// `metadata.uid` of the target.
    pub target_uid: Arc<str>,
    /// `metadata.generation` of the target after the wake.
    pub generation: i64,
    /// What the waker knows; `None` if somebody else woke it.
    pub told: Option<Told>,
    /// Whether Events are to be written.
    pub events: bool,
    /// What is written on the variant, if that is to be written.
    pub mark: Option<Mark>,
}

/// What is written on a variant that was woken: other copies see by it that the wake has been told of.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// The status of a VariantAutoscaling.
    Status(StatusUpdate),
    /// The annotation with the decision, on a source that has no status for it.
    Annotation,
}

/// How sending a report ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Whether the Events are written, or need not be.
    pub events: bool,
    /// Whether the mark is written, or need not be.
    pub mark: bool,
}

/// Clocks of two machines may differ by this much without a status being written twice.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

impl Memory {
    /// The reports to send now. They count as under way from here on.
    pub fn reports_due(&mut self, inventory: &Inventory, now: Now, rules: &Rules) -> Vec<Report> {
        let mut reports = Vec::new();
        // What is done is so until an object changes, and in a cluster of thousands that is all of them.
        let news = self.reported_on.as_ref() != Some(inventory.revision());
        self.reported_on = Some(inventory.revision().clone());
        let recent = now.wall.checked_sub(Episode::longest(rules)).unwrap_or(Wall::MIN);
        for (name, reporting) in &mut self.reports {
            let looked_at = match reporting {
                Reporting::Owed(due) => now.mono >= due.at,
                Reporting::Sent(_) => false,
                Reporting::Done(_) => news,
            };
            if !looked_at {
                continue;
            }
            let Some(entry) = inventory.entry(name) else {
                continue;
            };
            let Some(target) = entry.target() else { continue };
            let marks = rules.status || name.source != Source::VariantAutoscaling;
            let known = inventory.target(target);
            if let Reporting::Done(times) = reporting
                && marks
                && is_undone(name, entry)
            {
                *reporting = renewal(*times, known.map_or(0, |t| t.generation), now, rules);
            }
            let Reporting::Owed(due) = reporting else { continue };
            if now.mono < due.at {
                continue;
            }
            // A mark that was tried may be its own, with the answer lost. The Events are not written then, and whoever
            // else has written them, none is there twice.
            let may_be_its_own = due.told.is_none() && due.tries > 0 && !due.events_done;
            if may_be_its_own && marks && says_so(name, entry, due.since, recent) {
                due.mark_done = true;
            }
            // A witness that has written the mark sees its own, and has its Events left to write.
            let witness = due.told.is_none() && !due.mark_done;
            // With the Events done only the mark is left, and once the target serves, that is WVA's to decide.
            let late = due.events_done && !entry.is_starting();
            if witness && (!marks || !entry.is_scaled() || late || says_so(name, entry, due.since, recent)) {
                *reporting = Reporting::Done(due.tries);
                continue;
            }
            let mark = (marks && !due.mark_done).then(|| match name.source {
                Source::VariantAutoscaling => {
                    let fallback = &rules.fallback_accelerator;
                    Mark::Status(StatusUpdate::new(&entry.variant, known, fallback, now.wall))
                }
                _ => Mark::Annotation,
            });
            let events = rules.events && !due.events_done;
            if !events && mark.is_none() {
                *reporting = Reporting::Done(due.tries);
                continue;
            }
            reports.push(Report {
                variant: name.clone(),
                variant_uid: entry.variant.uid.clone(),
                target: target.clone(),
                target_uid: known.map(|t| t.uid.clone()).unwrap_or_default(),
                generation: due.generation,
                told: due.told.clone(),
                events,
                mark,
            });
            *reporting = Reporting::Sent(due.clone());
        }
        reports
    }

    /// A report has ended. What failed is sent again after a wait that grows.
    pub fn reported(&mut self, variant: &VariantKey, reported: Reported, now: Mono, rules: &Rules) {
        let Some(reporting) = self.reports.get_mut(variant) else {
            return;
        };
        let Reporting::Sent(due) = reporting else { return };
        (self.followed, self.reported_on) = (None, None);
        if reported.events && reported.mark {
            *reporting = Reporting::Done(due.tries);
            return;
        }
        let mut due = due.clone();
        due.at = now + rules.backoff.wait(due.tries);
        due.tries = due.tries.saturating_add(1);
        due.events_done |= reported.events;
        due.mark_done |= reported.mark;
        *reporting = Reporting::Owed(due);
    }
}

/// Whether something has taken away what a wake wrote into the status, while the target has not become ready. Once it
/// serves, the status is WVA's to decide.
fn is_undone(name: &VariantKey, entry: &Entry) -> bool {
    let has_status = name.source == Source::VariantAutoscaling;
    has_status && entry.is_starting() && entry.variant.status.desired_replicas() == 0
}

/// The mark once more, without Events, after a wait that grows each time.
fn renewal(times: u32, generation: i64, now: Now, rules: &Rules) -> Reporting {
    Reporting::Owed(Due {
        at: now.mono + rules.backoff.wait(times),
        generation,
        told: None,
        since: now.wall,
        tries: times.saturating_add(1),
        events_done: true,
        mark_done: false,
    })
}

/// Whether the variant's mark already says that the target is to have a replica, written after the wake can have been.
/// That of a VariantAutoscaling is its status: the annotation there may stand where the waker has died before it.
fn says_so(name: &VariantKey, entry: &Entry, since: Wall, recent: Wall) -> bool {
    let since = since.checked_sub(CLOCK_SKEW).unwrap_or(since);
    let after = |at: Option<Wall>| since <= Wall::UNIX_EPOCH || at.is_some_and(|at| at >= since);
    let desired = entry.variant.status.desired.as_ref();
    match name.source {
        Source::VariantAutoscaling => {
            desired.is_some_and(|desired| desired.replicas >= 1 && after(desired.last_run))
        }
        // It stays from wake to wake: that of an earlier one tells of nothing.
        _ => entry.variant.annotated.is_some_and(|at| at >= since.max(recent)),
    }
}
