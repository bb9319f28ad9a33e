//! One look at objects, where no watch tells of them.

use std::time::Duration;

use kube::{Api, Client, api::ListParams};

use super::{
    error::RequestError,
    kinds::{Namespaces, Variants, Watched, resource},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
};
use crate::core::{Change, Failure, Kind, ObjectName, PoolGroup, TargetKey};

const DEADLINE: Duration = Duration::from_secs(5);

/// Reads a target as it is now.
///
/// # Errors
/// What the server answered. That it is not there is no error.
pub async fn look(client: &Client, target: &TargetKey) -> Result<Change, RequestError> {
    let name = &target.name;
    let object: Option<TargetObject> =
        get(client, target.kind.into(), Some(&name.namespace), &name.name).await?;
    Ok(TargetObject::change(
        target.kind,
        name.clone(),
        object.map(|object| object.record()),
    ))
}

/// Reads a variant as it is now.
///
/// # Errors
/// What the server answered. That it is not there is no error.
pub async fn look_at_variant(client: &Client, name: &ObjectName) -> Result<Change, RequestError> {
    let object: Option<VariantObject> = get(client, Kind::Variant, Some(&name.namespace), &name.name).await?;
    Ok(VariantObject::change(
        Variants,
        name.clone(),
        object.and_then(|object| object.record()),
    ))
}

/// Reads a namespace as it is now.
///
/// # Errors
/// What the server answered. That it is not there is no error.
pub async fn look_at_namespace(client: &Client, name: &str) -> Result<Change, RequestError> {
    let object: Option<NamespaceObject> = get(client, Kind::Namespace, None, name).await?;
    Ok(NamespaceObject::change(
        Namespaces,
        name.into(),
        object.map(|object| object.record()),
    ))
}

/// Reads the pools of a namespace, of one group, as they are now.
///
/// # Errors
/// What the server answered. That there is no such API is no error.
pub async fn look_at_pools(
    client: &Client,
    group: PoolGroup,
    namespace: &str,
) -> Result<Change, RequestError> {
    let resource = resource(Kind::Pool(group));
    let what = format!("list {}.{} {namespace}", resource.plural, resource.group);
    let api: Api<PoolObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let pools = match tokio::time::timeout(DEADLINE, api.list(&ListParams::default())).await {
        Ok(Ok(pools)) => pools.items,
        Ok(Err(error)) => match RequestError::from_kube(what, &error) {
            absent if absent.failure == Failure::NotFound => Vec::new(),
            error => return Err(error),
        },
        Err(_) => return Err(RequestError::timeout(what, DEADLINE)),
    };
    let all = pools
        .iter()
        .filter_map(|pool| Some((pool.key()?, pool.record())))
        .collect();
    Ok(Change::Listed {
        within: Some(namespace.into()),
        table: PoolObject::table(group, all),
    })
}

async fn get<W: Watched>(
    client: &Client,
    kind: Kind,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<W>, RequestError> {
    let resource = resource(kind);
    let api: Api<W> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let what = format!(
        "get {} {}{name}",
        resource.plural,
        namespace.map(|n| format!("{n}/")).unwrap_or_default()
    );
    match tokio::time::timeout(DEADLINE, api.get_opt(name)).await {
        Ok(answer) => answer.map_err(|error| RequestError::from_kube(what, &error)),
        Err(_) => Err(RequestError::timeout(what, DEADLINE)),
    }
}
