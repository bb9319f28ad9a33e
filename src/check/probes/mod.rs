//! The probes: each looks at one link of the path, and says what is wrong there.

mod config;
mod demand;
mod epp;
mod keda;
mod paste;
mod permissions;
mod pool;
mod prometheus;
mod signal;
mod take_back;
mod variant;
mod wake;

use std::collections::BTreeSet;

use super::{Facts, Problem, Verdict};
use crate::core::{Scope, VariantKey};

/// A probe: what it finds, in any order.
type Probe = fn(&Facts, &Verdict<'_>) -> Vec<Problem>;

/// What every probe finds.
pub fn all(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    const PROBES: [Probe; 11] = [
        config::probe,
        permissions::probe,
        prometheus::probe,
        variant::probe,
        pool::probe,
        epp::probe,
        signal::probe,
        demand::probe,
        wake::probe,
        take_back::probe,
        keda::probe,
    ];
    PROBES.iter().flat_map(|probe| probe(facts, verdict)).collect()
}

/// The variants in scope behind a pool.
fn behind(facts: &Facts, namespace: &str, pool: &str) -> BTreeSet<VariantKey> {
    let pools = facts.inventory.variants_behind(Some(namespace), Some(pool));
    let names = pools.flat_map(|(_, names)| names);
    names
        .filter(|name| {
            facts
                .inventory
                .entry(name)
                .is_some_and(|entry| entry.scope == Scope::In)
        })
        .cloned()
        .collect()
}

/// The nearest of some names to one that does not exist; `None` where none is near.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let all = names.map(|name| (strsim::jaro_winkler(wanted, name), name));
    let best = all.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness > 0.8).map(|(_, name)| name)
}
