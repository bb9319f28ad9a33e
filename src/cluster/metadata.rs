//! Metadata as the watches keep it: what the decision reads, nothing else.
//!
//! managedFields and foreign annotations make up most of an object's size, and are skipped while
//! decoding.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Annotation `"true"` on a variant, target, pool or namespace: leave it alone.
pub const EXCLUDE: &str = "scale-from-zero/exclude";
/// Annotation with further models of a variant, split at commas.
pub const MODELS: &str = "scale-from-zero/models";
/// WVA's annotation `"true"` on a namespace: leave it alone.
/// (`NamespaceExcludeAnnotationKey` in WVA's internal/constants/labels.go.)
pub const WVA_EXCLUDE: &str = "wva.llmd.ai/exclude";
/// WVA's label on a variant: which controller it belongs to. (`ControllerInstanceLabelKey`, same file.)
pub const CONTROLLER_INSTANCE: &str = "wva.llmd.ai/controller-instance";
/// WVA's label on a variant: the accelerator of its target.
pub const ACCELERATOR: &str = "inference.optimization/acceleratorName";

/// Annotation `"true"` on a ScaledObject or HPA: it is a variant (rule 16).
/// This and the next two are those of WVA's internal/annotations/annotations.go.
pub const MANAGED: &str = "llm-d.ai/managed";
/// The model of such a variant.
pub const MODEL_ID: &str = "llm-d.ai/model-id";
/// Its cost.
pub const VARIANT_COST: &str = "llm-d.ai/variant-cost";
/// Our annotation with the last decision, as JSON.
pub const DECISION: &str = "scale-from-zero/decision";
/// Our annotation of a guard, as JSON.
pub const GUARD: &str = "scale-from-zero/guard";
/// Label of the HPA that KEDA makes for a ScaledObject, with that one's name.
/// (`ScaledObjectOwnerAnnotation`, a label all the same, in KEDA's apis/keda/v1alpha1.)
pub const SCALED_OBJECT_NAME: &str = "scaledobject.keda.sh/name";

/// Annotations and labels that are kept.
const KEPT: [&str; 15] = [
    EXCLUDE,
    MODELS,
    WVA_EXCLUDE,
    CONTROLLER_INSTANCE,
    ACCELERATOR,
    MANAGED,
    MODEL_ID,
    VARIANT_COST,
    DECISION,
    GUARD,
    SCALED_OBJECT_NAME,
    crate::core::PAUSED_SCALE_IN,
    crate::core::Pause::Paused.annotation(),
    crate::core::Pause::Replicas.annotation(),
    crate::core::Pause::ScaleOut.annotation(),
];

/// The fields that are read. One of a wrong type is taken for missing.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Read {
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    namespace: Option<String>,
    #[serde(deserialize_with = "lenient")]
    uid: Option<String>,
    #[serde(deserialize_with = "lenient")]
    resource_version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    generation: Option<i64>,
    #[serde(deserialize_with = "kept")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "kept")]
    annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    owner_references: Option<Vec<OwnerReference>>,
    #[serde(deserialize_with = "lenient")]
    deletion_timestamp: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
}

/// Decodes metadata trimmed, into kube's type, which its watcher works on.
pub(super) fn trimmed<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let read = Read::deserialize(from)?;
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        uid: read.uid,
        resource_version: read.resource_version,
        generation: read.generation,
        labels: Some(read.labels),
        annotations: Some(read.annotations),
        owner_references: read.owner_references,
        deletion_timestamp: read.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

/// A field that is taken for missing where its type is wrong: one odd object must not fail a list.
pub(super) fn lenient<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let value = Value::deserialize(from)?;
    Ok(if value.is_null() {
        None
    } else {
        serde_json::from_value(value).ok()
    })
}

/// A map of strings of which only the known keys are kept.
fn kept<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let map: Option<BTreeMap<String, Value>> = lenient(from)?;
    let strings = map
        .unwrap_or_default()
        .into_iter()
        .filter(|(key, _)| KEPT.contains(&key.as_str()));
    Ok(strings
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect())
}

/// Reading of the kept annotations and labels.
pub(super) trait Marks {
    /// The value of an annotation.
    fn annotation(&self, key: &str) -> Option<&str>;
    /// The value of a label.
    fn label(&self, key: &str) -> Option<&str>;
    /// Whether an annotation says `true`, however it is written: who writes `True` does not mean the opposite.
    fn says_true(&self, key: &str) -> bool {
        self.annotation(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl Marks for ObjectMeta {
    fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.as_ref()?.get(key).map(String::as_str)
    }
}
