//! The endpoint picker of a pool, as the objects show it: Service, pods, and what makes the pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    check::{Concerns, Facts, Link, Object, Origin, Problem, Severity, Verdict, probes::paste},
    core::{Scope, Seen, Sign, Signal, VariantKey},
};

/// The API groups of InferencePools, the stable one first.
const POOLS: [&str; 2] = ["inference.networking.k8s.io", "inference.networking.x-k8s.io"];
/// What makes pods of an EPP. The charts know these two.
const WORKLOADS: [&str; 2] = ["Deployment", "StatefulSet"];

/// A pool that selects variants in scope, with its EPP as far as there is one.
#[derive(Debug)]
pub(in crate::check::probes) struct Epp<'a> {
    pub facts: &'a Facts,
    /// Namespace of all of it.
    pub namespace: Arc<str>,
    /// Name of the pool.
    pub name: Arc<str>,
    /// The variants in scope behind it.
    pub variants: BTreeSet<VariantKey>,
    /// The pool; `None` where the objects do not hold it.
    pub pool: Option<&'a Object>,
    /// What it refers to.
    pub reference: Option<Reference<'a>>,
    /// The Service that this names.
    pub service: Option<&'a Object>,
    /// The pods that the Service selects and that are not being deleted.
    pub pods: Vec<&'a Object>,
    /// What makes pods that the Service selects.
    pub workload: Option<&'a Object>,
}

/// `spec.endpointPickerRef` of a pool, `spec.extensionRef` of an older one.
#[derive(Clone, Copy, Debug)]
pub(in crate::check::probes) struct Reference<'a> {
    /// Kind: a Service where nothing else is said.
    pub kind: &'a str,
    /// Name.
    pub name: &'a str,
    /// Port of the Service.
    pub port: Option<i64>,
}

/// Whether flow control is running, by what Prometheus has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check::probes) enum Running {
    Yes,
    No,
    Unknown,
}

impl<'a> Epp<'a> {
    /// Those of all pools that select a variant in scope, by namespace and name.
    pub fn all(facts: &'a Facts) -> Vec<Self> {
        let mut pools: BTreeMap<(Arc<str>, Arc<str>), BTreeSet<VariantKey>> = BTreeMap::new();
        for (key, entry) in facts.inventory.entries() {
            if entry.scope == Scope::In {
                for pool in &entry.pools {
                    let place = (key.name.namespace.clone(), pool.clone());
                    pools.entry(place).or_default().insert(key.clone());
                }
            }
        }
        let found = pools.into_iter();
        found
            .map(|((namespace, name), variants)| Self::find(facts, namespace, name, variants))
            .collect()
    }

    fn find(facts: &'a Facts, namespace: Arc<str>, name: Arc<str>, variants: BTreeSet<VariantKey>) -> Self {
        let of_group = POOLS.map(|group| facts.objects.get(group, "InferencePool", &namespace, &name));
        // During a migration a pool stands in both groups, and one of them may name no EPP.
        let mut pools = of_group.into_iter().flatten();
        let pool = pools
            .clone()
            .find(|pool| reference(pool).is_some())
            .or_else(|| pools.next());
        let reference = pool.and_then(reference);
        let service = reference
            .filter(|reference| reference.kind == "Service")
            .and_then(|reference| facts.objects.get("", "Service", &namespace, reference.name));
        let selector = service.map(selector).unwrap_or_default();
        let objects = &facts.objects;
        let pods = objects
            .within("", "Pod", &namespace)
            .filter(|pod| selects(&selector, &pod.strings("/metadata/labels")))
            .filter(|pod| pod.at("/metadata/deletionTimestamp").is_none())
            .collect();
        let workload = WORKLOADS
            .iter()
            .flat_map(|kind| objects.within("apps", kind, &namespace))
            .find(|workload| selects(&selector, &template_labels(workload)));
        Self {
            facts,
            namespace,
            name,
            variants,
            pool,
            reference,
            service,
            pods,
            workload,
        }
    }

    /// Deployments and StatefulSets beside it.
    pub fn workloads(&self) -> impl Iterator<Item = &'a Object> {
        let of_kind = WORKLOADS.map(|kind| self.facts.objects.within("apps", kind, &self.namespace));
        of_kind.into_iter().flatten()
    }

    /// Whether objects of a kind are known, so that there being none of them says something. Files hold what somebody
    /// put there, and no pods.
    pub fn knows(&self, group: &str, kind: &str) -> bool {
        let unread = |unread: &&crate::check::Unread| {
            let here = unread
                .namespace
                .as_deref()
                .is_none_or(|ns| ns == &*self.namespace);
            here && !unread.absent && unread.group == group && unread.kind == kind
        };
        self.is_live() && !self.facts.unread.iter().any(|u| unread(&u))
    }

    /// Whether the facts are those of a cluster.
    pub fn is_live(&self) -> bool {
        matches!(self.facts.origin, Origin::Live { .. })
    }

    /// Whether flow control runs. The verdict speaks of pools with something parked; the rows it is made of, of all.
    pub fn running(&self, verdict: &Verdict<'_>) -> Running {
        match verdict.signal(&self.namespace, &self.name) {
            Signal::On => return Running::Yes,
            Signal::Off => return Running::No,
            Signal::NotScraped | Signal::Unknown => {}
        }
        let signs: Vec<_> = self.signs().map(|seen| seen.what).collect();
        if signs.contains(&Sign::FlowControl) {
            Running::Yes
        } else if signs.contains(&Sign::Endpoints) {
            Running::No
        } else {
            Running::Unknown
        }
    }

    /// What the slow query says of this very pool.
    pub fn signs(&self) -> impl Iterator<Item = &'a Seen> {
        let seen = self.facts.prometheus.seen.iter().flatten();
        seen.filter(|seen| {
            seen.namespace.as_deref() == Some(&*self.namespace) && seen.pool.as_deref() == Some(&*self.name)
        })
    }

    /// A problem of it.
    pub fn problem(
        &self,
        code: &'static str,
        severity: Severity,
        link: Link,
        object: Option<&Object>,
        what: String,
    ) -> Problem {
        let pool = || format!("InferencePool {}/{}", self.namespace, self.name);
        Problem {
            code,
            severity,
            link,
            object: object.map_or_else(pool, Object::named),
            concerns: Concerns::Variants(self.variants.clone()),
            what,
            evidence: Vec::new(),
            mend: Vec::new(),
        }
    }

    /// The command that starts its pods anew.
    pub fn restart(&self) -> String {
        match (self.workload, self.pods.first()) {
            (Some(workload), _) => paste::kubectl(
                &self.namespace,
                &format!("rollout restart {}", resource(workload)),
            ),
            (None, Some(pod)) => {
                paste::kubectl(&self.namespace, &format!("delete pod {}", paste::word(&pod.name)))
            }
            (None, None) => paste::kubectl(&self.namespace, "rollout restart deployment/EPP"),
        }
    }
}

/// `deployment/NAME`, as `kubectl` takes it.
pub(super) fn resource(workload: &Object) -> String {
    let kind = workload.kind.to_ascii_lowercase();
    format!("{kind}/{}", paste::word(&workload.name))
}

/// The labels of the pods that a workload makes.
pub(super) fn template_labels(workload: &Object) -> BTreeMap<&str, &str> {
    workload.strings("/spec/template/metadata/labels")
}

/// The selector of a Service.
pub(super) fn selector(service: &Object) -> BTreeMap<&str, &str> {
    service.strings("/spec/selector")
}

/// Whether a selector selects labels; an empty one of a Service selects nothing.
pub(super) fn selects(selector: &BTreeMap<&str, &str>, labels: &BTreeMap<&str, &str>) -> bool {
    !selector.is_empty()
        && selector
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
}

fn reference(pool: &Object) -> Option<Reference<'_>> {
    let reference = ["/spec/endpointPickerRef", "/spec/extensionRef"]
        .into_iter()
        .find_map(|place| pool.at(place).filter(|value| value.is_object()))?;
    let text = |key: &str| reference.get(key).and_then(Value::as_str);
    let port = ["/port/number", "/portNumber", "/port"]
        .into_iter()
        .find_map(|place| reference.pointer(place).and_then(Value::as_i64));
    Some(Reference {
        kind: text("kind").filter(|kind| !kind.is_empty()).unwrap_or("Service"),
        name: text("name").filter(|name| !name.is_empty())?,
        port,
    })
}
