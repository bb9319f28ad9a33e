//! The guard on a ScaledObject or HPA (rule 17): read from our annotation there, and written with it in one patch.

use std::time::Duration;

use kube::{Client, api::ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    error::RequestError,
    kinds::resource,
    metadata::{GUARD, Marks as _},
    scale::path,
    write::{patch, send},
};
use crate::core::{
    Failure, Guard, GuardChange, GuardWrite, Kind, ModelKey, ObjectName, PAUSED_SCALE_IN, ScalerKind, Wall,
};

/// How long the write may take: a wake waits for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// Our annotation, as JSON.
#[derive(Deserialize, Serialize)]
struct Annotation {
    /// What stood there before; null: nothing.
    before: Option<String>,
    /// What we wrote.
    ours: String,
    /// When it ends at the latest.
    until: Wall,
    model: String,
    pool: String,
}

/// The guard that stands on an object. An annotation that cannot be read is none: somebody has had a hand in it.
pub(super) fn read(meta: &ObjectMeta) -> Option<Guard> {
    let annotation: Annotation = serde_json::from_str(meta.annotation(GUARD)?).ok()?;
    Some(Guard {
        before: annotation.before.map(Into::into),
        ours: annotation.ours.into(),
        until: annotation.until,
        model: ModelKey {
            namespace: meta.namespace.as_deref()?.into(),
            pool: annotation.pool.into(),
            model: annotation.model.into(),
        },
    })
}

/// Writes a guard, or takes it away: one patch, compare-and-swap.
///
/// # Errors
/// What the server answered.
pub async fn write_guard(client: &Client, write: &GuardWrite) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = &write.scaler.name;
    let what = format!("patch {}", write.scaler);
    let Some(resource) = resource(&Kind::Scaler(write.scaler.kind)) else {
        return Err(RequestError {
            what,
            failure: Failure::NotFound,
            message: "no such kind".into(),
            retry_after: None,
        });
    };
    let body = body(write);
    send(
        client,
        what,
        patch(&path(&resource, namespace), name, None, &body),
        DEADLINE,
    )
    .await
}

fn body(write: &GuardWrite) -> Value {
    let mut annotations = json!({});
    let mut body = json!({});
    let mut set = |value: Option<&str>| match write.scaler.kind {
        ScalerKind::ScaledObject => annotations[PAUSED_SCALE_IN] = value.into(),
        ScalerKind::HorizontalPodAutoscaler => {
            body["spec"]["minReplicas"] = value.and_then(|v| v.parse::<i64>().ok()).into();
        }
    };
    let annotation = match &write.change {
        GuardChange::Put(guard) => {
            set(Some(&guard.ours));
            let annotation = Annotation {
                before: guard.before.as_deref().map(Into::into),
                ours: guard.ours.as_ref().into(),
                until: guard.until,
                model: guard.model.model.as_ref().into(),
                pool: guard.model.pool.as_ref().into(),
            };
            json!(annotation).to_string().into()
        }
        GuardChange::End(guard) => {
            set(guard.before.as_deref());
            Value::Null
        }
        GuardChange::Forget(_) => Value::Null,
    };
    annotations[GUARD] = annotation;
    body["metadata"] = json!({"resourceVersion": &*write.resource_version, "annotations": annotations});
    body
}
