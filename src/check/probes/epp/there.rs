//! Whether the EPP is there: the pool's reference, the Service, its pods.

use serde_json::Value;

use super::find::{Epp, Reference, resource, selector, template_labels};
use crate::check::{Link, Object, Problem, Severity, probes::paste};

/// How many names or pods are listed in evidence.
const MOST: usize = 5;

/// What is missing, up to the first thing: what is behind it is missing too.
pub(super) fn problems(epp: &Epp<'_>) -> Vec<Problem> {
    let Some(pool) = epp.pool else {
        return Vec::new();
    };
    let Some(reference) = epp.reference else {
        return vec![without_epp(epp, pool)];
    };
    if reference.kind != "Service" {
        // An EPP of another kind is nothing this knows.
        return Vec::new();
    }
    match epp.service {
        None => service_missing(epp, pool, reference).into_iter().collect(),
        Some(service) => {
            let port = reference.port.and_then(|port| port_missing(epp, service, port));
            port.into_iter().chain(pods(epp, service)).collect()
        }
    }
}

fn without_epp(epp: &Epp<'_>, pool: &Object) -> Problem {
    let what = "the pool names no endpoint picker, so nothing queues requests for its models".to_owned();
    let mut problem = epp.problem("pool_without_epp", Severity::Error, Link::Epp, Some(pool), what);
    let stable = pool.group == "inference.networking.k8s.io";
    let field = if stable {
        "spec.endpointPickerRef"
    } else {
        "spec.extensionRef"
    };
    problem.evidence = vec![format!("{field} names nothing")];
    // The port of ext_proc in every chart of the EPP.
    let listening = services(epp).find(|service| ports(service).any(|(_, port)| port == 9002));
    let name = listening.map_or("EPP_SERVICE", |service| &service.name);
    let name_json = Value::from(name);
    let patch = if stable {
        format!(r#"{{"spec":{{"endpointPickerRef":{{"name":{name_json},"port":{{"number":9002}}}}}}}}"#)
    } else {
        format!(r#"{{"spec":{{"extensionRef":{{"name":{name_json},"portNumber":9002}}}}}}"#)
    };
    problem.mend = vec![
        "Name the Service of its EPP in the pool".to_owned(),
        paste::kubectl(
            &epp.namespace,
            &format!(
                "patch inferencepools.{} {} --type=merge -p {}",
                pool.group,
                paste::word(&pool.name),
                paste::word(&patch)
            ),
        ),
    ];
    problem
}

fn service_missing(epp: &Epp<'_>, pool: &Object, reference: Reference<'_>) -> Option<Problem> {
    let mut names: Vec<_> = services(epp).map(|service| &*service.name).collect();
    let severity = if epp.knows("", "Service") {
        Severity::Error
    } else if epp.is_live() {
        // Services cannot be read.
        return None;
    } else if names.is_empty() {
        // The EPP comes from elsewhere, such as a chart.
        Severity::Note
    } else {
        Severity::Error
    };
    let what = match severity {
        Severity::Note => format!(
            "the Service {} that the pool names is not among the files, so its EPP cannot be checked",
            reference.name
        ),
        _ => format!(
            "the Service {} that the pool names does not exist",
            reference.name
        ),
    };
    let mut problem = epp.problem("epp_service_missing", severity, Link::Epp, Some(pool), what);
    names.sort_by(|a, b| {
        let like = |name| strsim::jaro_winkler(name, reference.name);
        like(b).total_cmp(&like(a)).then_with(|| a.cmp(b))
    });
    problem.evidence = vec![if names.is_empty() {
        format!("namespace {} has no Service", epp.namespace)
    } else {
        format!("Services in namespace {}: {}", epp.namespace, listed(&names))
    }];
    if severity == Severity::Note {
        problem.mend = vec!["Put the manifests of the EPP into the folder, too".to_owned()];
        return Some(problem);
    }
    problem.mend = vec!["Install the EPP of the pool, or name its Service there".to_owned()];
    if let Some(nearest) = names.first() {
        let field = if pool.at("/spec/endpointPickerRef").is_some() {
            "endpointPickerRef"
        } else {
            "extensionRef"
        };
        let patch = format!(r#"{{"spec":{{"{field}":{{"name":{}}}}}}}"#, Value::from(*nearest));
        problem.mend.push(paste::kubectl(
            &epp.namespace,
            &format!(
                "patch inferencepools.{} {} --type=merge -p {}",
                pool.group,
                paste::word(&pool.name),
                paste::word(&patch)
            ),
        ));
    }
    Some(problem)
}

/// A headless Service leads to the pods on any port.
fn port_missing(epp: &Epp<'_>, service: &Object, port: i64) -> Option<Problem> {
    let headless = service.text("/spec/clusterIP") == Some("None");
    let mut known = ports(service).map(|(_, port)| port).peekable();
    if headless || known.peek().is_none() || known.any(|known| known == port) {
        return None;
    }
    let what = format!("the pool names port {port} of the EPP's Service, which has no such port");
    let mut problem = epp.problem(
        "epp_port_missing",
        Severity::Error,
        Link::Epp,
        Some(service),
        what,
    );
    let all: Vec<_> = ports(service)
        .map(|(name, port)| format!("{port} {name}").trim_end().to_owned())
        .collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    problem.evidence = vec![format!("its ports: {}", listed(&all))];
    problem.mend = vec![
        "Name the port of ext_proc in the pool, in every chart of the EPP 9002".to_owned(),
        paste::kubectl(
            &epp.namespace,
            &format!("get service {} -o yaml", paste::word(&service.name)),
        ),
    ];
    Some(problem)
}

fn pods(epp: &Epp<'_>, service: &Object) -> Option<Problem> {
    let selector = selector(service);
    if selector.is_empty() {
        // Its endpoints are written by somebody else.
        return None;
    }
    if epp.pods.is_empty() {
        return no_pods(epp, service);
    }
    if epp.pods.iter().any(|pod| is_ready(pod)) {
        return None;
    }
    let what = match epp.pods.len() {
        1 => "the pod of the EPP is not ready, so requests fail before they can wait".to_owned(),
        n => format!("none of the {n} pods of the EPP is ready, so requests fail before they can wait"),
    };
    let mut problem = epp.problem("epp_not_ready", Severity::Error, Link::Epp, Some(service), what);
    for pod in epp.pods.iter().take(MOST) {
        problem.evidence.push(format!("pod {}: {}", pod.name, why(pod)));
    }
    let pod = paste::word(&epp.pods[0].name);
    problem.mend = vec![
        "Look at what the pod and its log say".to_owned(),
        paste::kubectl(&epp.namespace, &format!("describe pod {pod}")),
        paste::kubectl(&epp.namespace, &format!("logs {pod} --all-containers --tail=50")),
    ];
    if epp.pods.iter().any(|pod| restarts(pod) > 0) {
        problem.mend.push(paste::kubectl(
            &epp.namespace,
            &format!("logs {pod} --all-containers --tail=50 --previous"),
        ));
    }
    Some(problem)
}

fn no_pods(epp: &Epp<'_>, service: &Object) -> Option<Problem> {
    let selector = selector(service);
    let told = selector.iter().map(|(name, value)| format!("{name}={value}"));
    let told = told.collect::<Vec<_>>().join(", ");
    let known = epp.knows("", "Pod") || (!epp.is_live() && epp.workloads().next().is_some());
    if !known || (!epp.is_live() && epp.workload.is_some()) {
        return None;
    }
    let what = "the EPP's Service selects no pod, so requests fail before they can wait".to_owned();
    let mut problem = epp.problem("epp_no_pods", Severity::Error, Link::Epp, Some(service), what);
    problem.evidence = vec![format!("its selector: {told}")];
    if let Some(workload) = epp.workload {
        let replicas = workload.number("/spec/replicas");
        problem.evidence.push(format!(
            "{} makes such pods; replicas: {}",
            workload.named(),
            replicas.map_or_else(|| "not set".to_owned(), |n| n.to_string())
        ));
        if replicas == Some(0) {
            problem.mend = vec![
                "Scale the EPP up: it must run while its models are parked".to_owned(),
                paste::kubectl(
                    &epp.namespace,
                    &format!("scale {} --replicas=1", resource(workload)),
                ),
            ];
        } else {
            problem.mend = vec![
                "Look at why its pods are not made".to_owned(),
                paste::kubectl(&epp.namespace, &format!("describe {}", resource(workload))),
            ];
        }
        return Some(problem);
    }
    let nearest = epp
        .workloads()
        .map(|workload| {
            let labels = template_labels(workload);
            let differing = selector
                .iter()
                .filter(|(name, value)| labels.get(*name) != Some(value))
                .count();
            (differing, workload)
        })
        .filter(|(differing, _)| *differing < selector.len())
        .min_by_key(|(differing, _)| *differing);
    problem.mend = vec!["Let the Service select the labels of the EPP's pods".to_owned()];
    if let Some((_, workload)) = nearest {
        let labels = template_labels(workload);
        for (name, value) in &selector {
            if labels.get(name) != Some(value) {
                let has = labels.get(name).map_or_else(
                    || "have no such label".to_owned(),
                    |has| format!("have {name}={has}"),
                );
                problem.evidence.push(format!(
                    "it asks for {name}={value}; pods of {} {has}",
                    workload.named()
                ));
            }
        }
        problem.mend.push("spec:".to_owned());
        problem.mend.push("  selector:".to_owned());
        for (name, value) in &selector {
            let value = labels.get(name).unwrap_or(value);
            problem
                .mend
                .push(format!("    {}: {}", paste::scalar(name), paste::scalar(value)));
        }
    } else {
        problem
            .mend
            .push(paste::kubectl(&epp.namespace, "get pods --show-labels"));
    }
    Some(problem)
}

fn services<'a>(epp: &Epp<'a>) -> impl Iterator<Item = &'a Object> + use<'a> {
    epp.facts.objects.within("", "Service", &epp.namespace)
}

/// Ports of a Service, by name and number.
pub(super) fn ports(service: &Object) -> impl Iterator<Item = (&str, i64)> {
    let ports = service.at("/spec/ports").and_then(Value::as_array);
    ports.into_iter().flatten().filter_map(|port| {
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        Some((name, port.get("port")?.as_i64()?))
    })
}

/// A few of many.
fn listed(names: &[&str]) -> String {
    let first = names[..names.len().min(MOST)].join(", ");
    match names.len().checked_sub(MOST) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

/// A condition of a pod.
pub(super) fn condition<'a>(pod: &'a Object, kind: &str) -> Option<&'a Value> {
    let conditions = pod.at("/status/conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
}

/// Whether a pod is ready.
pub(super) fn is_ready(pod: &Object) -> bool {
    let ready = condition(pod, "Ready").and_then(|ready| ready.get("status"));
    ready.and_then(Value::as_str) == Some("True")
}

/// The statuses of a pod's containers, those that come first included.
fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|place| pod.at(place)?.as_array())
        .flatten()
}

/// How often its containers were restarted.
pub(super) fn restarts(pod: &Object) -> i64 {
    let restarts = containers(pod).filter_map(|status| status.get("restartCount")?.as_i64());
    restarts.fold(0, i64::saturating_add)
}

/// Why a pod is not ready, in one line.
fn why(pod: &Object) -> String {
    let text = |value: &Value, pointer: &str| Some(value.pointer(pointer)?.as_str()?.to_owned());
    let joined = |reason: Option<String>, message: Option<String>| {
        let parts: Vec<_> = [reason, message]
            .into_iter()
            .flatten()
            .filter(|s| !s.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    };
    let mut said = Vec::new();
    for status in containers(pod) {
        let name = text(status, "/name").unwrap_or_default();
        let waiting = joined(
            text(status, "/state/waiting/reason"),
            text(status, "/state/waiting/message"),
        );
        let last = joined(
            text(status, "/lastState/terminated/reason"),
            text(status, "/lastState/terminated/message"),
        );
        let code = status
            .pointer("/lastState/terminated/exitCode")
            .and_then(Value::as_i64);
        if let Some(waiting) = waiting {
            said.push(format!("container {name} waits: {waiting}"));
        }
        match (last, code) {
            (Some(last), Some(code)) => {
                said.push(format!(
                    "container {name} ended last time with {last}, exit code {code}"
                ));
            }
            (Some(last), None) => said.push(format!("container {name} ended last time with {last}")),
            _ => {}
        }
    }
    for kind in ["PodScheduled", "Ready"] {
        let Some(condition) = condition(pod, kind) else {
            continue;
        };
        if said.is_empty() && text(condition, "/status").as_deref() == Some("False") {
            said.extend(joined(text(condition, "/reason"), text(condition, "/message")));
        }
    }
    let restarts = restarts(pod);
    if restarts > 0 {
        said.push(format!("{restarts} restarts"));
    }
    if said.is_empty() {
        let phase = pod.text("/status/phase").unwrap_or("not known");
        said.push(format!("its phase is {phase}"));
    }
    // Messages of the scheduler and of runtimes may hold line ends.
    said.join("; ").split_whitespace().collect::<Vec<_>>().join(" ")
}
