//! The probes: each looks at one link of the path, and says what is wrong there.

mod config;
mod demand;
mod epp;
#[cfg(test)]
mod given;
mod keda;
#[cfg(test)]
mod odd;
mod permissions;
mod pool;
mod prometheus;
mod scope;
mod signal;
mod take_back;
mod variant;
mod wake;

pub(super) use self::{
    epp::{Epp, Reference, is_ready},
    signal::targets_of,
};
use super::{
    Facts, Problem, Verdict,
    paste::{self, on as kubectl},
};
use crate::core::ObjectName;

/// A merge patch, to paste.
fn patch(kind: &str, name: &ObjectName, patch: &serde_json::Value) -> String {
    let patch = patch.to_string();
    kubectl(
        "patch",
        kind,
        name,
        &format!("--type merge -p {}", paste::word(&patch)),
    )
}

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
