//! What stands in a namespace beside what is looked at, found by labels and names: built once, as there may be ten
//! thousand pools that each ask for their pods.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Facts, Object};
use crate::core::Seen;

/// What makes pods of an EPP. The charts know these two.
pub(super) const WORKLOADS: [&str; 2] = ["Deployment", "StatefulSet"];

/// A selector, or labels.
pub(super) type Pairs<'a> = BTreeMap<&'a str, &'a str>;

/// Objects of one sort by namespace and label.
#[derive(Debug, Default)]
pub(super) struct Labelled<'a> {
    /// By namespace, label and value: where they stand in `objects`, in order.
    places: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    objects: Vec<(&'a Object, Pairs<'a>)>,
}

impl<'a> Labelled<'a> {
    /// Objects by the labels that stand at a pointer.
    fn of(objects: impl Iterator<Item = &'a Object>, labels: &str) -> Self {
        let mut all = Self::default();
        for object in objects {
            let labels = object.strings(labels);
            for (name, value) in &labels {
                let place = (object.namespace.as_str(), *name, *value);
                all.places.entry(place).or_default().push(all.objects.len());
            }
            all.objects.push((object, labels));
        }
        all
    }

    /// Those that a selector selects, in order; an empty one selects nothing.
    pub fn selected(&self, namespace: &str, selector: &Pairs<'_>) -> Vec<&'a Object> {
        let of_pairs = selector.iter().map(|(name, value)| {
            let places = self.places.get(&(namespace, *name, *value));
            places.map(Vec::as_slice).unwrap_or_default()
        });
        let fewest = of_pairs.min_by_key(|places| places.len()).unwrap_or_default();
        let candidates = fewest.iter().map(|at| &self.objects[*at]);
        candidates
            .filter(|(_, labels)| {
                let mut pairs = selector.iter();
                pairs.all(|(name, value)| labels.get(name) == Some(value))
            })
            .map(|(object, _)| *object)
            .collect()
    }

    /// The first of those that have most pairs of a selector, and at least one.
    pub fn nearest(&self, namespace: &str, selector: &Pairs<'_>) -> Option<&'a Object> {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for (name, value) in selector {
            for at in self.places.get(&(namespace, *name, *value)).into_iter().flatten() {
                *counts.entry(*at).or_default() += 1;
            }
        }
        let most = counts.into_iter().min_by_key(|(_, count)| usize::MAX - count);
        most.map(|(at, _)| self.objects[at].0)
    }
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Around<'a> {
    /// Pods by their labels.
    pub pods: Labelled<'a>,
    /// Deployments, then StatefulSets, by the labels of the pods that they make.
    pub workloads: Labelled<'a>,
    /// Services of each namespace by name.
    services: HashMap<&'a str, Vec<&'a Object>>,
    /// The first Service of each namespace with the port of `ext_proc` in every chart of the EPP.
    listening: HashMap<&'a str, &'a Object>,
    /// What the slow query says, by namespace and pool.
    seen: HashMap<(&'a str, &'a str), Vec<&'a Seen>>,
}

/// The port of `ext_proc` in every chart of the EPP.
pub(super) const EXT_PROC: i64 = 9002;

impl<'a> Around<'a> {
    /// All of it.
    pub fn of(facts: &'a Facts) -> Self {
        let objects = &facts.objects;
        let workloads = WORKLOADS.iter().flat_map(|kind| objects.all("apps", kind));
        let mut services: HashMap<_, Vec<_>> = HashMap::new();
        let mut listening = HashMap::new();
        for service in objects.all("", "Service") {
            let namespace = service.namespace.as_str();
            services.entry(namespace).or_default().push(service);
            if ports(service).any(|(_, port)| port == EXT_PROC) {
                listening.entry(namespace).or_insert(service);
            }
        }
        let mut seen: HashMap<_, Vec<_>> = HashMap::new();
        for one in facts.prometheus.seen.iter().flatten() {
            if let (Some(namespace), Some(pool)) = (&one.namespace, &one.pool) {
                seen.entry((&**namespace, &**pool)).or_default().push(one);
            }
        }
        Self {
            pods: Labelled::of(objects.all("", "Pod"), "/metadata/labels"),
            workloads: Labelled::of(workloads, "/spec/template/metadata/labels"),
            services,
            listening,
            seen,
        }
    }

    /// The Services of a namespace, by name.
    pub fn services(&self, namespace: &str) -> &[&'a Object] {
        self.services
            .get(namespace)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The first Service of a namespace that listens where an EPP does.
    pub fn listening(&self, namespace: &str) -> Option<&'a Object> {
        self.listening.get(namespace).copied()
    }

    /// What the slow query says of a pool.
    pub fn seen(&self, namespace: &str, pool: &str) -> Vec<&'a Seen> {
        self.seen.get(&(namespace, pool)).cloned().unwrap_or_default()
    }
}

/// Ports of a Service, by name and number.
pub(super) fn ports(service: &Object) -> impl Iterator<Item = (&str, i64)> {
    let ports = service.at("/spec/ports").and_then(Value::as_array);
    ports.into_iter().flatten().filter_map(|port| {
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        Some((name, port.get("port")?.as_i64()?))
    })
}
