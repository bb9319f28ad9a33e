//! The variant: its model, its target, whether it is ours to wake.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    kubectl,
    paste::{self, word},
    patch, scope,
};
use crate::{
    check::near::nearest,
    check::{Concerns, Facts, Link, Object, Problem, Severity, Verdict},
    core::{Blocked, Entry, Gone, ObjectName, Role, Scope, State, TargetKind, TargetRef, VariantKey},
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    let mut problems = unusable(facts);
    for (name, entry) in facts.inventory.entries() {
        if let State::OutOfScope(why) = verdict.state(name, entry) {
            problems.push(scope::out_of_scope(facts, name, entry, why));
        } else {
            problems.extend(target(facts, name, entry));
            problems.extend(role(facts, name, entry));
        }
    }
    problems.extend(on_one_target(facts));
    problems.extend(alike(facts));
    problems
}

/// The variant, for people.
pub(super) fn named(name: &VariantKey) -> String {
    format!("{} {}", name.source.as_str(), name.name)
}

/// Objects that would be variants if they said enough.
fn unusable(facts: &Facts) -> Vec<Problem> {
    let variants = || facts.objects.all("llmd.ai", "VariantAutoscaling");
    let nameless = variants().filter(|object| object.text("/spec/modelID").is_none_or(str::is_empty));
    let mut problems: Vec<Problem> = nameless
        .map(|object| {
            nobody(
                object,
                "variant_without_model",
                "it names no model, so nothing can ask for it",
            )
            .mend("say which model it serves, as requests name it")
            .mend("spec: {modelID: ORGANISATION/MODEL}")
        })
        .collect();
    let costs = variants().map(|object| {
        (
            object,
            object.at("/spec/variantCost").cloned().unwrap_or_default(),
        )
    });
    for (object, cost) in costs {
        let text = cost.as_str().map_or_else(|| cost.to_string(), ToOwned::to_owned);
        problems.extend(
            (!cost.is_null())
                .then(|| unreadable_cost(object, "spec.variantCost", &text))
                .flatten(),
        );
    }
    let scalers = [
        ("keda.sh", "ScaledObject"),
        ("autoscaling", "HorizontalPodAutoscaler"),
    ];
    for object in scalers
        .iter()
        .flat_map(|(group, kind)| facts.objects.all(group, kind))
    {
        if object.annotation("llm-d.ai/managed") != Some("true") {
            continue;
        }
        if object.annotation("llm-d.ai/model-id").is_none_or(str::is_empty) {
            problems.push(
                nobody(
                    object,
                    "managed_without_model",
                    "it has the annotation llm-d.ai/managed and names no model, so it is no variant",
                )
                .mend("name the model, as requests do")
                .mend(kubectl(
                    "annotate",
                    &object.kind,
                    &ObjectName::new(&*object.namespace, &*object.name),
                    "llm-d.ai/model-id=ORGANISATION/MODEL",
                )),
            );
        }
        let cost = object.annotation("llm-d.ai/variant-cost");
        problems.extend(
            cost.and_then(|cost| unreadable_cost(object, "the annotation llm-d.ai/variant-cost", cost)),
        );
    }
    problems
}

fn nobody(object: &Object, code: &'static str, what: &str) -> Problem {
    let problem = Problem::new(code, Severity::Error, Link::Variant, what).about(object.named());
    match &object.place {
        Some(place) => problem.seen(place.clone()),
        None => problem,
    }
}

fn unreadable_cost(object: &Object, field: &str, cost: &str) -> Option<Problem> {
    let number = cost
        .trim()
        .parse::<f64>()
        .is_ok_and(|cost| cost.is_finite() && cost >= 0.0);
    (!number).then(|| {
        Problem::new(
            "cost_unreadable",
            Severity::Warning,
            Link::Variant,
            "its cost is no number, so it counts as 10",
        )
        .about(object.named())
        .seen(format!("{field} is {cost:?}"))
        .mend("write a decimal number of 0 or more, as text: \"12.5\"")
    })
}

/// The target is not there, or cannot be woken.
fn target(facts: &Facts, name: &VariantKey, entry: &Entry) -> Option<Problem> {
    let Err(gone) = &entry.observed else {
        return None;
    };
    let blocked = Blocked::Target(*gone);
    let problem = Problem::new(
        blocked.as_str(),
        Severity::Error,
        Link::Variant,
        blocked.to_string(),
    )
    .about(named(name))
    .concerning(Concerns::one(name));
    let TargetRef::Known(target) = &entry.variant.target else {
        let TargetRef::Unsupported(written) = &entry.variant.target else {
            return None;
        };
        return Some(
            problem
                .seen(format!("scaleTargetRef says {written}"))
                .mend("name a Deployment, a StatefulSet, a LeaderWorkerSet, or another kind with its apiVersion")
                .mend("scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}"),
        );
    };
    let (namespace, wanted) = (&*target.name.namespace, &*target.name.name);
    let problem = problem.seen(format!("scaleTargetRef names {target}"));
    Some(match gone {
        Gone::Missing => {
            let group = match &target.kind {
                TargetKind::Other(other) => &other.group,
                _ => "apps",
            };
            let others: Vec<&Object> = facts
                .objects
                .within(group, target.kind.as_str(), namespace)
                .collect();
            let near = nearest(wanted, others.iter().map(|o| o.name.as_str()));
            let problem = match (&others[..], near) {
                ([], _) => problem.seen(format!(
                    "there is no {} in namespace {namespace}",
                    target.kind.as_str()
                )),
                (_, Some(near)) => problem.seen(format!("the nearest name there is {near}")),
                (others, None) => problem.seen(format!(
                    "there: {}{}",
                    others
                        .iter()
                        .take(5)
                        .map(|o| o.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", "),
                    if others.len() > 5 { ", ..." } else { "" }
                )),
            };
            match near {
                Some(near) => problem.mend("correct the name, or create the target").mend(patch(
                    name.source.as_str(),
                    &name.name,
                    &json!({"spec": {"scaleTargetRef": {"name": near}}}),
                )),
                None => problem
                    .mend("create the target in the variant's namespace, or correct scaleTargetRef")
                    .mend(format!(
                        "kubectl get {} --all-namespaces | grep {}",
                        word(&target.kind.as_str().to_lowercase()),
                        word(wanted)
                    )),
            }
        }
        Gone::Unreadable => problem
            .mend("let the account get, list and watch that kind, see manifests/README.md")
            .mend(paste::kubectl(
                namespace,
                &format!("auth can-i list {}", word(&target.kind.as_str().to_lowercase())),
            )),
        Gone::Unsupported => problem.mend("name a kind that has a /scale and a pod template"),
        Gone::NoTemplate => problem.mend("name the object whose pods serve the model"),
    })
}

fn role(facts: &Facts, name: &VariantKey, entry: &Entry) -> Option<Problem> {
    if entry.role != Role::Unknown || entry.observed.is_err() {
        return None;
    }
    let target = entry.target()?;
    let label = facts.inventory.target(target)?.role_label().unwrap_or_default();
    let blocked = Blocked::UnknownRole(label.into());
    Some(
        Problem::new(
            blocked.as_str(),
            Severity::Error,
            Link::Variant,
            blocked.to_string(),
        )
        .about(target.to_string())
        .concerning(Concerns::one(name))
        .seen(format!("spec.template.metadata.labels: llm-d.ai/role: {label:?}"))
        .mend("correct the label, or take it away if the target does the whole work")
        .mend("spec: {template: {metadata: {labels: {llm-d.ai/role: decode}}}}"),
    )
}

/// Several variants on one target are one wake, and may contradict each other.
fn on_one_target(facts: &Facts) -> Vec<Problem> {
    let mut targets: BTreeMap<_, BTreeSet<VariantKey>> = BTreeMap::new();
    for (name, entry) in facts.inventory.entries() {
        if let Some(target) = entry.target() {
            targets.entry(target).or_default().insert(name.clone());
        }
    }
    let conflicts = facts.inventory.conflicts();
    let shared = targets.into_iter().filter(|(_, names)| names.len() > 1);
    shared
        .filter_map(|(target, names)| {
            let (end, middle) = (format!("on {target}: "), format!("on {target}, "));
            let lines: Vec<_> = conflicts.iter().filter(|line| line.contains(&end) || line.contains(&middle)).collect();
            if lines.is_empty() {
                return None;
            }
            let mut problem = Problem::new("several_on_one_target", Severity::Warning, Link::Variant, "several variants are on one target, which is woken once for all of them")
                .about(target.to_string())
                .concerning(Concerns::Variants(names));
            for line in lines {
                problem = problem.seen(line.clone());
            }
            Some(problem.mend("keep one variant for each target; name further models in its annotation scale-from-zero/models"))
        })
        .collect()
}

/// Models of one namespace whose names differ only in case or in slashes: requests for one do not wake the other.
fn alike(facts: &Facts) -> Vec<Problem> {
    let mut spellings: BTreeMap<(&str, String), BTreeMap<&str, BTreeSet<VariantKey>>> = BTreeMap::new();
    for (name, entry) in facts
        .inventory
        .entries()
        .filter(|(_, entry)| entry.scope == Scope::In)
    {
        for model in std::iter::once(&entry.variant.model).chain(&entry.variant.aliases) {
            let plain = model
                .to_lowercase()
                .replace("--", "/")
                .trim_matches('/')
                .replace("//", "/");
            let by_spelling = spellings.entry((&name.name.namespace, plain)).or_default();
            by_spelling.entry(model).or_default().insert(name.clone());
        }
    }
    let alike = spellings
        .into_iter()
        .filter(|(_, by_spelling)| by_spelling.len() > 1);
    alike
        .filter_map(|((namespace, _), by_spelling)| {
            // One variant may well name several spellings of its own.
            let all: BTreeSet<VariantKey> = by_spelling.values().flatten().cloned().collect();
            if all.len() < 2 {
                return None;
            }
            let mut problem = Problem::new(
                "model_names_alike",
                Severity::Warning,
                Link::Variant,
                "names of models differ only in case or slashes, and each is a model of its own",
            )
            .about(format!("namespace {namespace}"))
            .concerning(Concerns::Variants(all));
            for (spelling, names) in &by_spelling {
                let names: Vec<_> = names.iter().map(|name| name.name.name.to_string()).collect();
                problem = problem.seen(format!("{spelling:?}: {}", names.join(", ")));
            }
            Some(problem.mend("write modelID exactly as requests name the model, in every variant of it"))
        })
        .collect()
}
