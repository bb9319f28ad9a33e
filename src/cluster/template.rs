//! Pod templates: the labels that pools select by, and the accelerator asked for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::metadata::lenient;
use crate::core::Labels;

/// The template of a target's pods.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodTemplate {
    #[serde(deserialize_with = "lenient")]
    metadata: Option<TemplateMeta>,
    #[serde(deserialize_with = "lenient")]
    spec: Option<PodSpec>,
}

impl PodTemplate {
    /// Labels of the pods.
    pub(super) fn labels(&self) -> Labels {
        let labels = self.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
        labels
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The accelerator that the pods ask for.
    pub(super) fn accelerator(&self) -> Option<Box<str>> {
        self.spec.as_ref().and_then(PodSpec::accelerator)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    #[serde(deserialize_with = "lenient")]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    #[serde(deserialize_with = "lenient")]
    node_selector: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "lenient")]
    affinity: Option<Value>,
}

/// Node labels that name an accelerator, as the makers' device plugins and the clouds set them.
const ACCELERATOR_LABELS: [&str; 5] = [
    "nvidia.com/gpu.product",
    "gpu.nvidia.com/model",
    "cloud.google.com/gke-accelerator",
    "amd.com/gpu.product-name",
    "node.kubernetes.io/accelerator",
];

impl PodSpec {
    /// The accelerator asked for by nodeSelector, else by a required nodeAffinity.
    fn accelerator(&self) -> Option<Box<str>> {
        let selector = self.node_selector.as_ref();
        let selected = ACCELERATOR_LABELS
            .iter()
            .find_map(|label| selector?.get(*label).map(String::as_str));
        let terms = self
            .affinity
            .as_ref()
            .and_then(|a| {
                a.pointer("/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms")
            })
            .and_then(Value::as_array);
        let wanted = || {
            let expressions = terms
                .into_iter()
                .flatten()
                .filter_map(|t| t.get("matchExpressions")?.as_array());
            expressions.flatten().find_map(|expression| {
                let named = ACCELERATOR_LABELS.contains(&expression.get("key")?.as_str()?);
                let is_in = expression.get("operator")?.as_str()? == "In";
                (named && is_in)
                    .then(|| expression.pointer("/values/0")?.as_str())
                    .flatten()
            })
        };
        selected.or_else(wanted).map(Into::into)
    }
}

/// The two templates of a LeaderWorkerSet; without the first, leaders are made from the second.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LeaderWorkerTemplate {
    #[serde(deserialize_with = "lenient")]
    pub(super) leader_template: Option<PodTemplate>,
    #[serde(deserialize_with = "lenient")]
    pub(super) worker_template: Option<PodTemplate>,
}
