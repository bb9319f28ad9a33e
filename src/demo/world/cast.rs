//! Who plays: the simulated models, their variants and pools, and the manifests of it all.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    kubernetes::Resource,
    prometheus::{Epp, QueueKey},
};

/// A model that is served behind a pool of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Where all of it lives.
    pub namespace: String,
    /// The model as it is served, `modelID` of its variants.
    pub name: String,
    /// The model as clients ask for it, before the gateway rewrites it.
    pub asked_as: String,
    /// Its pool.
    pub pool: Pool,
    /// The ways to serve it.
    pub variants: Vec<Variant>,
    /// Requests of one burst.
    pub burst: usize,
}

/// An `InferencePool`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How it is written.
    pub shape: Shape,
    /// What there is of its EPP.
    pub epp: Epp,
}

/// The three ways of the field to write a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `inference.networking.k8s.io/v1`.
    Stable,
    /// `inference.networking.x-k8s.io/v1alpha2`, whose selector is a flat map.
    Flat,
    /// The feature guide's: `v1alpha2` with the fields of `v1`.
    Guide,
}

/// A `VariantAutoscaling` and its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Name of the variant.
    pub name: String,
    /// Kind of the target: Deployments or `StatefulSets`.
    pub target_kind: Resource,
    /// Name of the target.
    pub target: String,
    /// `variantCost`.
    pub cost: String,
    /// The accelerator, in short.
    pub accelerator: String,
    /// Whether the variant says so in its label; else its target's `nodeSelector` does.
    pub labelled: bool,
    /// From the scale to the first ready pod, at speed 1.
    pub start_up: Duration,
}

/// The first `count` models; beyond the handful that have names, made-up ones.
pub fn cast(count: usize) -> Vec<Model> {
    let mut cast = vec![
        model("llm-chat", "meta/llama-3.1-8b", "llama-8b", Shape::Guide, 4)
            .variant("l4", "5.0", "L4", 1800)
            .variant("h100", "40.0", "H100", 1200),
        model("llm-chat", "mistralai/mixtral-8x7b", "mixtral", Shape::Stable, 3)
            .asked_as("chat-large")
            .variant("a100", "20.0", "A100", 2400),
        model("llm-batch", "qwen/qwen3-32b", "qwen", Shape::Flat, 5)
            .variant("h100", "40.0", "H100", 2000)
            .stateful(),
        model("llm-batch", "google/gemma-3-12b", "gemma", Shape::Stable, 2)
            .variant("l4", "5.0", "L4", 1500)
            .variant("a100", "20.0", "A100", 1500),
    ];
    for number in cast.len()..count {
        let namespace = if number % 2 == 0 { "llm-chat" } else { "llm-batch" };
        let (name, app) = (format!("example/model-{number:05}"), format!("model-{number:05}"));
        cast.push(model(namespace, &name, &app, Shape::Stable, 2).variant("l4", "5.0", "L4", 1500));
    }
    cast.truncate(count);
    cast
}

fn model(namespace: &str, name: &str, app: &str, shape: Shape, burst: usize) -> Model {
    Model {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        asked_as: name.to_owned(),
        pool: Pool {
            name: format!("{app}-pool"),
            shape,
            epp: Epp::FlowControl,
        },
        variants: Vec::new(),
        burst,
    }
}

impl Model {
    fn variant(mut self, suffix: &str, cost: &str, accelerator: &str, start_up: u64) -> Self {
        let name = format!("{}-{suffix}", self.app());
        self.variants.push(Variant {
            target: name.clone(),
            name,
            target_kind: Resource::Deployments,
            cost: cost.to_owned(),
            accelerator: accelerator.to_owned(),
            labelled: true,
            start_up: Duration::from_millis(start_up),
        });
        self
    }

    fn asked_as(self, name: &str) -> Self {
        Self {
            asked_as: name.to_owned(),
            ..self
        }
    }

    /// Puts a `StatefulSet` behind the variants, and the accelerator on its nodes alone.
    fn stateful(mut self) -> Self {
        for variant in &mut self.variants {
            variant.target_kind = Resource::StatefulSets;
            variant.labelled = false;
        }
        self
    }

    /// The label `app` of its pods.
    pub fn app(&self) -> &str {
        self.pool.name.strip_suffix("-pool").unwrap_or(&self.pool.name)
    }

    /// The name of its EPP.
    pub fn epp(&self) -> String {
        format!("{}-epp", self.app())
    }

    /// The variant that is woken first: the cheapest, by name among equals.
    pub fn cheapest(&self) -> &Variant {
        &self.variants[self.cheapest_index()]
    }

    /// Where that is.
    pub fn cheapest_index(&self) -> usize {
        let cost = |variant: &Variant| variant.cost.parse::<f64>().unwrap_or(f64::MAX);
        let all = self.variants.iter().enumerate();
        let first =
            all.min_by(|(_, a), (_, b)| cost(a).total_cmp(&cost(b)).then_with(|| a.name.cmp(&b.name)));
        first.map_or(0, |(index, _)| index)
    }

    /// Its queue at the EPP.
    pub fn queue(&self) -> QueueKey {
        QueueKey {
            namespace: self.namespace.clone(),
            pool: self.pool.name.clone(),
            target_model: self.name.clone(),
            model: self.asked_as.clone(),
        }
    }

    /// The objects of it all, everything parked.
    pub fn manifests(&self, now: &str) -> Vec<Value> {
        let variants = self.variants.iter();
        let mut manifests: Vec<Value> = variants
            .flat_map(|variant| [self.target(variant), self.variant_object(variant, now)])
            .collect();
        manifests.push(self.pool_object());
        manifests
    }

    /// The manifest of a variant's target, parked.
    pub fn target(&self, variant: &Variant) -> Value {
        let labels = json!({"app": self.app(), "variant": variant.name});
        let stateful = variant.target_kind == Resource::StatefulSets;
        let mut target = json!({
            "apiVersion": "apps/v1",
            "kind": variant.target_kind(),
            "metadata": {"name": variant.target, "namespace": self.namespace},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "containers": [{"name": "vllm", "image": "vllm/vllm-openai:latest"}],
                        "nodeSelector": {"nvidia.com/gpu.product": format!("NVIDIA-{}", variant.accelerator)},
                    },
                },
            },
        });
        if stateful {
            target["spec"]["serviceName"] = self.app().into();
        }
        target
    }

    fn variant_object(&self, variant: &Variant, now: &str) -> Value {
        let mut object = json!({
            "apiVersion": "llmd.ai/v1alpha1",
            "kind": "VariantAutoscaling",
            "metadata": {"name": variant.name, "namespace": self.namespace, "labels": {}},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": variant.target_kind(), "name": variant.target},
                "modelID": self.name,
                "variantCost": variant.cost,
            },
        });
        if variant.labelled {
            object["metadata"]["labels"]["inference.optimization/acceleratorName"] =
                variant.accelerator.clone().into();
            // As WVA leaves a variant that it has parked. One that it has never seen has no status.
            object["status"] = json!({
                "desiredOptimizedAlloc": {
                    "numReplicas": 0, "accelerator": variant.accelerator, "lastRunTime": now,
                },
                "actuation": {"applied": false},
                "conditions": [{
                    "type": "MetricsAvailable", "status": "False", "reason": "MetricsMissing",
                    "message": "No metrics of the model yet", "lastTransitionTime": now,
                }],
            });
        }
        object
    }

    /// The manifest of its pool.
    pub fn pool_object(&self) -> Value {
        let selector = json!({"app": self.app()});
        let epp = self.epp();
        let (version, spec) = match self.pool.shape {
            Shape::Stable => (
                "inference.networking.k8s.io/v1",
                json!({
                    "selector": {"matchLabels": selector},
                    "targetPorts": [{"number": 8000}],
                    "endpointPickerRef": {"name": epp, "port": {"number": 9002}},
                }),
            ),
            Shape::Flat => (
                "inference.networking.x-k8s.io/v1alpha2",
                json!({"selector": selector, "targetPortNumber": 8000, "extensionRef": {"name": epp}}),
            ),
            Shape::Guide => (
                "inference.networking.x-k8s.io/v1alpha2",
                json!({
                    "selector": {"matchLabels": selector},
                    "targetPorts": [8080],
                    "endpointPickerRef": {"name": epp},
                }),
            ),
        };
        json!({
            "apiVersion": version,
            "kind": "InferencePool",
            "metadata": {"name": self.pool.name, "namespace": self.namespace},
            "spec": spec,
        })
    }
}

impl Variant {
    /// The kind of its target, as manifests spell it.
    pub fn target_kind(&self) -> &'static str {
        if self.target_kind == Resource::StatefulSets {
            "StatefulSet"
        } else {
            "Deployment"
        }
    }
}
