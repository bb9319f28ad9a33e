//! Whether series of one pool come from several clusters or tenants.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::epp::Epp,
    index::{Scraped, label},
    paste,
};
use crate::check::{Link, Problem, Severity};

/// Labels by which a view over many (Thanos, Mimir, Cortex, federation) tells whose series they are. Every other label
/// may differ between series of one EPP for good reasons.
const OWNERS: [&str; 10] = [
    "cluster",
    "tenant",
    "prometheus",
    "env",
    "environment",
    "region",
    "datacenter",
    "dc",
    "site",
    "stage",
];

/// Whether a label may tell clusters or tenants apart; the replicas of one server have the same demand.
fn tells_owners(name: &str) -> bool {
    let replica = name.contains("replica");
    !replica && (OWNERS.contains(&name) || name.contains("cluster") || name.contains("tenant"))
}

/// Pods by name; `None` of series that name none.
type Pods<'a> = BTreeSet<Option<&'a str>>;

/// One label that tells several.
pub(super) fn problem(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let query = &epp.facts.config.query;
    let own = [
        &query.labels.namespace,
        &query.labels.pool,
        &query.labels.model,
        &query.labels.target_model,
    ];
    // The pods that each value of each label stands beside. A value that some series lack is one more.
    let series = &scraped.series;
    let names: BTreeSet<&str> = series
        .iter()
        .flat_map(|series| series.labels.keys())
        .map(String::as_str)
        .filter(|name| tells_owners(name) && !query.matchers.contains_key(*name))
        .filter(|name| own.iter().all(|own| own != name))
        .collect();
    let (name, values) = names
        .into_iter()
        .map(|name| {
            let mut values: BTreeMap<&str, Pods<'_>> = BTreeMap::new();
            for series in series {
                let value = label(series, name).unwrap_or_default();
                values.entry(value).or_default().insert(label(series, "pod"));
            }
            (name, values)
        })
        .filter(|(name, values)| values.len() > 1 && (*name != "prometheus" || !share_pods(values)))
        // A cluster says more than where it stands.
        .min_by_key(|(name, _)| (!name.contains("cluster"), !name.contains("tenant"), *name))?;
    let what = format!(
        "series of pool {}/{} come from several owners by the label {name}, and requests of all of them wake the \
         models here",
        epp.namespace, epp.name
    );
    let mut problem = epp.problem(
        "several_clusters",
        Severity::Warning,
        Link::Signal,
        epp.service,
        what,
    );
    for (value, pods) in values.iter().take(5) {
        let pods: Vec<_> = pods.iter().flatten().copied().take(3).collect();
        let told = if value.is_empty() { "(none)" } else { value };
        problem.evidence.push(if pods.is_empty() {
            format!("{name}={told}")
        } else {
            format!("{name}={told}: pod {}", pods.join(", "))
        });
    }
    // The one whose pods are those of this cluster.
    let here = values.iter().find(|(value, pods)| {
        let mut known = epp.pods.iter();
        !value.is_empty() && known.any(|pod| pods.contains(&Some(&*pod.name)))
    });
    let first = values.keys().find(|value| !value.is_empty());
    let (value, told) = match here {
        Some((value, _)) => (*value, "Ask for those of this cluster only"),
        None => (*first?, "Ask for those of one only; which one is yours to say"),
    };
    problem.mend = vec![
        told.to_owned(),
        "query:".to_owned(),
        format!(
            "  matchers: {{{}: {}}}",
            paste::scalar(name),
            paste::scalar(value)
        ),
    ];
    Some(problem)
}

/// Whether the values stand beside the same pods: several servers scrape the same EPP, which counts once.
fn share_pods(values: &BTreeMap<&str, Pods<'_>>) -> bool {
    let mut all = values.values();
    let Some(first) = all.next() else {
        return true;
    };
    all.all(|pods| pods.intersection(first).next().is_some())
}
