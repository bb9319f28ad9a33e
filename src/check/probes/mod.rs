//! The probes: each looks at one link of the path, and says what is wrong there.

mod epp;
#[cfg(test)]
mod given;
#[cfg(test)]
mod odd;
mod paste;
mod signal;

use std::collections::BTreeSet;

use super::{Facts, Problem, Verdict};
use crate::core::VariantKey;

/// A probe: what it finds, in any order.
type Probe = fn(&Facts, &Verdict<'_>) -> Vec<Problem>;

/// What every probe finds.
pub fn all(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    const PROBES: [Probe; 2] = [epp::probe, signal::probe];
    PROBES.iter().flat_map(|probe| probe(facts, verdict)).collect()
}

/// The variants in scope behind a pool.
fn behind(facts: &Facts, namespace: &str, pool: &str) -> BTreeSet<VariantKey> {
    let pools = facts.inventory.variants_behind(Some(namespace), Some(pool));
    pools.flat_map(|(_, names)| names.iter().cloned()).collect()
}
