//! Who owns `spec.replicas` of a target, as its `managedFields` say: fetched when a wake was taken back, never cached.

use kube::{Client, api::ApiResource};
use serde::Deserialize;
use serde_json::Value;

use super::{
    discovery::Discovered, error::RequestError, metadata::lenient, read, scale::path, write::FIELD_MANAGER,
};
use crate::core::{Owner, TargetKey, Wall};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    #[serde(deserialize_with = "lenient")]
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    #[serde(deserialize_with = "lenient")]
    managed_fields: Option<Vec<Managed>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Managed {
    #[serde(deserialize_with = "lenient")]
    manager: Option<String>,
    #[serde(deserialize_with = "lenient")]
    time: Option<Wall>,
    fields_v1: Value,
}

/// The owners of a target's `spec.replicas`, but for ourselves. `None` where the object keeps no account of writers: then
/// that nobody owns it says nothing.
///
/// # Errors
/// What the server answered.
pub async fn owners(
    client: &Client,
    discovered: &Discovered,
    target: &TargetKey,
) -> Result<Option<Vec<Owner>>, RequestError> {
    let resource: ApiResource = discovered.resource(target)?;
    let path = format!("{}/{}", path(&resource, &target.name.namespace), target.name.name);
    let what = format!("get {} {}", resource.plural, target.name);
    let object: Object = read::get(client, what, &path).await?;
    let managed = object.metadata.and_then(|meta| meta.managed_fields);
    let Some(managed) = managed.filter(|managed| !managed.is_empty()) else {
        return Ok(None);
    };
    let owners = managed
        .into_iter()
        .filter(|entry| entry.fields_v1.pointer("/f:spec/f:replicas").is_some())
        .filter_map(|entry| {
            Some(Owner {
                manager: entry.manager?.into(),
                time: entry.time,
            })
        })
        .filter(|owner| *owner.manager != *FIELD_MANAGER);
    Ok(Some(owners.collect()))
}
