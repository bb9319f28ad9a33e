//! HorizontalPodAutoscalers and ScaledObjects, decoded to what the inventory keeps of them.

use std::sync::Arc;

use kube::api::{ApiResource, ObjectMeta};
use serde::Deserialize;

use super::{
    guards,
    metadata::{
        ACCELERATOR, CONTROLLER_INSTANCE, EXCLUDE, MANAGED, MODEL_ID, Marks as _, SCALED_OBJECT_NAME,
        VARIANT_COST, lenient, trimmed,
    },
    objects::{ScaleTargetRef, aliases, decided_at, object, text},
};
use crate::core::{
    Cost, PAUSED_SCALE_IN, Pause, Scaler, ScalerKind, TargetRef, Variant, VariantStatus, Wall,
};

object!(
    /// A HorizontalPodAutoscaler or a ScaledObject.
    ScalerObject { spec: ScalerSpec, status: ScalerStatus }
);

/// The fields of either kind; none stands in both with another meaning.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScalerSpec {
    #[serde(deserialize_with = "lenient")]
    scale_target_ref: Option<ScaleTargetRef>,
    #[serde(deserialize_with = "lenient")]
    min_replicas: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    max_replicas: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    min_replica_count: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    idle_replica_count: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    max_replica_count: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScalerStatus {
    #[serde(deserialize_with = "lenient")]
    last_scale_time: Option<Wall>,
    #[serde(deserialize_with = "lenient")]
    last_active_time: Option<Wall>,
}

impl ScalerObject {
    /// The record that the inventory keeps.
    pub(super) fn record(&self, kind: ScalerKind) -> Scaler {
        let meta = &self.metadata;
        let namespace: Arc<str> = meta.namespace.as_deref().unwrap_or_default().into();
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let is_keda = kind == ScalerKind::ScaledObject;
        let target = target(spec.scale_target_ref, is_keda, &namespace);
        let is_child = !is_keda && is_made_by_keda(meta);
        let (min, max, last_scale) = if is_keda {
            (
                // Without activity it goes down to `idleReplicaCount`, where that stands.
                spec.idle_replica_count.or(spec.min_replica_count).unwrap_or(0),
                spec.max_replica_count,
                status.last_active_time,
            )
        } else {
            (
                spec.min_replicas.unwrap_or(1),
                spec.max_replicas,
                status.last_scale_time,
            )
        };
        Scaler {
            resource_version: text(meta.resource_version.as_ref()),
            min_replicas: min,
            paused: is_keda.then(|| paused(meta)).flatten(),
            paused_scale_in: meta.annotation(PAUSED_SCALE_IN).map(Into::into),
            is_child,
            deleting: meta.deletion_timestamp.is_some(),
            last_scale,
            guard: guards::read(meta),
            variant: (!is_child).then(|| variant(meta, target.clone(), max)).flatten(),
            target,
        }
    }
}

/// What it scales. KEDA takes a missing kind for a Deployment.
fn target(reference: Option<ScaleTargetRef>, is_keda: bool, namespace: &Arc<str>) -> TargetRef {
    let Some(mut reference) = reference else {
        return TargetRef::Unsupported("no scaleTargetRef".into());
    };
    if is_keda && reference.kind.as_deref().unwrap_or_default().is_empty() {
        reference.kind = Some("Deployment".into());
    }
    reference.target(namespace)
}

/// Whether KEDA has made an HPA for a ScaledObject.
fn is_made_by_keda(meta: &ObjectMeta) -> bool {
    let owners = meta.owner_references.iter().flatten();
    let owned = owners.into_iter().any(|owner| owner.kind == "ScaledObject");
    owned || meta.label(SCALED_OBJECT_NAME).is_some()
}

/// The annotation that pauses a ScaledObject. `paused-replicas` does with any value, the others unless they say so.
fn paused(meta: &ObjectMeta) -> Option<Pause> {
    Pause::ALL.into_iter().find(|pause| {
        meta.annotation(pause.annotation())
            .is_some_and(|value| *pause == Pause::Replicas || !value.eq_ignore_ascii_case("false"))
    })
}

/// What it says as a variant, where it is one (rule 16).
fn variant(meta: &ObjectMeta, target: TargetRef, max_replicas: Option<i64>) -> Option<Variant> {
    if !meta.says_true(MANAGED) {
        return None;
    }
    Some(Variant {
        uid: text(meta.uid.as_ref()),
        resource_version: text(meta.resource_version.as_ref()),
        generation: meta.generation.unwrap_or_default(),
        target,
        model: meta
            .annotation(MODEL_ID)
            .map(str::trim)
            .filter(|model| !model.is_empty())?
            .into(),
        aliases: aliases(meta),
        cost: Cost::parse(meta.annotation(VARIANT_COST)),
        max_replicas,
        deleting: meta.deletion_timestamp.is_some(),
        excluded: meta.says_true(EXCLUDE),
        controller_instance: meta.label(CONTROLLER_INSTANCE).map(Into::into),
        accelerator: meta.label(ACCELERATOR).map(Into::into),
        status: VariantStatus::default(),
        annotated: decided_at(meta),
    })
}
