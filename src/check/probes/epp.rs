//! The endpoint picker of a pool: its Service and pods, its configuration.

use crate::check::{Facts, Problem, Verdict};

/// What is wrong there.
pub(super) fn probe(_facts: &Facts, _verdict: &Verdict<'_>) -> Vec<Problem> {
    Vec::new()
}
