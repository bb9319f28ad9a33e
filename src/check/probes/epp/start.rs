//! Whether requests can wait as long as the models behind the pool take to start.

use std::time::Duration;

use serde_json::Value;

use super::{
    config::{Configured, Place, Settings},
    find::{Epp, Running, selects},
    there::{is_ready, restarts},
};
use crate::{
    check::{Link, Object, Problem, Severity, probes::paste},
    core::{TargetKey, TargetKind, VariantKey, Wall},
};

/// What is known of how long a target takes.
enum Start {
    /// A pod of it took that long.
    Took(Duration),
    /// Its startup probe gives it that long.
    May(Duration),
}

/// The problem, where the times are known. A wake goes on without the request that asked for it; but that is answered
/// with 503, and its client must ask again.
pub(super) fn problem(epp: &Epp<'_>, settings: &Settings<'_>, running: Running) -> Option<Problem> {
    if running == Running::No || (settings.gate() != Configured::Yes && running != Running::Yes) {
        return None;
    }
    let ttl = settings.ttl()?;
    let mut longest = Duration::ZERO;
    let mut took = false;
    let mut evidence = Vec::new();
    for key in &epp.variants {
        let Some((object, start)) = start(epp, key) else {
            continue;
        };
        let (time, told) = match start {
            Start::Took(time) => (time, "a pod of it took"),
            Start::May(time) => (time, "its startup probe gives it"),
        };
        if time > ttl {
            took |= matches!(start, Start::Took(_));
            longest = longest.max(time);
            evidence.push(format!("{object}: {told} {}", spelled(time)));
        }
    }
    if evidence.is_empty() {
        return None;
    }
    let severity = if took { Severity::Warning } else { Severity::Note };
    let (object, place) = match &settings.place {
        Place::ConfigMap { object, key } => (Some(*object), format!("key {key} of {}", object.named())),
        _ => (epp.workload, "its EndpointPickerConfig".to_owned()),
    };
    let what = format!(
        "requests wait {} at the EPP and models take longer to start, so the first ones are answered with 503",
        spelled(ttl)
    );
    let mut problem = epp.problem("queue_ttl_short", severity, Link::Epp, object, what);
    evidence.truncate(5);
    evidence.push("the wake goes on without them; clients must ask again".to_owned());
    problem.evidence = evidence;
    // Half as long again, in whole minutes.
    let minutes = (longest.as_secs().saturating_mul(3) / 2).div_ceil(60).max(1);
    problem.mend = vec![
        format!(
            "Let them wait longer, in {place} (where the EPP does not know noEndpointRequestTTL: defaultRequestTTL); \
             timeouts of gateway and client must be as long"
        ),
        "flowControl:".to_owned(),
        format!("  noEndpointRequestTTL: {minutes}m"),
        epp.restart(),
    ];
    Some(problem)
}

fn spelled(time: Duration) -> String {
    paste::seconds(time.as_secs_f64())
}

fn start<'a>(epp: &Epp<'a>, key: &VariantKey) -> Option<(&'a TargetKey, Start)> {
    let target = epp.facts.inventory.entry(key)?.target()?;
    let took = took(epp, target).map(Start::Took);
    let start = took.or_else(|| probe(epp, target).map(Start::May))?;
    Some((target, start))
}

/// How long pods of a target took from being made to being ready: the shortest, as a pod may have been unready since.
fn took(epp: &Epp<'_>, target: &TargetKey) -> Option<Duration> {
    let found = epp.facts.inventory.target(target)?;
    let labels = found.labels.iter().collect();
    let pods = epp.facts.objects.within("", "Pod", &epp.namespace);
    pods.filter(|pod| pod.name.starts_with(&*target.name.name))
        .filter(|pod| selects(&labels, &pod.strings("/metadata/labels")))
        .filter(|pod| is_ready(pod) && restarts(pod) == 0)
        .filter_map(|pod| {
            let made: Wall = pod.text("/metadata/creationTimestamp")?.parse().ok()?;
            let ready = super::there::condition(pod, "Ready")?.get("lastTransitionTime")?;
            let ready: Wall = ready.as_str()?.parse().ok()?;
            Duration::try_from(ready.duration_since(made)).ok()
        })
        .min()
}

/// How long the startup probes of a target's pods give it.
fn probe(epp: &Epp<'_>, target: &TargetKey) -> Option<Duration> {
    let (group, kind) = match &target.kind {
        TargetKind::Deployment => ("apps", "Deployment"),
        TargetKind::StatefulSet => ("apps", "StatefulSet"),
        TargetKind::Other(other) => (&*other.group, &*other.kind),
    };
    let object: &Object = epp
        .facts
        .objects
        .get(group, kind, &epp.namespace, &target.name.name)?;
    let containers = object.at("/spec/template/spec/containers")?.as_array()?;
    containers
        .iter()
        .filter_map(|container| {
            let probe = container.get("startupProbe")?;
            let number = |key: &str| probe.get(key).and_then(Value::as_u64);
            // The API's defaults.
            let (period, failures) = (
                number("periodSeconds").unwrap_or(10),
                number("failureThreshold").unwrap_or(3),
            );
            let delay = number("initialDelaySeconds").unwrap_or(0);
            Some(Duration::from_secs(
                period.saturating_mul(failures).saturating_add(delay),
            ))
        })
        .max()
}
