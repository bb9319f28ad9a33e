//! Objects of the API, decoded to the few fields that the inventory keeps (design, section 6).
//!
//! Every field is optional and one of a wrong type counts as missing, so that one odd object never
//! fails a list.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use kube::api::{ApiResource, ObjectMeta};
use serde::Deserialize;
use serde_json::Value;

use super::{
    metadata::{
        ACCELERATOR, CONTROLLER_INSTANCE, DECISION, EXCLUDE, MODELS, Marks as _, WVA_EXCLUDE, lenient,
        trimmed,
    },
    template::{LeaderWorkerTemplate, PodTemplate},
};
use crate::{
    core::{
        Condition, Cost, Desired, Labels, Namespace, ObjectName, Observed, Pool, Stuck, StuckBy, Target,
        TargetKey, TargetKind, TargetRef, Variant, VariantStatus, Wall,
    },
    text::one_line,
};

/// An object with trimmed metadata. Which resource it is, is said by the request, not by its type.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default)]
        pub struct $name {
            #[serde(deserialize_with = "trimmed")]
            metadata: ObjectMeta,
            $(#[serde(deserialize_with = "lenient")] $field: Option<$type>,)*
        }

        impl kube::Resource for $name {
            type DynamicType = ApiResource;
            type Scope = kube::core::DynamicResourceScope;

            fn kind(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
                resource.kind.as_str().into()
            }
            fn group(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
                resource.group.as_str().into()
            }
            fn version(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
                resource.version.as_str().into()
            }
            fn plural(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
                resource.plural.as_str().into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

pub(super) use object;

object!(
    /// A VariantAutoscaling.
    VariantObject { spec: VariantSpec, status: VariantStatusObject }
);
object!(
    /// A scale target of any kind.
    TargetObject { spec: TargetSpec, status: TargetStatus }
);
object!(
    /// An InferencePool of either group, in either shape.
    PoolObject { spec: PoolSpec }
);
object!(
    /// A Namespace.
    NamespaceObject {}
);

/// Name of an object within its namespace; `None` if it says neither.
pub(super) fn name_of(meta: &ObjectMeta) -> Option<ObjectName> {
    Some(ObjectName::new(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref()?,
    ))
}

pub(super) fn text(field: Option<&String>) -> Box<str> {
    field.map(|s| s.as_str().into()).unwrap_or_default()
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VariantSpec {
    #[serde(deserialize_with = "lenient")]
    scale_target_ref: Option<ScaleTargetRef>,
    #[serde(rename = "modelID", deserialize_with = "lenient")]
    model_id: Option<String>,
    variant_cost: Value,
    #[serde(deserialize_with = "lenient")]
    max_replicas: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ScaleTargetRef {
    #[serde(deserialize_with = "lenient")]
    api_version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VariantStatusObject {
    #[serde(deserialize_with = "lenient")]
    desired_optimized_alloc: Option<DesiredObject>,
    #[serde(deserialize_with = "lenient")]
    conditions: Option<Vec<ConditionObject>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DesiredObject {
    #[serde(deserialize_with = "lenient")]
    num_replicas: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    accelerator: Option<String>,
    #[serde(deserialize_with = "lenient")]
    last_run_time: Option<Wall>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConditionObject {
    r#type: String,
    status: String,
    reason: String,
    message: String,
    #[serde(deserialize_with = "lenient")]
    last_transition_time: Option<Wall>,
    #[serde(deserialize_with = "lenient")]
    observed_generation: Option<i64>,
}

impl VariantObject {
    /// The record that the inventory keeps; `None` without a model.
    pub(super) fn record(&self) -> Option<Variant> {
        let meta = &self.metadata;
        let namespace: Arc<str> = meta.namespace.as_deref().unwrap_or_default().into();
        let spec = self.spec.as_ref()?;
        let cost = match &spec.variant_cost {
            Value::String(cost) => Some(cost.clone()),
            Value::Number(cost) => Some(cost.to_string()),
            _ => None,
        };
        let status = self.status.clone().unwrap_or_default();
        Some(Variant {
            uid: text(meta.uid.as_ref()),
            resource_version: text(meta.resource_version.as_ref()),
            generation: meta.generation.unwrap_or_default(),
            target: spec.scale_target_ref.as_ref().map_or_else(
                || TargetRef::Unsupported("no scaleTargetRef".into()),
                |reference| reference.target(&namespace),
            ),
            model: spec.model_id.as_deref().filter(|m| !m.is_empty())?.into(),
            aliases: aliases(meta),
            cost: Cost::parse(cost.as_deref()),
            max_replicas: spec.max_replicas,
            deleting: meta.deletion_timestamp.is_some(),
            excluded: meta.says_true(EXCLUDE),
            controller_instance: meta.label(CONTROLLER_INSTANCE).map(Into::into),
            accelerator: meta.label(ACCELERATOR).map(Into::into),
            status: status.record(),
            annotated: decided_at(meta),
        })
    }
}

/// Further models, from our annotation.
pub(super) fn aliases(meta: &ObjectMeta) -> Box<[Arc<str>]> {
    let aliases = meta
        .annotation(MODELS)
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    aliases.filter(|alias| !alias.is_empty()).map(Arc::from).collect()
}

/// When our annotation with the last decision was written.
pub(super) fn decided_at(meta: &ObjectMeta) -> Option<Wall> {
    let decision: Value = serde_json::from_str(meta.annotation(DECISION)?).ok()?;
    decision.get("time")?.as_str()?.parse().ok()
}

impl ScaleTargetRef {
    /// The target named, in the variant's namespace. A missing apiVersion is that of the kind, as in WVA.
    pub(super) fn target(&self, namespace: &Arc<str>) -> TargetRef {
        let kind = self.kind.as_deref().unwrap_or_default();
        let group = self.api_version.as_deref().filter(|version| !version.is_empty());
        // The core group has versions and no name.
        let group = group.map(|version| version.split_once('/').map_or("", |(group, _)| group));
        let can_be = group.is_none_or(is_group) && is_kind(kind);
        let known = can_be.then(|| TargetKind::of(group, kind)).flatten();
        match (known, self.name.as_deref()) {
            (Some(kind), Some(name)) if !name.is_empty() => TargetRef::Known(TargetKey {
                kind,
                name: ObjectName::new(namespace.clone(), name),
            }),
            _ => {
                let written = format!("{} {kind}", self.api_version.as_deref().unwrap_or_default());
                TargetRef::Unsupported(one_line(&written).into())
            }
        }
    }
}

/// Whether text can be an API group: a DNS subdomain, or nothing for the core group. It becomes part of a path.
fn is_group(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.is_empty() || (text.len() <= 253 && text.split('.').all(is_label))
}

/// Whether text can be a kind.
fn is_kind(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl VariantStatusObject {
    fn record(self) -> VariantStatus {
        VariantStatus {
            desired: self.desired_optimized_alloc.map(|desired| Desired {
                replicas: desired.num_replicas.unwrap_or_default(),
                accelerator: desired.accelerator.map(Into::into),
                last_run: desired.last_run_time,
            }),
            conditions: self
                .conditions
                .unwrap_or_default()
                .into_iter()
                .map(ConditionObject::record)
                .collect(),
        }
    }
}

impl ConditionObject {
    fn record(self) -> Condition {
        Condition {
            kind: self.r#type.into(),
            status: self.status.into(),
            reason: self.reason.into(),
            message: self.message.into(),
            since: self.last_transition_time,
            observed_generation: self.observed_generation,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TargetSpec {
    #[serde(deserialize_with = "lenient")]
    replicas: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    template: Option<PodTemplate>,
    /// Of a LeaderWorkerSet.
    #[serde(rename = "leaderWorkerTemplate", deserialize_with = "lenient")]
    leader_worker: Option<LeaderWorkerTemplate>,
}

impl TargetSpec {
    /// The template of the pods that serve requests.
    fn pods(&self) -> Option<&PodTemplate> {
        let leader = self.leader_worker.as_ref();
        let leader = leader.and_then(|two| two.leader_template.as_ref().or(two.worker_template.as_ref()));
        self.template.as_ref().or(leader)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TargetStatus {
    #[serde(deserialize_with = "lenient")]
    ready_replicas: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    conditions: Option<Vec<ConditionObject>>,
}

impl TargetStatus {
    /// The condition that keeps pods from becoming ready, if one does.
    fn stuck(&self) -> Option<Stuck> {
        let conditions = || self.conditions.iter().flatten();
        let find = |kind: &str, status: &str, by: StuckBy| {
            let found = conditions().find(|c| c.r#type == kind && c.status == status)?;
            Some(Stuck {
                by,
                since: found.last_transition_time?,
                message: one_line(&format!("{}: {}", found.reason, found.message)).into(),
            })
        };
        let refused = find("ReplicaFailure", "True", StuckBy::ReplicaFailure);
        refused.or_else(|| find("Progressing", "False", StuckBy::NotProgressing))
    }
}

impl TargetObject {
    /// The record that the inventory keeps.
    pub(super) fn record(&self, kind: &TargetKind) -> Target {
        let meta = &self.metadata;
        let spec = self.spec.as_ref();
        let template = spec.and_then(TargetSpec::pods);
        Target {
            uid: text(meta.uid.as_ref()).into(),
            generation: meta.generation.unwrap_or_default(),
            observed: Observed::new(
                spec.and_then(|s| s.replicas),
                self.status.as_ref().and_then(|s| s.ready_replicas),
                meta.resource_version.as_deref().unwrap_or_default(),
            )
            .with(self.status.as_ref().and_then(TargetStatus::stuck)),
            labels: template.map(PodTemplate::labels).unwrap_or_default(),
            deleting: meta.deletion_timestamp.is_some(),
            excluded: meta.says_true(EXCLUDE),
            accelerator: template.and_then(PodTemplate::accelerator),
            // The built-in kinds always have one; one that cannot be read selects nothing.
            has_template: template.is_some() || !matches!(kind, TargetKind::Other(_)),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PoolSpec {
    #[serde(deserialize_with = "lenient")]
    selector: Option<BTreeMap<String, Value>>,
}

impl PoolObject {
    /// The record that the inventory keeps.
    ///
    /// Either shape is read under either group: `selector.matchLabels` or a flat map of strings.
    pub(super) fn record(&self) -> Pool {
        let selector = self.spec.as_ref().and_then(|s| s.selector.as_ref());
        let strings = |map: &BTreeMap<String, Value>| -> Option<Labels> {
            map.iter()
                .map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .collect()
        };
        let selector = selector.and_then(|selector| match selector.get("matchLabels") {
            Some(nested) => strings(&serde_json::from_value(nested.clone()).ok()?),
            None => strings(selector),
        });
        Pool {
            // One that cannot be read selects nothing, as an empty one.
            selector: selector.unwrap_or_default(),
            excluded: self.metadata.says_true(EXCLUDE),
        }
    }
}

impl NamespaceObject {
    /// The record that the inventory keeps.
    pub(super) fn record(&self) -> Namespace {
        Namespace {
            excluded: self.metadata.says_true(EXCLUDE),
            excluded_from_wva: self.metadata.says_true(WVA_EXCLUDE),
        }
    }
}
