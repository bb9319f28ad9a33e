//! Objects as users write them, without a namespace.

use serde_json::{Value, json};

use crate::cluster::{DEPLOYMENT, Kind, POOL, POOL_V1ALPHA2};

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

/// The same as a LeaderWorkerSet of one pod a group.
pub fn leader_worker_set(name: &str, app: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "leaderWorkerTemplate": {"size": 1, "workerTemplate": template(app)},
        },
    })
}

/// The same as a Rollout.
pub fn rollout(name: &str, app: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app),
            "strategy": {"canary": {}},
        },
    })
}

/// The same with another target than the Deployment that [`variant`], [`hpa`] and [`scaled_object`] name.
pub fn targeting(mut object: Value, kind: Kind, name: &str) -> Value {
    object["spec"]["scaleTargetRef"] =
        json!({"apiVersion": kind.api_version, "kind": kind.name, "name": name});
    object
}

/// An HPA on a Deployment, by WVA's gauge, which is there without pods: so `min` may be 0.
pub fn hpa(name: &str, target: &str, min: u32, max: u32) -> Value {
    let metric =
        json!({"name": "wva_desired_replicas", "selector": {"matchLabels": {"variant_name": target}}});
    let object = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "minReplicas": min, "maxReplicas": max,
            "metrics": [{
                "type": "External",
                "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "1"}},
            }],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    });
    targeting(object, DEPLOYMENT, target)
}

/// A ScaledObject on a Deployment, by WVA's gauge.
pub fn scaled_object(name: &str, target: &str, min: u32, max: u32) -> Value {
    let object = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": name},
        "spec": {
            "minReplicaCount": min, "maxReplicaCount": max,
            "triggers": [{
                "type": "prometheus",
                "metadata": {
                    "serverAddress": "http://prometheus:9090", "threshold": "1",
                    "query": format!("wva_desired_replicas{{variant_name=\"{target}\"}}"),
                },
            }],
        },
    });
    targeting(object, DEPLOYMENT, target)
}

/// The same as a source of its own: for a model, at a cost.
pub fn managed(object: Value, model: &str, cost: &str) -> Value {
    let object = annotated(object, "llm-d.ai/managed", "true");
    let object = annotated(object, "llm-d.ai/model-id", model);
    annotated(object, "llm-d.ai/variant-cost", cost)
}

/// A pod of those labelled `app: APP`, as the API server makes it: nobody has looked for a node yet.
pub fn pod(name: &str, app: &str) -> Value {
    let template = template(app);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    })
}

/// Status of a pod that no node takes since a time such as `2026-01-31T12:00:00Z`.
pub fn unschedulable(since: &str) -> Value {
    json!({"status": {"conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "lastTransitionTime": since,
    }]}})
}

/// Status of a Deployment or StatefulSet with so many pods, all ready.
pub fn ready(replicas: u32) -> Value {
    json!({"status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}})
}
