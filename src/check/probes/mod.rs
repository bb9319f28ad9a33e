//! The probes: each looks at one link of the path, and says what is wrong there.

mod config;
mod demand;
mod epp;
#[cfg(test)]
mod given;
mod keda;
#[cfg(test)]
mod odd;
mod paste;
mod permissions;
mod pool;
mod prometheus;
mod scope;
mod signal;
mod take_back;
mod variant;
mod wake;

use super::{Facts, Problem, Verdict};
use crate::core::ObjectName;

/// `kubectl -n NAMESPACE VERB KIND NAME REST`, to paste.
fn kubectl(verb: &str, kind: &str, name: &ObjectName, rest: &str) -> String {
    let (kind, space) = (kind.to_lowercase(), if rest.is_empty() { "" } else { " " });
    paste::kubectl(
        &name.namespace,
        &format!(
            "{verb} {} {}{space}{rest}",
            paste::word(&kind),
            paste::word(&name.name)
        ),
    )
}

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
