//! The pool: which one selects the pods of the target, and whom it holds besides.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use serde_json::json;

use crate::{
    check::{Concerns, Facts, Link, Object, Problem, Severity, Verdict},
    core::{Blocked, Entry, Labels, ObjectName, Scope, TargetKey, VariantKey},
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let entries = facts
        .inventory
        .entries()
        .filter(|(_, entry)| entry.scope == Scope::In);
    let known = Pools::of(facts);
    let mut problems: Vec<_> = entries
        .filter_map(|(name, entry)| no_pool(facts, &known, name, entry))
        .collect();
    let pools = facts.objects.pools();
    problems.extend(
        pools
            .filter(|pool| pool.pool_selector().is_empty())
            .map(selects_nothing),
    );
    problems.extend(shared(facts));
    problems
}

/// The pools by what they select, for a thousand variants that each ask which is the nearest.
struct Pools<'a> {
    of_namespace: HashMap<&'a str, Here<'a>>,
    /// The names of a few.
    some: Vec<String>,
}

/// Those of one namespace that select anything.
#[derive(Default)]
struct Here<'a> {
    pools: Vec<(&'a Object, BTreeMap<&'a str, &'a str>)>,
    /// Which of them ask for a label and value.
    asking: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// That with the shortest selector, then by name: the nearest where nothing matches.
    shortest: Option<usize>,
}

impl<'a> Pools<'a> {
    fn of(facts: &'a Facts) -> Self {
        let mut of_namespace: HashMap<&str, Here<'_>> = HashMap::new();
        for pool in facts.objects.pools() {
            let selector = pool.pool_selector();
            if !selector.is_empty() {
                of_namespace
                    .entry(&pool.namespace)
                    .or_default()
                    .add(pool, selector);
            }
        }
        let names: BTreeSet<_> = facts.objects.pools().map(Object::named).collect();
        Self {
            of_namespace,
            some: names.into_iter().take(3).collect(),
        }
    }

    /// The pool of a namespace that differs least from labels: of those the one that most of them match, then by name.
    fn nearest(&self, namespace: &str, labels: &Labels) -> Option<(&'a Object, &BTreeMap<&'a str, &'a str>)> {
        let here = self.of_namespace.get(namespace)?;
        let mut matching: HashMap<usize, usize> = here.shortest.map(|at| (at, 0)).into_iter().collect();
        for pair in labels.iter() {
            for at in here.asking.get(&pair).into_iter().flatten() {
                *matching.entry(*at).or_default() += 1;
            }
        }
        let (at, _) = matching.into_iter().min_by_key(|(at, matching)| {
            let (pool, selector) = &here.pools[*at];
            (
                selector.len() - matching,
                Reverse(selector.len()),
                &pool.name,
                *at,
            )
        })?;
        let (pool, selector) = &here.pools[at];
        Some((pool, selector))
    }
}

impl<'a> Here<'a> {
    fn add(&mut self, pool: &'a Object, selector: BTreeMap<&'a str, &'a str>) {
        let at = self.pools.len();
        for (name, value) in &selector {
            self.asking.entry((name, value)).or_default().push(at);
        }
        let first = self.shortest.is_none_or(|other| {
            let (other, of_other) = &self.pools[other];
            (selector.len(), &pool.name) < (of_other.len(), &other.name)
        });
        if first {
            self.shortest = Some(at);
        }
        self.pools.push((pool, selector));
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
fn no_pool(facts: &Facts, pools: &Pools<'_>, name: &VariantKey, entry: &Entry) -> Option<Problem> {
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
    let Some((pool, selector)) = pools.nearest(namespace, &known.labels) else {
        let problem = problem.seen(if pools.some.is_empty() {
            format!("there is no InferencePool in namespace {namespace}")
        } else {
            format!(
                "there is none in namespace {namespace}; elsewhere: {}",
                pools.some.join(", ")
            )
        });
        return Some(
            problem
                .mend(format!(
                    "create an InferencePool in namespace {namespace} that selects by some or all of the pod template's labels: {}",
                    shown(&known.labels)
                )),
        );
    };
    let differs = differs(selector, &known.labels);
    let mut problem = problem.seen(format!("the nearest is {}:", pool.named()));
    for (label, wanted, there) in &differs {
        problem = problem.seen(match there {
            Some(there) => {
                format!("label {label}: the pool wants {wanted:?}, the pod template has {there:?}")
            }
            None => format!("label {label}: the pool wants {wanted:?}, the pod template has no such label"),
        });
    }
    Some(if is_pinned(facts, target, &differs) {
        let labels: BTreeMap<_, _> = differs.iter().map(|(label, _, there)| (*label, *there)).collect();
        let selector = match pool.at("/spec/selector/matchLabels") {
            Some(_) => json!({ "matchLabels": labels }),
            None => json!(labels),
        };
        let name = ObjectName::new(pool.namespace.as_str(), pool.name.as_str());
        let kind = format!("inferencepools.{}", pool.group);
        problem
            .mend("have the pool select by what the pods are labelled with: the target's own selector names these labels, and cannot be changed")
            .mend(super::patch(&kind, &name, &json!({"spec": {"selector": selector}})))
    } else {
        let labels: BTreeMap<_, _> = differs
            .iter()
            .map(|(label, wanted, _)| (*label, *wanted))
            .collect();
        let patch = json!({"spec": {"template": {"metadata": {"labels": labels}}}});
        problem
            .mend("give the pod template the labels that the pool selects by, or correct the pool's selector")
            .mend(super::patch(target.kind.as_str(), &target.name, &patch))
    })
}

/// Whether the target's own selector names one of these labels: a pod template must match it, and it cannot be changed.
fn is_pinned(facts: &Facts, target: &TargetKey, differs: &[(&str, &str, Option<&str>)]) -> bool {
    let object = facts.objects.target(target);
    let selector = object.map(|object| object.strings("/spec/selector/matchLabels"));
    let selector = selector.unwrap_or_default();
    differs.iter().any(|(label, ..)| selector.contains_key(label))
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
