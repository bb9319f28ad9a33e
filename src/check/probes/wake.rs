//! After the write: what keeps a target that has replicas from becoming ready.

use std::collections::BTreeMap;

use serde_json::Value;

use super::paste;
use crate::{
    check::{Concerns, Facts, Link, Object, Problem, Severity, Verdict},
    core::{Entry, Observed, Scope, State, Stuck, StuckBy, TargetKey, VariantKey},
};

/// Reasons of a waiting container that do not pass by themselves soon.
const HOPELESS: [&str; 7] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// What is wrong there.
pub(super) fn probe(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, entry) in facts
        .inventory
        .entries()
        .filter(|(_, entry)| entry.scope == Scope::In)
    {
        if let (true, Some(target)) = (entry.is_starting(), entry.target()) {
            let found = not_ready(facts, name, entry, target);
            let told = !found.is_empty();
            problems.extend(found);
            if let (State::Overdue(why) | State::Surplus(why), false) = (verdict.state(name, entry), told) {
                problems.push(
                    Problem::new(
                        "overdue",
                        Severity::Error,
                        Link::Wake,
                        format!("it was woken and does not become ready: {why}"),
                    )
                    .about(target.to_string())
                    .concerning(Concerns::one(name))
                    .mend("look at its pods and their Events")
                    .mend(describe(target)),
                );
            }
        }
    }
    problems
}

fn logs(target: &TargetKey) -> String {
    let of = format!("{}/{}", target.kind.as_str().to_lowercase(), target.name.name);
    paste::kubectl(
        &target.name.namespace,
        &format!("logs {} --all-containers --previous", paste::word(&of)),
    )
}

fn describe(target: &TargetKey) -> String {
    super::kubectl("describe", target.kind.as_str(), &target.name, "")
}

fn not_ready(facts: &Facts, name: &VariantKey, entry: &Entry, target: &TargetKey) -> Vec<Problem> {
    let mut problems = Vec::new();
    let new = |code, what: &str| {
        Problem::new(code, Severity::Error, Link::Wake, what)
            .about(target.to_string())
            .concerning(Concerns::one(name))
    };
    if let Ok(Observed::Scaled {
        stuck: Some(stuck), ..
    }) = &entry.observed
    {
        let Stuck { by, message, .. } = &**stuck;
        let (code, what) = match by {
            StuckBy::ReplicaFailure => (
                "replica_failure",
                "its pods are refused: a quota, or an admission webhook",
            ),
            StuckBy::NotProgressing => (
                "not_progressing",
                "its pods have not become ready within progressDeadlineSeconds",
            ),
        };
        problems.push(
            new(code, what)
                .seen(message.to_string())
                .mend("mend what the message says")
                .mend(describe(target)),
        );
    }
    let Some(known) = facts.inventory.target(target) else {
        return problems;
    };
    let mut reasons: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for pod in facts.objects.within("", "Pod", &target.name.namespace) {
        let labels: crate::core::Labels = pod.strings("/metadata/labels").into_iter().collect();
        if !known.labels.selects(&labels) {
            continue;
        }
        if let Some(message) = unschedulable(pod) {
            reasons
                .entry(("unschedulable", message))
                .or_default()
                .push(&pod.name);
        }
        for message in failing(pod) {
            reasons
                .entry(("pods_failing", message))
                .or_default()
                .push(&pod.name);
        }
    }
    for ((code, message), pods) in reasons {
        let what = match code {
            "unschedulable" => "no node takes its pods",
            _ => "its pods do not start",
        };
        let problem = new(code, what).seen(message).seen(format!(
            "pods: {}",
            pods.into_iter().take(3).collect::<Vec<_>>().join(", ")
        ));
        problems.push(match code {
            "unschedulable" => problem
                .mend("add a node of that kind, free one, or correct nodeSelector, affinity, tolerations and resources; cluster autoscalers need minutes")
                .mend(describe(target)),
            _ => problem.mend("look at its Events and log").mend(logs(target)),
        });
    }
    problems
}

fn items<'a>(object: &'a Object, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.at(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The scheduler's words, if it finds no node.
fn unschedulable(pod: &Object) -> Option<String> {
    let scheduled = items(pod, "/status/conditions").find(|condition| condition["type"] == "PodScheduled")?;
    let hangs = scheduled["status"] == "False" && scheduled["reason"] == "Unschedulable";
    hangs.then(|| scheduled["message"].as_str().unwrap_or_default().to_owned())
}

/// What its containers wait for in vain.
fn failing(pod: &Object) -> impl Iterator<Item = String> {
    let all = items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"));
    all.filter_map(|container| {
        let waiting = container.pointer("/state/waiting")?;
        let reason = waiting["reason"].as_str()?;
        HOPELESS.contains(&reason).then(|| {
            let name = container["name"].as_str().unwrap_or_default();
            let message = waiting["message"].as_str().unwrap_or_default();
            format!("container {name}: {reason}: {message}")
        })
    })
}
