//! The columns of `kubectl get va`.

use serde_json::Value;

/// What `kubectl get va` prints of a variant, by the printer columns of its CRD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// NAMESPACE.
    pub namespace: String,
    /// NAME.
    pub name: String,
    /// TARGET.
    pub target: String,
    /// MODEL.
    pub model: String,
    /// OPTIMIZED, empty where the status does not say.
    pub optimized: String,
    /// METRICSREADY, empty where the status does not say.
    pub metrics_ready: String,
}

impl Columns {
    /// The titles.
    pub const TITLES: [&str; 6] = [
        "NAMESPACE",
        "NAME",
        "TARGET",
        "MODEL",
        "OPTIMIZED",
        "METRICSREADY",
    ];

    /// Reads them off a `VariantAutoscaling`.
    pub fn of(variant: &Value) -> Self {
        let text = |path: &str| {
            variant
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let number = |path: &str| variant.pointer(path).map(Value::to_string).unwrap_or_default();
        let conditions = variant["status"]["conditions"].as_array().into_iter().flatten();
        let ready = conditions
            .rev()
            .find(|condition| condition["type"] == "MetricsAvailable");
        Self {
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            target: text("/spec/scaleTargetRef/name"),
            model: text("/spec/modelID"),
            optimized: number("/status/desiredOptimizedAlloc/numReplicas"),
            metrics_ready: ready
                .and_then(|ready| ready["status"].as_str())
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// The cells, in the order of the titles.
    pub fn cells(&self) -> [&str; 6] {
        [
            &self.namespace,
            &self.name,
            &self.target,
            &self.model,
            &self.optimized,
            &self.metrics_ready,
        ]
    }
}
