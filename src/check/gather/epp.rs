//! What stands around the endpoint pickers: Services, pods, the configuration they read, and who has them scraped.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use futures::future::join_all;
use kube::{api::ApiResource, core::GroupVersionKind};
use serde_json::Value;

use super::live::Cluster;
use crate::{
    check::{Object, Objects},
    core::Failure,
};

/// Groups of InferencePools.
const POOLS: [&str; 2] = ["inference.networking.k8s.io", "inference.networking.x-k8s.io"];
/// The API of the Prometheus operator.
const OPERATOR: &str = "monitoring.coreos.com";
/// How many times a `ConfigMap` is read for one endpoint picker at most.
const MOST_CONFIG_MAPS: usize = 20;

fn of(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// Reads what stands around the pools that were read.
pub(super) async fn read(cluster: &mut Cluster<'_>) {
    let namespaces: BTreeSet<String> = pools(&cluster.objects)
        .map(|pool| pool.namespace.clone())
        .collect();
    if namespaces.is_empty() {
        return;
    }
    let kinds = [of("", "v1", "Service", "services"), of("", "v1", "Pod", "pods")];
    let wanted = namespaces
        .iter()
        .flat_map(|namespace| kinds.iter().map(|kind| (kind.clone(), Some(namespace.clone()))));
    let answers = cluster.list(wanted.collect()).await;
    cluster.keep(answers);
    scrapes(cluster, &namespaces).await;
    config_maps(cluster).await;
}

/// Who has pods scraped. They often stand in the namespace of the monitoring, so all are asked for, and where that is
/// forbidden those beside the pools.
async fn scrapes(cluster: &mut Cluster<'_>, namespaces: &BTreeSet<String>) {
    let kinds = [
        of(OPERATOR, "v1", "ServiceMonitor", "servicemonitors"),
        of(OPERATOR, "v1", "PodMonitor", "podmonitors"),
    ];
    let wanted = kinds.iter().map(|kind| (kind.clone(), None));
    let answers = cluster.list(wanted.collect()).await;
    let forbidden: Vec<ApiResource> = answers
        .iter()
        .filter(|(_, _, answer)| matches!(answer, Err(error) if error.failure == Failure::Forbidden))
        .map(|(kind, _, _)| kind.clone())
        .collect();
    cluster.keep(answers);
    let wanted = forbidden.iter().flat_map(|kind| {
        namespaces
            .iter()
            .map(|namespace| (kind.clone(), Some(namespace.clone())))
    });
    let answers = cluster.list(wanted.collect()).await;
    cluster.keep(answers);
}

/// Each `ConfigMap` that endpoint pickers name, and no other.
async fn config_maps(cluster: &mut Cluster<'_>) {
    let kind = of("", "v1", "ConfigMap", "configmaps");
    let named = named(&cluster.objects);
    let raw = &cluster.raw;
    let answers = join_all(named.iter().map(async |(namespace, name)| {
        let answer = raw.get(&kind, Some(namespace), name).await;
        let found = answer.map(|found| found.into_iter().collect());
        (kind.clone(), Some(namespace.clone()), found)
    }));
    let answers = answers.await;
    cluster.keep(answers);
}

/// Those of all pools, by namespace and name.
fn named(objects: &Objects) -> BTreeSet<(String, String)> {
    let pods = Pods::of(objects);
    pools(objects)
        .flat_map(|pool| config_maps_of(objects, &pods, pool))
        .collect()
}

/// The pools that were read.
fn pools(objects: &Objects) -> impl Iterator<Item = &Object> {
    POOLS.iter().flat_map(|group| objects.all(group, "InferencePool"))
}

/// The specs of pods, and of the templates that pods are made from, by namespace and label: there may be as many pools as
/// Deployments, and so each is not looked at for each.
struct Pods<'a>(HashMap<(&'a str, &'a str, &'a str), Vec<Labelled<'a>>>);

/// Labels, and the spec of the pods that have them.
type Labelled<'a> = (Rc<BTreeMap<&'a str, &'a str>>, &'a Value);

impl<'a> Pods<'a> {
    fn of(objects: &'a Objects) -> Self {
        const KINDS: [(&str, &str, &str); 3] = [
            ("apps", "Deployment", "/spec/template"),
            ("apps", "StatefulSet", "/spec/template"),
            ("", "Pod", ""),
        ];
        let mut by_label = HashMap::<_, Vec<_>>::new();
        for (group, kind, at) in KINDS {
            for object in objects.all(group, kind) {
                let Some(spec) = object.at(&format!("{at}/spec")) else {
                    continue;
                };
                let labels = Rc::new(object.strings(&format!("{at}/metadata/labels")));
                for (name, value) in labels.iter() {
                    let key = (object.namespace.as_str(), *name, *value);
                    by_label.entry(key).or_default().push((labels.clone(), spec));
                }
            }
        }
        Self(by_label)
    }

    /// Those that a selector selects; an empty one selects none.
    fn selected(&self, namespace: &str, selector: &BTreeMap<&str, &str>) -> Vec<&'a Value> {
        let first = selector.first_key_value();
        let some = first.and_then(|(name, value)| self.0.get(&(namespace, *name, *value)));
        let fits = |labels: &BTreeMap<&str, &str>| {
            selector
                .iter()
                .all(|(name, value)| labels.get(name) == Some(value))
        };
        some.into_iter()
            .flatten()
            .filter(|(labels, _)| fits(labels))
            .map(|(_, spec)| *spec)
            .collect()
    }
}

/// Each `ConfigMap` that the endpoint picker of a pool names, by namespace and name.
fn config_maps_of(objects: &Objects, pods: &Pods<'_>, pool: &Object) -> BTreeSet<(String, String)> {
    let namespace = &pool.namespace;
    let service = ["/spec/endpointPickerRef/name", "/spec/extensionRef/name"]
        .iter()
        .find_map(|pointer| pool.text(pointer));
    let Some(service) = service else {
        return BTreeSet::new();
    };
    let selector = objects
        .get("", "Service", namespace, service)
        .map(|service| service.strings("/spec/selector"))
        .unwrap_or_default();
    // Where the Service cannot be read: its Deployment mostly has its name.
    let namesake = objects
        .get("apps", "Deployment", namespace, service)
        .and_then(|namesake| namesake.at("/spec/template/spec"));
    let named: BTreeSet<_> = pods
        .selected(namespace, &selector)
        .into_iter()
        .chain(namesake)
        .flat_map(names_in)
        .map(|name| (namespace.clone(), name.to_owned()))
        .collect();
    named.into_iter().take(MOST_CONFIG_MAPS).collect()
}

/// Each `ConfigMap` that a pod's spec mounts, or takes its environment from.
fn names_in(spec: &Value) -> Vec<&str> {
    let mut names = Vec::new();
    for volume in each(spec, "/volumes") {
        names.extend(text(volume, "/configMap/name"));
        for source in each(volume, "/projected/sources") {
            names.extend(text(source, "/configMap/name"));
        }
    }
    for container in ["/containers", "/initContainers"]
        .iter()
        .flat_map(|of| each(spec, of))
    {
        for from in each(container, "/envFrom") {
            names.extend(text(from, "/configMapRef/name"));
        }
        for variable in each(container, "/env") {
            names.extend(text(variable, "/valueFrom/configMapKeyRef/name"));
        }
    }
    // Every namespace has it mounted into every pod.
    names.retain(|name| *name != "kube-root-ca.crt");
    names
}

fn each<'a>(of: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    of.pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(of: &'a Value, pointer: &str) -> Option<&'a str> {
    of.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn config_maps_are_found_wherever_a_pod_names_them() {
        let spec = json!({
            "volumes": [
                {"configMap": {"name": "a"}},
                {"projected": {"sources": [{"configMap": {"name": "b"}}, {"configMap": {"name": "kube-root-ca.crt"}}]}},
                {"secret": {"secretName": "s"}},
            ],
            "initContainers": [{"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]}],
            "containers": [{"env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "d", "key": "k"}}}]}],
        });
        assert_eq!(names_in(&spec), ["a", "b", "d", "c"]);
        assert!(names_in(&json!({"volumes": 7})).is_empty());
    }

    #[test]
    fn an_endpoint_picker_is_found_through_its_service() {
        let mut objects = Objects::default();
        let mut add = |json: Value| {
            objects.add(super::super::object(json, None).unwrap());
        };
        let labels = json!({"app": "epp"});
        let volumes = |name: &str| json!([{"configMap": {"name": name}}]);
        add(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "epp", "namespace": "llm"},
            "spec": {"selector": labels}}),
        );
        add(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "llm", "labels": labels},
            "spec": {"volumes": volumes("of-pod")}}),
        );
        add(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "llm"},
            "spec": {"volumes": volumes("of-other")}}),
        );
        add(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "llm"},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": {"volumes": volumes("of-deployment")}}}}),
        );
        for (group, field) in [(POOLS[0], "endpointPickerRef"), (POOLS[1], "extensionRef")] {
            let mut pool = json!({"apiVersion": format!("{group}/v1"), "kind": "InferencePool",
                "metadata": {"name": "pool", "namespace": "llm"}, "spec": {}});
            pool["spec"][field] = json!({"name": "epp"});
            let pool = super::super::object(pool, None).unwrap();
            let found: Vec<_> = config_maps_of(&objects, &Pods::of(&objects), &pool)
                .into_iter()
                .map(|(_, name)| name)
                .collect();
            assert_eq!(found, ["of-deployment", "of-pod"]);
        }
    }
}
