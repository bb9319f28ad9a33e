//! Whether flow control is on: in the EPP's configuration, and in the process that has read it.

use serde_json::Value;

use super::{
    config::{Configured, GATE, Place, Settings, VARIABLE},
    find::{Epp, Running},
    there::is_ready,
};
use crate::{
    check::{Link, Object, Problem, Severity, probes::paste},
    core::Wall,
};

/// What is wrong with the configuration.
pub(super) fn problems(epp: &Epp<'_>, settings: &Settings<'_>, running: Running) -> Vec<Problem> {
    if let Some(problem) = unreadable(epp, settings) {
        return vec![problem];
    }
    let configured = match settings.gate() {
        // Whether the variable is heeded shows only in what the EPP exports.
        Configured::No(_) if settings.variable && running != Running::No => Configured::Yes,
        configured => configured,
    };
    let off = match &configured {
        Configured::No(gates) => Some(not_configured(epp, settings, gates, running)),
        Configured::Yes | Configured::Unknown => None,
    };
    let older = older_than_config(epp, settings, &configured, running);
    off.into_iter().chain(older).collect()
}

/// The EPP cannot read it: it does not start, or will not start again.
fn unreadable(epp: &Epp<'_>, settings: &Settings<'_>) -> Option<Problem> {
    if let Place::Missing(what) = &settings.place {
        let what = format!("the configuration that the EPP is started with is missing: {what}");
        let mut problem = epp.problem(
            "epp_config_missing",
            Severity::Error,
            Link::Epp,
            epp.workload,
            what,
        );
        problem.evidence = vec![format!("container {} is told to read it", settings.container)];
        problem.mend = vec![
            "Create it, or correct the volume or the flag --config-file".to_owned(),
            paste::kubectl(&epp.namespace, "get configmaps"),
        ];
        return Some(problem);
    }
    let Some(Err(why)) = &settings.document else {
        return None;
    };
    let object = object(epp, settings);
    let what = "the EPP refuses its configuration and does not start with it".to_owned();
    let mut problem = epp.problem("epp_config_invalid", Severity::Error, Link::Epp, object, what);
    problem.evidence = vec![format!("{}: {why}", place(settings))];
    problem.mend = vec!["Correct it, then restart the EPP".to_owned()];
    problem.mend.extend(edit(epp, settings));
    problem.mend.push(epp.restart());
    Some(problem)
}

fn not_configured(epp: &Epp<'_>, settings: &Settings<'_>, gates: &[String], running: Running) -> Problem {
    let runs = running == Running::Yes;
    let (severity, what) = if runs {
        (
            Severity::Note,
            "the EPP runs with flow control, and its configuration as it is now does not switch it on; a restart may \
             lose it",
        )
    } else {
        (
            Severity::Error,
            "flow control is not switched on in the EPP's configuration, so requests for a parked model fail and do \
             not wait",
        )
    };
    let mut problem = epp.problem(
        "flow_control_not_configured",
        severity,
        Link::Epp,
        object(epp, settings),
        what.to_owned(),
    );
    let place = place(settings);
    problem.evidence.push(match gates {
        [] => format!("{place}: no featureGates"),
        gates => format!("{place}: featureGates are {}", gates.join(", ")),
    });
    if settings.variable {
        problem.evidence.push(format!(
            "{VARIABLE} is true, which this EPP does not heed: it exports no flow control"
        ));
    }
    let others = gates.iter().map(String::as_str);
    let others = others.filter(|gate| gate.split('=').next() != Some(GATE));
    let list = others.chain([GATE]).map(paste::scalar);
    let line = format!("featureGates: [{}]", list.collect::<Vec<_>>().join(", "));
    match &settings.place {
        Place::ConfigMap { object, key } => {
            problem.mend.push(format!(
                "Add to key {key} of {}, then restart the EPP",
                object.named()
            ));
            problem.mend.push(line);
            problem.mend.extend(edit(epp, settings));
        }
        Place::Text => {
            problem.mend = vec!["Add to the text of --config-text".to_owned(), line];
        }
        _ => {
            problem.mend = vec![
                "Give the EPP a configuration with this, by --config-file or --config-text".to_owned(),
                line,
            ];
        }
    }
    if !matches!(settings.place, Place::Text) {
        problem.mend.push(epp.restart());
    }
    problem
}

/// An EPP reads its configuration when it starts; what newer ones read again, the scheduling profiles, leaves flow
/// control as it was (llm-d-router, `pkg/epp/config/loader/reload.go`).
fn older_than_config(
    epp: &Epp<'_>,
    settings: &Settings<'_>,
    configured: &Configured,
    running: Running,
) -> Option<Problem> {
    let Place::ConfigMap { object, .. } = &settings.place else {
        return None;
    };
    let changed = object.changed?;
    let older = epp.pods.iter().filter(|pod| is_ready(pod));
    let older = older.filter_map(|pod| {
        let since = started(pod, &settings.container)?;
        (since < changed).then_some((pod, since))
    });
    let older: Vec<_> = older.collect();
    if older.is_empty() {
        return None;
    }
    let (severity, what) = match (running, configured) {
        (Running::Yes, _) => (
            Severity::Note,
            "the EPP started before its configuration was changed last, and may run with an older one",
        ),
        (Running::No, Configured::Yes) => (
            Severity::Error,
            "the EPP started before its configuration was changed last, and runs without the flow control that is \
             switched on there",
        ),
        _ => (
            Severity::Warning,
            "the EPP started before its configuration was changed last, so it may run without flow control",
        ),
    };
    let mut problem = epp.problem(
        "epp_older_than_config",
        severity,
        Link::Epp,
        Some(object),
        what.to_owned(),
    );
    problem
        .evidence
        .push(format!("{} changed {changed:.0}", object.named()));
    for (pod, since) in older.iter().take(3) {
        problem
            .evidence
            .push(format!("pod {} started {since:.0}", pod.name));
    }
    problem.mend = vec!["Restart the EPP".to_owned(), epp.restart()];
    Some(problem)
}

/// When a container of a pod was started; the pod, where it does not say.
fn started(pod: &Object, container: &str) -> Option<Wall> {
    let statuses = pod.at("/status/containerStatuses").and_then(Value::as_array);
    let of_container = statuses.into_iter().flatten().find_map(|status| {
        let is_it = status.get("name").and_then(Value::as_str) == Some(container);
        let since = status.pointer("/state/running/startedAt")?.as_str()?;
        is_it.then_some(since)
    });
    of_container
        .or_else(|| pod.text("/status/startTime"))?
        .parse()
        .ok()
}

/// The object to change.
fn object<'a>(epp: &Epp<'a>, settings: &Settings<'a>) -> Option<&'a Object> {
    match &settings.place {
        Place::ConfigMap { object, .. } => Some(object),
        _ => epp.workload,
    }
}

/// Where the configuration stands, for people.
fn place(settings: &Settings<'_>) -> String {
    match &settings.place {
        Place::ConfigMap { object, key } => format!("key {key} of {}", object.named()),
        Place::Text => format!("--config-text of container {}", settings.container),
        Place::Nowhere => format!(
            "container {} has neither --config-file nor --config-text",
            settings.container
        ),
        Place::Missing(what) => what.clone(),
        Place::Elsewhere => "its configuration is not to be seen".to_owned(),
    }
}

/// The command that opens the configuration.
fn edit(epp: &Epp<'_>, settings: &Settings<'_>) -> Option<String> {
    let Place::ConfigMap { object, .. } = &settings.place else {
        return None;
    };
    Some(paste::kubectl(
        &epp.namespace,
        &format!("edit configmap {}", paste::word(&object.name)),
    ))
}
