//! The log of the decision: at info one line when something changes, never one per tick. What is told there is counted
//! in the metrics and kept in the history, and what is wrong becomes a Warning Event.

mod blocked;
mod notices;
mod wakes;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    history::{Decision, History},
    metrics::{Metrics, Reason, ResultLabel},
};
use crate::{
    cluster::Warning,
    core::{Inventory, ModelKey, Wall},
};

use self::blocked::BlockedLog;

/// Characters of a name that clients choose, in a line of the log.
const LONGEST_NAME: usize = 200;

/// What is asked for, and may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Demand,
    Ages,
    Signals,
    Pods,
}

/// Why there is no answer to go by.
#[derive(Clone, Debug, Serialize)]
pub struct QueryTrouble {
    /// Since when.
    pub since: Wall,
    /// The reason of the last failure, as in metrics.
    pub reason: &'static str,
    /// The same in words.
    pub text: String,
}

/// Says what changes, and counts it.
#[derive(Debug)]
pub struct Journal {
    metrics: Metrics,
    history: History,
    inactive: Option<usize>,
    blocked: BlockedLog,
    /// What has been said not to work, and does not work yet.
    failing: BTreeSet<Ask>,
    /// Why demand is not known.
    trouble: Option<QueryTrouble>,
    /// What objects say that contradicts others, as told last.
    conflicts: Vec<String>,
    warnings: Vec<Warning>,
}

impl Journal {
    /// A journal that counts in these metrics and keeps this history.
    pub fn new(metrics: Metrics, history: History) -> Self {
        Self {
            metrics,
            history,
            inactive: None,
            blocked: BlockedLog::default(),
            failing: BTreeSet::new(),
            trouble: None,
            conflicts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The warnings that have come up since the last call, to be told as Events.
    pub fn warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// How many variants are inactive.
    pub fn inventory(&mut self, inventory: &Inventory) {
        let count = inventory.inactive();
        if self.inactive.replace(count) != Some(count) {
            tracing::debug!(count, "Found inactive VariantAutoscaling resources");
        }
        self.metrics.inventory(inventory);
    }

    /// Objects that contradict each other. Said when they are not the same as before.
    pub fn conflicts(&mut self, conflicts: Vec<String>) {
        /// Lines at once: a migration may bring thousands.
        const MOST: usize = 20;
        // Both are sorted.
        let is_new = |conflict: &&String| self.conflicts.binary_search(conflict).is_err();
        let new: Vec<_> = conflicts.iter().filter(is_new).collect();
        if new.len() > MOST {
            tracing::warn!(
                more = new.len() - MOST,
                "Variants of many targets contradict each other; some of them follow"
            );
        }
        for conflict in new.into_iter().take(MOST) {
            tracing::warn!(
                conflict,
                "Variants of one target contradict each other, or one is described twice"
            );
        }
        self.conflicts = conflicts;
    }

    /// Episodes that another process has left are gone on with.
    pub fn restored(&self, episodes: usize) {
        if episodes > 0 {
            tracing::info!(
                episodes,
                "Going on with what another copy, or this one before its restart, has woken"
            );
        }
    }

    /// Pods may not be listed. Said once.
    pub fn pods_forbidden(&mut self) {
        if self.failing.insert(Ask::Pods) {
            tracing::info!(
                "Not permitted to list pods, so a target whose pods cannot be scheduled is noticed after wake.readyTimeout only; manifests/rbac/pods permits it"
            );
        }
    }

    /// A query has succeeded.
    pub fn query_answered(&mut self) {
        self.trouble = None;
        if self.failing.remove(&Ask::Demand) {
            tracing::info!("Prometheus answers again");
        }
    }

    /// A query has failed. Said when it starts to fail, counted each time.
    pub fn query_failed(&mut self, reason: &'static str, error: &dyn std::fmt::Display, now: Wall) {
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        let text = error.to_string();
        self.trouble = Some(QueryTrouble { since, reason, text });
        self.count_query_error(reason);
        if self.failing.insert(Ask::Demand) {
            tracing::warn!(reason, %error, "Query failed: demand is unknown, nothing is woken until it works");
        }
    }

    /// Why demand is not known, while it is not.
    pub fn trouble(&self) -> Option<&QueryTrouble> {
        self.trouble.as_ref()
    }

    /// What objects say that contradicts others, as of the last look.
    pub fn contradictions(&self) -> &[String] {
        &self.conflicts
    }

    /// How many decisions there have been.
    pub fn decisions(&self) -> u64 {
        self.history.count()
    }

    /// The query for the ages of samples has failed, or works again.
    pub fn ages(&mut self, failed: Option<(&'static str, &dyn std::fmt::Display)>) {
        let is_new = self.fails(Ask::Ages, failed.is_some());
        if let Some((reason, error)) = failed {
            self.count_query_error(reason);
            if is_new {
                tracing::warn!(reason, %error, "The age of samples is unknown; waking all the same");
            }
        }
    }

    /// The query for the signal of EPPs has failed, or works again.
    pub fn signals(&mut self, failed: Option<(&'static str, &dyn std::fmt::Display)>) {
        let is_new = self.fails(Ask::Signals, failed.is_some());
        if let Some((reason, error)) = failed {
            self.count_query_error(reason);
            if is_new {
                tracing::warn!(reason, %error, "Whether the EPPs' flow control is on cannot be asked just now");
            }
        }
    }

    /// Takes in whether something fails. Says whether it has begun to.
    fn fails(&mut self, what: Ask, failing: bool) -> bool {
        if failing {
            self.failing.insert(what)
        } else {
            self.failing.remove(&what);
            false
        }
    }

    fn count_query_error(&self, reason: &'static str) {
        self.metrics.query_errors.get_or_create(&Reason { reason }).inc();
    }

    fn count_wake(&self, result: &'static str) {
        self.metrics.wakes.get_or_create(&ResultLabel { result }).inc();
    }
}

/// A decision about a model.
fn about(key: &ModelKey, decision: &'static str, now: Wall) -> Decision {
    Decision {
        time: now,
        decision,
        namespace: Some(key.namespace.to_string()),
        pool: Some(key.pool.to_string()),
        model: Some(short(&key.model)),
        ..Decision::default()
    }
}

/// A name as clients send it, cut to what a line can bear.
fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}
