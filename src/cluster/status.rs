//! The status of a VariantAutoscaling after a wake (design, section 5), and the optional annotation.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};

use super::{
    error::RequestError,
    kinds::resource,
    metadata::DECISION,
    write::{patch, send},
};
use crate::{
    core::{Condition, ObjectName, StatusUpdate, Told, VariantKey},
    text::one_line,
};

/// How long the write may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Writes the status. It holds only while nobody has written the variant since, because the
/// conditions replace those that stood there.
///
/// # Errors
/// What the server answered.
pub async fn write_status(
    client: &Client,
    variant: &ObjectName,
    update: &StatusUpdate,
) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = variant;
    let body = json!({
        "metadata": {"resourceVersion": update.resource_version},
        "status": {
            // Whole, since the CRD validates it whole.
            "desiredOptimizedAlloc": {
                "numReplicas": update.replicas,
                "accelerator": update.accelerator,
                "lastRunTime": seconds(update.last_run),
            },
            "actuation": {"applied": true},
            "conditions": update.conditions.iter().map(condition).collect::<Vec<_>>(),
        },
    });
    let what = format!("patch variantautoscalings/status {namespace}/{name}");
    send(
        client,
        what,
        patch(&path(namespace), name, Some("status"), &body),
        DEADLINE,
    )
    .await
}

/// Writes the decision as JSON into an annotation of the variant, whatever its source.
///
/// # Errors
/// What the server answered.
pub async fn annotate(
    client: &Client,
    variant: &VariantKey,
    told: Option<&Told>,
) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = &variant.name;
    let decision = json!({
        "decision": "scale-from-zero",
        "replicas": 1,
        "model": told.map(|t| one_line(&t.key.model)),
        "pool": told.map(|t| one_line(&t.key.pool)),
        "waiting": told.map(|t| t.cause.waiting()),
        "time": seconds(crate::core::Wall::now()),
    });
    let body = json!({"metadata": {"annotations": {DECISION: decision.to_string()}}});
    let path = match resource(&variant.source.into()) {
        Some(resource) => super::scale::path(&resource, namespace),
        None => path(namespace),
    };
    let what = format!("patch {} {namespace}/{name}", variant.source.as_str());
    send(client, what, patch(&path, name, None, &body), DEADLINE).await
}

fn path(namespace: &str) -> String {
    format!("/apis/llmd.ai/v1alpha1/namespaces/{namespace}/variantautoscalings")
}

fn condition(condition: &Condition) -> Value {
    let mut value = json!({
        "type": condition.kind,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
    });
    if let Some(since) = condition.since {
        value["lastTransitionTime"] = seconds(since).into();
    }
    if let Some(generation) = condition.observed_generation {
        value["observedGeneration"] = generation.into();
    }
    value
}

/// RFC 3339 in whole seconds, as Kubernetes writes times.
fn seconds(time: crate::core::Wall) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
