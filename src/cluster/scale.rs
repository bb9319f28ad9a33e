//! The wake itself: one merge patch of `/scale`, which holds only while nobody has written since.

use std::time::Duration;

use kube::Client;
use serde_json::json;

use super::{
    error::RequestError,
    write::{patch, send},
};
use crate::core::{ObjectName, TargetKey, TargetKind, Wake};

/// How long a wake may take before it is held to be lost.
const DEADLINE: Duration = Duration::from_secs(5);

/// Scales the target of a wake from 0 to 1: one request, compare-and-swap on its resourceVersion.
///
/// # Errors
/// What the server answered; [`crate::core::Failure::Conflict`] if the target has been written since it was seen.
pub async fn scale_from_zero(client: &Client, wake: &Wake) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = &wake.target.name;
    let body = json!({
        "metadata": {"resourceVersion": wake.resource_version()},
        "spec": {"replicas": 1},
    });
    let what = format!("patch {}/scale {namespace}/{name}", plural(wake.target.kind));
    let request = patch(&path(&wake.target), name, Some("scale"), &body);
    send(client, what, request, DEADLINE).await
}

/// Path of the collection a target is in.
pub(super) fn path(target: &TargetKey) -> String {
    format!(
        "/apis/apps/v1/namespaces/{}/{}",
        target.name.namespace,
        plural(target.kind)
    )
}

/// The resource of a kind of target.
pub(super) fn plural(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Deployment => "deployments",
        TargetKind::StatefulSet => "statefulsets",
    }
}
