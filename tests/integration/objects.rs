//! Objects as users write them, without a namespace.

use serde_json::{Value, json};

use crate::cluster::{Kind, POOL, POOL_V1ALPHA2};

/// A Deployment whose pods are labelled `app: APP`.
pub fn deployment(name: &str, app: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app),
        },
    })
}

/// The same as a StatefulSet.
pub fn stateful_set(name: &str, app: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app),
        },
    })
}

fn template(app: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "vllm", "image": "vllm/vllm-openai:latest"}]},
    })
}

/// A variant of a model with a Deployment of the same name as its target.
pub fn variant(name: &str, model: &str) -> Value {
    json!({
        "apiVersion": "llmd.ai/v1alpha1", "kind": "VariantAutoscaling",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "modelID": model,
        },
    })
}

/// How a pool writes its selector.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// As the stable group has it.
    MatchLabels,
    /// As the experimental group has it.
    Flat,
}

/// A pool of the pods labelled `app: APP`, as one finds it in either group.
pub fn pool(kind: Kind, shape: Shape, name: &str, app: &str) -> Value {
    let spec = match shape {
        Shape::MatchLabels => json!({
            "selector": {"matchLabels": {"app": app}},
            "targetPorts": [{"number": 8000}],
            "endpointPickerRef": {"name": "epp", "port": {"number": 9002}},
        }),
        Shape::Flat => json!({
            "selector": {"app": app},
            "targetPortNumber": 8000,
            "extensionRef": {"name": "epp"},
        }),
    };
    json!({
        "apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}, "spec": spec,
    })
}

/// A model parked all by itself: Deployment at 0, variant and pool of one name.
pub fn parked(name: &str, model: &str) -> [Value; 3] {
    [
        deployment(name, name, 0),
        variant(name, model),
        pool(POOL, Shape::MatchLabels, name, name),
    ]
}

/// A variant of its own cost behind a pool that others may share: Deployment at `replicas`, and variant.
pub fn behind(app: &str, name: &str, model: &str, cost: &str, replicas: u32) -> [Value; 2] {
    let mut variant = variant(name, model);
    variant["spec"]["variantCost"] = cost.into();
    [deployment(name, app, replicas), variant]
}

/// The same with the annotation that takes an object out of scope.
pub fn excluded(object: Value) -> Value {
    annotated(object, "scale-from-zero/exclude", "true")
}

/// The same with one more annotation.
pub fn annotated(mut object: Value, key: &str, value: &str) -> Value {
    object["metadata"]["annotations"][key] = value.into();
    object
}

/// A pool of the experimental group.
pub fn old_pool(name: &str, app: &str) -> Value {
    pool(POOL_V1ALPHA2, Shape::Flat, name, app)
}

/// Status of a Deployment or StatefulSet with so many pods, all ready.
pub fn ready(replicas: u32) -> Value {
    json!({"status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}})
}
