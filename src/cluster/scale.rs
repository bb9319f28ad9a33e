//! The wake itself: one merge patch of `/scale`, which holds only while nobody has written since.

use std::time::Duration;

use kube::{Client, api::ApiResource};
use serde_json::json;

use super::{
    discovery::Discovered,
    error::RequestError,
    write::{patch, send},
};
use crate::core::{ObjectName, Wake};

/// How long a wake may take before it is held to be lost.
const DEADLINE: Duration = Duration::from_secs(5);

/// Scales the target of a wake from 0 to 1: one request, compare-and-swap on its resourceVersion.
///
/// # Errors
/// What the server answered; [`crate::core::Failure::Conflict`] if the target has been written since it was seen.
pub async fn scale_from_zero(
    client: &Client,
    discovered: &Discovered,
    wake: &Wake,
) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = &wake.target.name;
    let body = json!({
        "metadata": {"resourceVersion": wake.resource_version()},
        "spec": {"replicas": 1},
    });
    let resource = discovered.resource(&wake.target)?;
    let what = format!("patch {}/scale {namespace}/{name}", resource.plural);
    let request = patch(&path(&resource, namespace), name, Some("scale"), &body);
    send(client, what, request, DEADLINE).await
}

/// Path of the collection that objects of a resource are in.
pub(super) fn path(resource: &ApiResource, namespace: &str) -> String {
    let root = if resource.group.is_empty() { "api" } else { "apis" };
    let ApiResource {
        api_version, plural, ..
    } = resource;
    format!("/{root}/{api_version}/namespaces/{namespace}/{plural}")
}
