//! The pool: which one selects the pods of the target, and whom it holds besides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    check::{Concerns, Facts, Link, Object, Problem, Severity, Verdict},
    core::{Blocked, Entry, Labels, Scope, VariantKey},
};

/// The two groups that serve InferencePools.
pub(super) const GROUPS: [&str; 2] = ["inference.networking.k8s.io", "inference.networking.x-k8s.io"];

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let entries = facts
        .inventory
        .entries()
        .filter(|(_, entry)| entry.scope == Scope::In);
    let mut problems: Vec<_> = entries
        .filter_map(|(name, entry)| no_pool(facts, name, entry))
        .collect();
    let pools = GROUPS
        .iter()
        .flat_map(|group| facts.objects.all(group, "InferencePool"));
    problems.extend(
        pools
            .filter(|pool| selector(pool).is_empty())
            .map(selects_nothing),
    );
    problems.extend(shared(facts));
    problems
}

/// What a pool selects by, in either shape; what is no string is left out.
pub(super) fn selector(pool: &Object) -> BTreeMap<&str, &str> {
    if pool.at("/spec/selector/matchLabels").is_some() {
        pool.strings("/spec/selector/matchLabels")
    } else {
        pool.strings("/spec/selector")
    }
}

fn selects_nothing(pool: &Object) -> Problem {
    Problem::new(
        "pool_selects_nothing",
        Severity::Warning,
        Link::Pool,
        "its selector is empty, and an empty selector selects nothing here",
    )
    .about(pool.named())
    .mend("name a label that the pods of its model servers carry")
    .mend("spec: {selector: {matchLabels: {app: NAME}}}")
}

/// Labels in which a selector and a pod template differ: name, what the pool wants, what stands there.
fn differs<'a>(
    selector: &BTreeMap<&'a str, &'a str>,
    labels: &'a Labels,
) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
    let pairs = selector
        .iter()
        .map(|(name, wanted)| (*name, *wanted, labels.get(name)));
    pairs
        .filter(|(_, wanted, there)| *there != Some(wanted))
        .collect()
}

/// No pool selects the target's pods: which one is the nearest, and what keeps it from doing so.
fn no_pool(facts: &Facts, name: &VariantKey, entry: &Entry) -> Option<Problem> {
    if !entry.pools.is_empty() || entry.observed.is_err() {
        return None;
    }
    let target = entry.target()?;
    let known = facts.inventory.target(target)?;
    let namespace = &*name.name.namespace;
    let problem = Problem::new(Blocked::NoPool.as_str(), Severity::Error, Link::Pool, "no InferencePool of its namespace selects the pods of its target, so requests for it wait nowhere that is known")
        .about(target.to_string())
        .concerning(Concerns::one(name));
    let unread = facts
        .unread
        .iter()
        .find(|unread| unread.kind == "InferencePool" && !unread.absent);
    if let Some(unread) = unread {
        return Some(
            problem
                .seen(format!("InferencePools cannot be read: {}", unread.why))
                .mend("let the account get, list and watch inferencepools, see manifests/README.md"),
        );
    }
    let here = GROUPS
        .iter()
        .flat_map(|group| facts.objects.within(group, "InferencePool", namespace));
    let nearest = here
        .map(|pool| (pool, selector(pool)))
        .filter(|(_, selector)| !selector.is_empty())
        .map(|(pool, selector)| (differs(&selector, &known.labels), selector.len(), pool))
        .min_by_key(|(differs, pairs, pool)| (differs.len(), usize::MAX - pairs, pool.name.clone()));
    let Some((differs, _, pool)) = nearest else {
        let elsewhere: BTreeSet<_> = GROUPS
            .iter()
            .flat_map(|group| facts.objects.all(group, "InferencePool"))
            .map(Object::named)
            .collect();
        let problem = problem.seen(if elsewhere.is_empty() {
            format!("there is no InferencePool in namespace {namespace}")
        } else {
            let some: Vec<_> = elsewhere.into_iter().take(3).collect();
            format!(
                "there is none in namespace {namespace}; elsewhere: {}",
                some.join(", ")
            )
        });
        return Some(
            problem
                .mend(format!(
                    "create an InferencePool in namespace {namespace} whose selector these labels contain:"
                ))
                .mend(shown(&known.labels)),
        );
    };
    let mut problem = problem.seen(format!("the nearest is {}:", pool.named()));
    for (label, wanted, there) in &differs {
        problem = problem.seen(match there {
            Some(there) => {
                format!("label {label}: the pool wants {wanted:?}, the pod template has {there:?}")
            }
            None => format!("label {label}: the pool wants {wanted:?}, the pod template has no such label"),
        });
    }
    let labels: BTreeMap<_, _> = differs
        .iter()
        .map(|(label, wanted, _)| (*label, *wanted))
        .collect();
    let patch = json!({"spec": {"template": {"metadata": {"labels": labels}}}});
    Some(
        problem
            .mend("give the pod template the labels that the pool selects by (a Deployment's own selector must still match them), or correct the pool's selector")
            .mend(super::patch(target.kind.as_str(), &target.name, &patch)),
    )
}

fn shown(labels: &Labels) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    if pairs.is_empty() {
        return "(the pod template has no labels)".to_owned();
    }
    pairs.join(", ")
}

/// Several models parked behind one pool: once one of them is up, requests for the others no longer wait.
fn shared(facts: &Facts) -> Vec<Problem> {
    let pools = facts.inventory.variants_behind(None, None);
    pools
        .filter_map(|((namespace, pool), names)| {
            let entries = names.iter().filter_map(|name| Some((name, facts.inventory.entry(name)?)));
            let mut models: BTreeMap<&str, BTreeSet<VariantKey>> = BTreeMap::new();
            for (name, entry) in entries.filter(|(_, entry)| entry.scope == Scope::In) {
                models.entry(&entry.variant.model).or_default().insert(name.clone());
            }
            if models.len() < 2 {
                return None;
            }
            let mut problem = Problem::new(
                "models_share_pool",
                Severity::Warning,
                Link::Pool,
                "several models are behind one pool: once one of them is ready, requests for the others are sent to it instead of waiting, and do not wake theirs",
            )
            .about(format!("InferencePool {namespace}/{pool}"))
            .concerning(Concerns::Variants(models.values().flatten().cloned().collect()));
            for (model, names) in models.iter().take(5) {
                problem = problem.seen(format!("{model}: {}", names.iter().map(|name| name.name.name.to_string()).collect::<Vec<_>>().join(", ")));
            }
            if models.len() > 5 {
                problem = problem.seen(format!("and {} more models", models.len() - 5));
            }
            Some(problem.mend("give each model that is parked a pool and an EPP of its own"))
        })
        .collect()
}
