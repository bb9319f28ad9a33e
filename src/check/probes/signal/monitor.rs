//! ServiceMonitors and PodMonitors of the Prometheus operator, and whether they select an EPP.
//!
//! <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor>

use std::collections::BTreeMap;

use serde_json::Value;

use super::{super::epp::Epp, paste};
use crate::check::Object;

/// The operator's API group.
pub(super) const GROUP: &str = "monitoring.coreos.com";

/// A monitor, next to an EPP.
pub(super) struct Monitor<'a> {
    pub object: &'a Object,
    /// What keeps it from selecting the EPP, one line each; empty if it does.
    pub differences: Vec<String>,
    /// The index of the endpoint that scrapes the EPP's metrics, where its port is one the Service has.
    pub endpoint: Option<usize>,
}

impl Monitor<'_> {
    /// Whether it selects the EPP.
    pub fn selects(&self) -> bool {
        self.differences.is_empty()
    }

    /// Its endpoint's field: `interval`, `scrapeTimeout`.
    pub fn of_endpoint(&self, field: &str) -> Option<&Value> {
        endpoints(self.object).nth(self.endpoint?)?.get(field)
    }

    /// The command that sets fields of its endpoint.
    pub fn set(&self, fields: &[(&str, &str)]) -> String {
        set(
            self.object.kind == "PodMonitor",
            &self.object.namespace,
            &self.object.name,
            self.endpoint.unwrap_or(0),
            fields,
        )
    }
}

/// The command that sets fields of an endpoint of a monitor.
pub(super) fn set(
    of_pods: bool,
    namespace: &str,
    name: &str,
    endpoint: usize,
    fields: &[(&str, &str)],
) -> String {
    let (kind, list) = if of_pods {
        ("podmonitor", "podMetricsEndpoints")
    } else {
        ("servicemonitor", "endpoints")
    };
    let changes = fields.iter().map(|(field, value)| {
        format!(r#"{{"op":"add","path":"/spec/{list}/{endpoint}/{field}","value":"{value}"}}"#)
    });
    let patch = format!("[{}]", changes.collect::<Vec<_>>().join(","));
    let patch = paste::word(&patch);
    let name = paste::word(name);
    paste::kubectl(namespace, &format!("patch {kind} {name} --type=json -p {patch}"))
}

/// The monitors that select the EPP.
pub(super) fn selecting<'a>(epp: &Epp<'a>) -> Vec<Monitor<'a>> {
    let mut monitors = compared(epp, |object| looks_into(object, &epp.namespace));
    monitors.retain(Monitor::selects);
    monitors
}

/// Every monitor, the nearest first.
pub(super) fn nearest<'a>(epp: &Epp<'a>) -> Vec<Monitor<'a>> {
    compared(epp, |_| true)
}

fn compared<'a>(epp: &Epp<'a>, wanted: impl Fn(&Object) -> bool + Copy) -> Vec<Monitor<'a>> {
    let objects = &epp.facts.objects;
    let of_services = epp.service.into_iter().flat_map(|service| {
        let labels = service.strings("/metadata/labels");
        let all = objects
            .all(GROUP, "ServiceMonitor")
            .filter(move |object| wanted(object));
        all.map(move |object| compare(epp, object, &labels, "the Service"))
    });
    let template = epp
        .workload
        .map(|workload| workload.strings("/spec/template/metadata/labels"));
    let pod = || epp.pods.first().map(|pod| pod.strings("/metadata/labels"));
    let of_pods = template.or_else(pod).into_iter().flat_map(|labels| {
        let all = objects
            .all(GROUP, "PodMonitor")
            .filter(move |object| wanted(object));
        all.map(move |object| compare(epp, object, &labels, "the EPP's pods"))
    });
    let mut monitors: Vec<_> = of_services.chain(of_pods).collect();
    monitors.sort_by_key(|monitor| {
        let elsewhere = *monitor.object.namespace != *epp.namespace;
        (monitor.differences.len(), elsewhere)
    });
    monitors
}

fn compare<'a>(epp: &Epp<'a>, object: &'a Object, labels: &BTreeMap<&str, &str>, whose: &str) -> Monitor<'a> {
    let mut differences = Vec::new();
    if !looks_into(object, &epp.namespace) {
        differences.push(format!(
            "it does not look into namespace {}: no such entry in spec.namespaceSelector.matchNames",
            epp.namespace
        ));
    }
    // An empty selector of a monitor selects everything.
    for (name, value) in object.strings("/spec/selector/matchLabels") {
        match labels.get(name) {
            Some(has) if *has == value => {}
            Some(has) => differences.push(format!("it asks for {name}={value}; {whose} has {has}")),
            None => differences.push(format!("it asks for {name}={value}, which {whose} lacks")),
        }
    }
    let expressions = object
        .at("/spec/selector/matchExpressions")
        .and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        if !holds(expression, labels) {
            differences.push(format!("matchExpressions {expression} does not hold for {whose}"));
        }
    }
    let endpoint = endpoints(object).position(|endpoint| reaches(epp, endpoint));
    if endpoint.is_none() {
        let ports: Vec<_> = endpoints(object)
            .filter_map(|endpoint| endpoint.get("port").or_else(|| endpoint.get("targetPort")))
            .map(|port| port.as_str().map_or_else(|| port.to_string(), str::to_owned))
            .collect();
        differences.push(format!(
            "its endpoints are at port {}, which {whose} does not have",
            if ports.is_empty() {
                "(none)".to_owned()
            } else {
                ports.join(", ")
            }
        ));
    }
    Monitor {
        object,
        differences,
        endpoint,
    }
}

/// Whether a monitor selects among the Services or pods of a namespace: its own, unless it says otherwise.
fn looks_into(object: &Object, namespace: &str) -> bool {
    let among = object.at("/spec/namespaceSelector");
    let any = among.and_then(|among| among.get("any")).and_then(Value::as_bool);
    let names = among
        .and_then(|among| among.get("matchNames"))
        .and_then(Value::as_array)
        .filter(|names| !names.is_empty());
    any == Some(true)
        || names.map_or(object.namespace == namespace, |names| {
            names.iter().any(|name| name.as_str() == Some(namespace))
        })
}

fn endpoints(object: &Object) -> impl Iterator<Item = &Value> {
    let list = if object.kind == "PodMonitor" {
        "/spec/podMetricsEndpoints"
    } else {
        "/spec/endpoints"
    };
    object.at(list).and_then(Value::as_array).into_iter().flatten()
}

/// Whether an endpoint's port is there. Of ports of pods only named ones of the Service are known for sure, so a
/// number, a target port, and a port of a PodMonitor pass.
fn reaches(epp: &Epp<'_>, endpoint: &Value) -> bool {
    let Some(port) = endpoint.get("port").and_then(Value::as_str) else {
        return true;
    };
    let of_service = epp
        .service
        .and_then(|service| service.at("/spec/ports"))
        .and_then(Value::as_array);
    let containers = epp
        .workload
        .and_then(|workload| workload.at("/spec/template/spec/containers"))
        .or_else(|| epp.pods.first()?.at("/spec/containers"))
        .and_then(Value::as_array);
    let of_containers = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("ports")?.as_array())
        .flatten();
    let mut all = of_service.into_iter().flatten().chain(of_containers).peekable();
    all.peek().is_none() || all.any(|known| known.get("name").and_then(Value::as_str) == Some(port))
}

/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement>
fn holds(expression: &Value, labels: &BTreeMap<&str, &str>) -> bool {
    let text = |key: &str| expression.get(key).and_then(Value::as_str);
    let value = text("key").and_then(|key| labels.get(key));
    let values = expression.get("values").and_then(Value::as_array);
    let among = value.is_some_and(|value| {
        let mut values = values.into_iter().flatten();
        values.any(|wanted| wanted.as_str() == Some(value))
    });
    match text("operator") {
        Some("In") => among,
        Some("NotIn") => !among,
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => false,
    }
}
