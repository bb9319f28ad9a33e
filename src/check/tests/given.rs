//! A set-up that is all well, and ways to break it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    check::{
        Access, Facts, Need, Object, Objects, Origin, Problem, Prom, Report, Unread, gather::inventory, judge,
    },
    config::Config,
    core::{Mono, Now, Sample, Seen, Sign},
};

/// Facts in the making. Begins with one parked model in namespace `llm`, with everything that it needs.
pub struct Given {
    pub config: Config,
    objects: BTreeMap<String, Value>,
    pub unread: Vec<Unread>,
    pub access: Vec<Access>,
    pub account: Option<String>,
    pub prometheus: Prom,
}

/// All is well: `llm/llama` is parked, and nobody asks for it.
pub fn well() -> Given {
    let mut given = Given {
        config: Config::default(),
        objects: BTreeMap::new(),
        unread: Vec::new(),
        access: vec![access("patch", "apps", "deployments/scale", Need::Wake, true)],
        account: Some("system:serviceaccount:wva:wva".into()),
        prometheus: Prom {
            servers: vec!["http://prometheus:9090".into()],
            demand: Some(Ok(Vec::new())),
            latency: Some(Duration::from_millis(5)),
            ages: Some(Vec::new()),
            seen: Some(Vec::new()),
            targets: Some(Err("not asked".into())),
            ..Prom::default()
        },
    };
    given.add(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "llm"}}));
    given.model("llama", "meta/llama-8b");
    given
}

pub fn access(verb: &'static str, group: &str, resource: &str, need: Need, allowed: bool) -> Access {
    Access {
        verb,
        group: group.into(),
        resource: resource.into(),
        namespace: None,
        need,
        allowed: Ok(allowed),
    }
}

/// Requests waiting in namespace `llm` at a pool.
pub fn waiting(pool: &str, model: &str, value: f64) -> Sample {
    Sample {
        family: Some("llm_d_epp_flow_control_queue_size".into()),
        namespace: Some("llm".into()),
        pool: Some(pool.into()),
        model: Some(model.into()),
        target_model: Some(model.into()),
        value,
    }
}

impl Given {
    /// A parked model with a variant, a Deployment, a pool and an EPP of that name.
    pub fn model(&mut self, name: &str, model: &str) -> &mut Self {
        let meta = json!({"name": name, "namespace": "llm", "uid": name, "resourceVersion": "1",
            "labels": {"inference.optimization/acceleratorName": "H100"}});
        let epp = format!("{name}-epp");
        self.prometheus.seen.get_or_insert_default().push(Seen {
            namespace: Some("llm".into()),
            pool: Some(name.into()),
            what: Sign::FlowControl,
        });
        self.add(json!({"apiVersion": "llmd.ai/v1alpha1", "kind": "VariantAutoscaling", "metadata": meta,
            "spec": {"modelID": model, "scaleTargetRef": {"kind": "Deployment", "name": name}, "variantCost": "10"}}))
            .add(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "llm", "uid": name, "resourceVersion": "1"},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}}}}))
            .add(json!({"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": name, "namespace": "llm"},
                "spec": {"selector": {"matchLabels": {"app": name}}, "targetPorts": [{"number": 8000}], "endpointPickerRef": {"name": epp, "port": {"number": 9002}}}}))
            .add(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": epp, "namespace": "llm", "labels": {"app": epp}},
                "spec": {"selector": {"app": epp}, "ports": [{"name": "grpc", "port": 9002}, {"name": "http-metrics", "port": 9090}]}}))
            .add(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("{epp}-1"), "namespace": "llm", "labels": {"app": epp}},
                "spec": {"containers": [{"name": "epp", "args": ["--config-text", "apiVersion: inference.networking.x-k8s.io/v1alpha1\nkind: EndpointPickerConfig\nfeatureGates: [flowControl]"]}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"name": "epp", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}}))
    }

    /// Adds an object, or replaces it.
    pub fn add(&mut self, object: Value) -> &mut Self {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let key = format!(
            "{} {}/{}",
            text("/kind"),
            text("/metadata/namespace"),
            text("/metadata/name")
        );
        self.objects.insert(key, object);
        self
    }

    /// Takes an object of namespace `llm` away.
    pub fn without(&mut self, kind: &str, name: &str) -> &mut Self {
        assert!(
            self.objects.remove(&format!("{kind} llm/{name}")).is_some(),
            "{kind} {name}"
        );
        self
    }

    /// Sets a field of an object of namespace `llm`: `["spec", "replicas"]`.
    pub fn set(&mut self, kind: &str, name: &str, path: &[&str], value: Value) -> &mut Self {
        let key = format!("{kind} llm/{name}");
        let mut at = self.objects.get_mut(&key).unwrap_or_else(|| panic!("no {key}"));
        for part in path {
            at = &mut at[*part];
        }
        *at = value;
        self
    }

    /// Requests wait.
    pub fn asked(&mut self, samples: &[Sample]) -> &mut Self {
        self.prometheus.demand = Some(Ok(samples.to_vec()));
        let ages = samples.iter().map(|sample| Sample {
            family: None,
            value: 1.0,
            ..sample.clone()
        });
        self.prometheus.ages = Some(ages.collect());
        self
    }

    pub fn facts(&self) -> Facts {
        let mut objects = Objects::default();
        for json in self.objects.values() {
            let text = |pointer: &str| {
                json.pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let api_version = text("/apiVersion");
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            objects.add(Object {
                group: group.into(),
                version: version.into(),
                kind: text("/kind"),
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name"),
                json: json.clone(),
                place: None,
                changed: None,
            });
        }
        Facts {
            inventory: inventory(&self.config, &objects, &self.unread),
            config: self.config.clone(),
            origin: Origin::Live {
                cluster: "https://cluster".into(),
                version: None,
            },
            now: Now {
                mono: Mono(Duration::from_secs(1_000_000)),
                wall: "2026-01-02T00:00:00Z".parse().unwrap(),
            },
            objects,
            unread: self.unread.clone(),
            access: self.access.clone(),
            account: self.account.clone(),
            prometheus: self.prometheus.clone(),
        }
    }

    pub fn report(&self) -> Report {
        judge(&self.facts())
    }

    /// The codes of all problems, notes included, in order.
    pub fn codes(&self) -> Vec<&'static str> {
        self.report()
            .problems
            .iter()
            .map(|problem| problem.code)
            .collect()
    }

    /// The one problem of a code.
    pub fn problem(&self, code: &str) -> Problem {
        let report = self.report();
        let mut found = report.problems.iter().filter(|problem| problem.code == code);
        let codes = || {
            report
                .problems
                .iter()
                .map(|problem| problem.code)
                .collect::<Vec<_>>()
        };
        let first = found
            .next()
            .unwrap_or_else(|| panic!("no {code} among {:?}", codes()));
        assert_eq!(found.next(), None, "one {code}");
        first.clone()
    }

    /// The first problem of the variant `llm/NAME`, as the table shows it.
    pub fn first(&self, name: &str) -> Option<&'static str> {
        let report = self.report();
        let row = report.variants.iter().find(|row| &*row.key.name.name == name);
        Some(report.problems[row.unwrap_or_else(|| panic!("no {name}")).first?].code)
    }
}

/// All of a problem's text, for `contains`.
pub fn text(problem: &Problem) -> String {
    let lines = problem.evidence.iter().chain(&problem.mend);
    let all: Vec<&str> = [problem.object.as_str(), &problem.what]
        .into_iter()
        .chain(lines.map(String::as_str))
        .collect();
    all.join("\n")
}
