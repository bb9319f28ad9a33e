//! `/api/status`: what everything is and why, as JSON. Made when somebody asks, not per tick.

use std::collections::BTreeMap;

use serde::Serialize;

use super::QueryTrouble;
use crate::{
    cluster::Watches,
    core::{Entry, Held, Inventory, Observed, Role, Situation, VariantKey, Wall},
};

/// Blocked demand that is listed: anybody can ask for any model name, and whoever looks asks for all of it each second.
const MOST_BLOCKED: usize = 1000;
/// Characters of a name that clients choose.
const LONGEST_NAME: usize = 500;

/// What of the process goes into the status.
#[derive(Clone, Debug)]
pub struct Overview<'a> {
    /// Whether this copy queries and wakes.
    pub leading: bool,
    /// Whether it writes nothing.
    pub dry_run: bool,
    /// When the last query succeeded.
    pub last_query: Option<Wall>,
    /// Why demand is not known.
    pub trouble: Option<&'a QueryTrouble>,
    /// When the last tick ended.
    pub last_tick: Option<Wall>,
    /// From one tick to the next, in seconds.
    pub interval: f64,
    /// How many decisions there have been.
    pub decisions: u64,
    /// What objects say that contradicts others.
    pub conflicts: &'a [String],
    /// How the watches stand.
    pub watches: &'a Watches,
    /// Demand that no variant answers, and what else was held back in the last plan.
    pub held: &'a [Held],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    version: &'static str,
    time: Wall,
    leading: bool,
    dry_run: bool,
    last_successful_query: Option<Wall>,
    query_failing: Option<&'a QueryTrouble>,
    last_tick: Option<Wall>,
    effective_interval_seconds: f64,
    decisions: u64,
    conflicts: &'a [String],
    guards: Vec<GuardStatus<'a>>,
    watches: Vec<WatchStatus>,
    pools: Vec<PoolStatus<'a>>,
    variants: Vec<VariantStatus<'a>>,
    blocked: Vec<BlockedStatus<'a>>,
    /// What is blocked besides.
    more_blocked: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GuardStatus<'a> {
    on: String,
    model: &'a str,
    until: Wall,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WatchStatus {
    kind: String,
    namespace: Option<String>,
    state: &'static str,
    text: String,
    last_news: Option<Wall>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolStatus<'a> {
    namespace: &'a str,
    name: &'a str,
    signal: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VariantStatus<'a> {
    namespace: &'a str,
    name: &'a str,
    source: &'static str,
    model: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aliases: Vec<&'a str>,
    cost: f64,
    target: Option<TargetStatus<'a>>,
    pools: Vec<&'a str>,
    /// Requests waiting for its model at its pools.
    waiting: f64,
    state: &'static str,
    /// The state in words.
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetStatus<'a> {
    kind: &'a str,
    name: &'a str,
    replicas: Option<i64>,
    ready: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockedStatus<'a> {
    namespace: Option<&'a str>,
    pool: Option<&'a str>,
    model: Option<&'a str>,
    variant: Option<String>,
    waiting: f64,
    reason: &'static str,
    text: String,
}

/// The status, as JSON.
///
/// # Errors
/// Never in practice: everything in it can be written as JSON.
pub fn status(situation: &Situation<'_>, overview: &Overview<'_>) -> serde_json::Result<String> {
    let mut variants: Vec<(&VariantKey, &Entry)> = situation.inventory.entries().collect();
    variants.sort_by_key(|(name, _)| *name);
    let mut pools = BTreeMap::new();
    for (name, entry) in &variants {
        for pool in &entry.pools {
            let namespace = &name.name.namespace;
            pools
                .entry((&**namespace, &**pool))
                .or_insert_with(|| situation.signals.of(namespace, pool).as_str());
        }
    }
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        time: situation.now.wall,
        leading: overview.leading,
        dry_run: overview.dry_run,
        last_successful_query: overview.last_query,
        query_failing: overview.trouble,
        last_tick: overview.last_tick,
        effective_interval_seconds: overview.interval,
        decisions: overview.decisions,
        conflicts: overview.conflicts,
        guards: guards(situation.inventory),
        watches: watches(overview.watches),
        pools: pools
            .into_iter()
            .map(|((namespace, name), signal)| PoolStatus {
                namespace,
                name,
                signal,
            })
            .collect(),
        variants: variants
            .into_iter()
            .map(|(name, entry)| variant(situation, overview.trouble.is_none(), name, entry))
            .collect(),
        blocked: most_blocked(overview.held),
        more_blocked: overview.held.len().saturating_sub(MOST_BLOCKED),
    };
    serde_json::to_string(&status)
}

fn guards(inventory: &Inventory) -> Vec<GuardStatus<'_>> {
    let standing = inventory
        .guarded()
        .filter_map(|(key, scaler)| Some((key, scaler.guard.as_ref()?)));
    standing
        .map(|(key, guard)| GuardStatus {
            on: key.to_string(),
            model: &guard.model.model,
            until: guard.until,
        })
        .collect()
}

fn watches(watches: &Watches) -> Vec<WatchStatus> {
    let all = watches.snapshot().into_iter();
    all.map(|((kind, namespace), health)| WatchStatus {
        kind: kind.as_str().into_owned(),
        namespace: namespace.map(|namespace| namespace.to_string()),
        state: health.state.as_str(),
        text: health.state.to_string(),
        last_news: health.last_news,
    })
    .collect()
}

fn variant<'a>(
    situation: &Situation<'a>,
    demand_known: bool,
    name: &'a VariantKey,
    entry: &'a Entry,
) -> VariantStatus<'a> {
    let state = situation.state(name, entry);
    let known = entry.target().map(|key| (key, situation.inventory.target(key)));
    VariantStatus {
        namespace: &name.name.namespace,
        name: &name.name.name,
        source: name.source.as_str(),
        model: &entry.variant.model,
        aliases: entry.variant.aliases.iter().map(|alias| &**alias).collect(),
        cost: entry.variant.cost.value(),
        target: known.map(|(key, target)| {
            let (replicas, ready) = match target.map(|target| &target.observed) {
                None => (None, None),
                Some(Observed::Zero(_)) => (Some(0), Some(0)),
                Some(Observed::Scaled { replicas, ready, .. }) => (Some(*replicas), Some(*ready)),
            };
            TargetStatus {
                kind: key.kind.as_str(),
                name: &key.name.name,
                replicas,
                ready,
                role: target
                    .filter(|target| target.role() != Role::Known(crate::core::Parts::ALL))
                    .and_then(|target| target.role_label()),
            }
        }),
        pools: entry.pools.iter().map(|pool| &**pool).collect(),
        waiting: situation.waiting(name, entry),
        state: state.as_str(),
        reason: state.told(demand_known),
    }
}

/// As many as are listed: what keeps a variant down first, then the largest queues.
fn most_blocked(held: &[Held]) -> Vec<BlockedStatus<'_>> {
    let mut most: Vec<&Held> = held.iter().collect();
    if most.len() > MOST_BLOCKED {
        most.sort_by(|a, b| {
            let names = |held: &Held| held.variant.is_some();
            names(b).cmp(&names(a)).then(b.waiting.total_cmp(&a.waiting))
        });
        most.truncate(MOST_BLOCKED);
    }
    most.into_iter().map(blocked).collect()
}

fn blocked(held: &Held) -> BlockedStatus<'_> {
    BlockedStatus {
        namespace: cut(held.namespace.as_deref()),
        pool: cut(held.pool.as_deref()),
        model: cut(held.model.as_deref()),
        variant: held.variant.as_ref().map(ToString::to_string),
        // JSON knows no infinity, which an expression of the user's own may make.
        waiting: held.waiting.min(f64::MAX),
        reason: held.why.as_str(),
        text: held.why.to_string(),
    }
}

/// A name as clients send it, cut to what a reader can bear.
fn cut(name: Option<&str>) -> Option<&str> {
    let name = name?;
    let end = name.char_indices().nth(LONGEST_NAME);
    Some(end.map_or(name, |(end, _)| &name[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Blocked, Source};

    #[test]
    fn however_many_names_are_asked_for_the_list_is_bounded() {
        let held = |model: String, waiting: f64| Held {
            namespace: Some("llm".into()),
            pool: None,
            model: Some(model.into()),
            waiting,
            why: Blocked::NoVariant,
            variant: None,
        };
        let name = VariantKey {
            source: Source::VariantAutoscaling,
            name: crate::core::ObjectName::new("llm", "ours"),
        };
        let mut all: Vec<Held> = (0..5000_u32)
            .map(|n| held(format!("{n}{}", "é".repeat(5000)), f64::from(n % 7)))
            .collect();
        all.push(Held {
            variant: Some(name),
            ..held("ours".into(), 0.5)
        });
        let listed = most_blocked(&all);
        assert_eq!(listed.len(), MOST_BLOCKED);
        assert_eq!(
            listed[0].model,
            Some("ours"),
            "what can be mended is not crowded out"
        );
        assert!(
            listed[1..].iter().all(|line| line.waiting >= 5.0),
            "714 have six, and these come before the fives"
        );
        let text = serde_json::to_string(&listed).expect("JSON");
        assert!(text.len() < 2_000_000, "{}", text.len());
        assert_eq!(most_blocked(&all[..3]).len(), 3);
    }
}
