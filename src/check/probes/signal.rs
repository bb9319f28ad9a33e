//! What Prometheus has of the EPP: the scrape, its interval, the families and labels of the queue.

use crate::check::{Facts, Problem, Verdict};

/// What is wrong there.
pub(super) fn probe(_facts: &Facts, _verdict: &Verdict<'_>) -> Vec<Problem> {
    Vec::new()
}
