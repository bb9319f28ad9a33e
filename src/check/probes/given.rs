//! Facts of a set-up where all is well, and ways to break it: pool `llm/chat` of model `llama`, parked, with its EPP.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    check::{Facts, Object, Objects, Origin, Problem, Prom, ScrapeTarget, Series, Severity, Verdict},
    config::Config,
    core::{
        Change, Cost, Inventory, Labels, Mono, Now, ObjectName, Observed, Pool, PoolGroup, PoolKey, Seen,
        Sign, Target, TargetKey, TargetKind, TargetRef, Variant, VariantStatus, Wall,
    },
};

/// The EPP's configuration with flow control.
pub const CONFIG: &str = "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\nplugins: []\nfeatureGates: [flowControl]\n\
                          flowControl:\n  noEndpointRequestTTL: 10m\n";

/// All is well.
pub fn healthy() -> Facts {
    let mut facts = Facts {
        config: Config::default(),
        origin: Origin::Live {
            cluster: "https://api:6443".to_owned(),
            version: None,
        },
        now: Now {
            mono: Mono(Duration::from_secs(1_000_000)),
            wall: wall("2026-06-01T12:00:00Z"),
        },
        objects: Objects::default(),
        unread: Vec::new(),
        inventory: Inventory::default(),
        access: Vec::new(),
        account: None,
        prometheus: Prom {
            demand: Some(Ok(Vec::new())),
            latency: Some(Duration::from_millis(50)),
            seen: Some(vec![seen("llm", "chat", Sign::FlowControl)]),
            series: vec![
                series(&[("model_name", "llama"), ("target_model_name", "llama")], 0.0),
                series(&[("model_name", "qwen"), ("target_model_name", "qwen")], 0.0),
            ],
            targets: Some(Ok(vec![target()])),
            ..Prom::default()
        },
    };
    variant(&mut facts, "llm", "llama", "chat");
    for manifest in manifests() {
        put(&mut facts, manifest);
    }
    facts
}

/// The objects.
fn manifests() -> [Value; 7] {
    let epp = json!({
        "containers": [
            {"name": "proxy", "image": "envoy", "args": ["--config-path", "/etc/envoy.yaml"]},
            {"name": "epp", "image": "ghcr.io/llm-d/llm-d-router:v0.10.0",
             "args": ["--pool-name", "chat", "--config-file", "/config/plugins.yaml", "--secure-serving"],
             "ports": [{"name": "metrics", "containerPort": 9090}],
             "volumeMounts": [{"name": "config", "mountPath": "/config"}]},
        ],
        "volumes": [{"name": "config", "configMap": {"name": "chat-epp"}}],
    });
    [
        json!({"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool",
            "metadata": {"namespace": "llm", "name": "chat"},
            "spec": {"selector": {"matchLabels": {"model": "llama"}},
                "endpointPickerRef": {"name": "chat-epp", "port": {"number": 9002}}}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": "llm", "name": "chat-epp", "labels": {"app": "chat-epp"}},
            "spec": {"selector": {"app": "chat-epp"}, "ports": [
                {"name": "grpc-ext-proc", "port": 9002}, {"name": "http-metrics", "port": 9090}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "llm", "name": "chat-epp"},
            "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "chat-epp"}}, "spec": epp}}}),
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "llm", "name": "chat-epp-7d9-x2", "labels": {"app": "chat-epp"}},
            "spec": epp,
            "status": {"phase": "Running", "podIP": "10.0.0.7",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [
                    {"name": "epp", "restartCount": 0, "state": {"running": {"startedAt": "2026-06-01T10:00:00Z"}}}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "llm", "name": "chat-epp"},
            "data": {"plugins.yaml": CONFIG}}),
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": {"namespace": "llm", "name": "chat-epp", "labels": {"release": "prom"}},
            "spec": {"selector": {"matchLabels": {"app": "chat-epp"}},
                "endpoints": [{"port": "http-metrics", "interval": "1s"}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "llm", "name": "llama"},
            "spec": {"replicas": 0, "template": {"metadata": {"labels": {"model": "llama"}}, "spec": {
                "containers": [{"name": "vllm"}]}}}}),
    ]
}

/// A variant of the model of its name, parked, behind a pool that selects it.
pub fn variant(facts: &mut Facts, namespace: &str, name: &str, pool: &str) {
    let name = ObjectName::new(namespace, name);
    let target = TargetKey {
        kind: TargetKind::Deployment,
        name: name.clone(),
    };
    let labels: Labels = [("model", &*name.name)].into_iter().collect();
    let inventory = &mut facts.inventory;
    inventory.apply(Change::Pool(
        PoolKey {
            group: PoolGroup::Stable,
            name: ObjectName::new(namespace, pool),
        },
        Some(Pool {
            selector: labels.clone(),
            excluded: false,
        }),
    ));
    inventory.apply(Change::Target(
        target.clone(),
        Some(Target {
            uid: "t".into(),
            generation: 1,
            observed: Observed::new(Some(0), None, "1"),
            labels,
            deleting: false,
            excluded: false,
            accelerator: None,
            has_template: true,
        }),
    ));
    inventory.apply(Change::Variant(
        name.clone(),
        Some(Variant {
            uid: "v".into(),
            resource_version: "1".into(),
            generation: 1,
            target: TargetRef::Known(target),
            model: name.name.clone(),
            aliases: Box::default(),
            cost: Cost::parse(None),
            max_replicas: None,
            deleting: false,
            excluded: false,
            controller_instance: None,
            accelerator: None,
            status: VariantStatus::default(),
            annotated: None,
        }),
    ));
}

/// Adds an object, or replaces it.
pub fn put(facts: &mut Facts, json: Value) {
    let text = |pointer: &str| {
        json.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let of = text("/apiVersion");
    let (group, version) = of.split_once('/').unwrap_or(("", &of));
    facts.objects.add(Object {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text("/kind"),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        place: None,
        changed: None,
        json,
    });
}

fn group(kind: &str) -> &'static str {
    match kind {
        "InferencePool" => "inference.networking.k8s.io",
        "Deployment" => "apps",
        "ServiceMonitor" => "monitoring.coreos.com",
        _ => "",
    }
}

/// Changes an object of namespace `llm`.
pub fn edit(facts: &mut Facts, kind: &str, name: &str, change: impl FnOnce(&mut Object)) {
    let mut object = facts
        .objects
        .get(group(kind), kind, "llm", name)
        .expect("an object")
        .clone();
    change(&mut object);
    facts.objects.add(object);
}

/// Sets what stands at a pointer of an object of namespace `llm`.
pub fn set(facts: &mut Facts, kind: &str, name: &str, pointer: &str, value: Value) {
    edit(facts, kind, name, |object| {
        *object.json.pointer_mut(pointer).expect("a place") = value;
    });
}

/// Removes the objects of a kind, but for one name.
pub fn remove(facts: &mut Facts, kind: &str, name: &str) {
    let kept = facts
        .objects
        .iter()
        .filter(|object| !(object.kind == kind && object.name == name));
    let mut objects = Objects::default();
    for object in kept {
        objects.add(object.clone());
    }
    facts.objects = objects;
}

/// The configuration of the EPP.
pub fn configure(facts: &mut Facts, text: &str) {
    set(
        facts,
        "ConfigMap",
        "chat-epp",
        "/data",
        json!({"plugins.yaml": text}),
    );
}

/// Files, with samples or without.
pub fn files(facts: &mut Facts, samples: bool) {
    facts.origin = Origin::Files {
        objects: "manifests".into(),
        samples: samples.then(|| "samples".into()),
    };
    if !samples {
        facts.prometheus = Prom::default();
    }
    remove(facts, "Pod", "chat-epp-7d9-x2");
}

/// A pod of the target that took so many seconds.
pub fn started(facts: &mut Facts, seconds: u32) {
    let made = wall("2026-06-01T08:00:00Z");
    let ready = made + Duration::from_secs(seconds.into());
    put(
        facts,
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "llm", "name": format!("llama-{seconds}"),
            "labels": {"model": "llama"}, "creationTimestamp": made.to_string()},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready.to_string()}]}}),
    );
}

/// A row of the slow query.
pub fn seen(namespace: &str, pool: &str, what: Sign) -> Seen {
    Seen {
        namespace: Some(namespace.into()),
        pool: Some(pool.into()),
        what,
    }
}

/// A series of the queue, with these labels beside or in place of those it has.
pub fn series(more: &[(&str, &str)], value: f64) -> Series {
    let own = [
        ("namespace", "llm"),
        ("pod", "chat-epp-7d9-x2"),
        ("service", "chat-epp"),
        ("inference_pool", "chat"),
        ("fairness_id", "default"),
        ("priority", "0"),
    ];
    let labels: BTreeMap<_, _> = own
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Series {
        name: "llm_d_epp_flow_control_queue_size".to_owned(),
        labels: labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        value,
        age: Some(0.6),
    }
}

/// The target of the EPP.
pub fn target() -> ScrapeTarget {
    let labels = [
        ("namespace", "llm"),
        ("pod", "chat-epp-7d9-x2"),
        ("service", "chat-epp"),
    ];
    ScrapeTarget {
        labels: labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        pool: "serviceMonitor/llm/chat-epp/0".to_owned(),
        url: "http://10.0.0.7:9090/metrics".to_owned(),
        interval: Some(Duration::from_secs(1)),
        health: "up".to_owned(),
        last_error: String::new(),
        last_scrape: None,
    }
}

/// The targets.
pub fn targets(facts: &mut Facts) -> &mut Vec<ScrapeTarget> {
    match &mut facts.prometheus.targets {
        Some(Ok(targets)) => targets,
        _ => panic!("targets are known"),
    }
}

pub fn wall(text: &str) -> Wall {
    text.parse().expect("a time")
}

type Probe = fn(&Facts, &Verdict<'_>) -> Vec<Problem>;

/// What a probe finds.
pub fn found(probe: Probe, facts: &Facts) -> Vec<Problem> {
    probe(facts, &Verdict::of(facts))
}

/// The codes and severities of what it finds.
pub fn codes(probe: Probe, facts: &Facts) -> Vec<(&'static str, Severity)> {
    let found = found(probe, facts).into_iter();
    found.map(|problem| (problem.code, problem.severity)).collect()
}

/// The only problem, as one text: what, evidence, mend, line by line.
pub fn only(probe: Probe, facts: &Facts, code: &str) -> (Severity, String) {
    let found = found(probe, facts);
    assert_eq!(found.len(), 1, "{found:#?}");
    let problem = &found[0];
    assert_eq!(problem.code, code, "{problem:#?}");
    assert!(
        !problem.what.ends_with('.') && !problem.mend.is_empty(),
        "{problem:#?}"
    );
    let lines = [&problem.what]
        .into_iter()
        .chain(&problem.evidence)
        .chain(&problem.mend);
    let text = lines.cloned().collect::<Vec<_>>().join("\n");
    (problem.severity, format!("{}\n{text}", problem.object))
}
