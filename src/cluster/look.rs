//! One look at objects, where no watch tells of them.

use std::time::Duration;

use kube::{
    Api, Client,
    api::{ApiResource, ListParams},
};

use super::{
    discovery::Discovered,
    error::RequestError,
    kinds::{Namespaces, Variants, Watched, resource},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
    scalers::ScalerObject,
};
use crate::core::{Change, Failure, Kind, ObjectName, PoolGroup, ScalerKind, TargetKey};

const DEADLINE: Duration = Duration::from_secs(5);

/// Reads a target as it is now.
///
/// # Errors
/// What the server answered. That it is not there is no error.
pub async fn look(
    client: &Client,
    discovered: &Discovered,
    target: &TargetKey,
) -> Result<Change, RequestError> {
    let name = &target.name;
    let resource = discovered.resource(target)?;
    let object: Option<TargetObject> = get(client, &resource, Some(&name.namespace), &name.name).await?;
    Ok(TargetObject::change(
        target.kind.clone(),
        name.clone(),
        object.map(|object| object.record(&target.kind)),
    ))
}

/// Reads a VariantAutoscaling as it is now.
///
/// # Errors
/// What the server answered. That it is not there is no error.
pub async fn look_at_variant(client: &Client, name: &ObjectName) -> Result<Change, RequestError> {
    let resource = standing(&Kind::Variant)?;
    let object: Option<VariantObject> = get(client, &resource, Some(&name.namespace), &name.name).await?;
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
    let resource = standing(&Kind::Namespace)?;
    let object: Option<NamespaceObject> = get(client, &resource, None, name).await?;
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
    list::<PoolObject>(client, group, namespace).await
}

/// Reads what scales by itself in a namespace, of one kind, as it is now.
///
/// # Errors
/// What the server answered. That there is no such API is no error.
pub async fn look_at_scalers(
    client: &Client,
    kind: ScalerKind,
    namespace: &str,
) -> Result<Change, RequestError> {
    list::<ScalerObject>(client, kind, namespace).await
}

async fn list<W: Watched>(client: &Client, of: W::Of, namespace: &str) -> Result<Change, RequestError> {
    let resource = standing(&of.clone().into())?;
    let what = format!("list {}.{} {namespace}", resource.plural, resource.group);
    let api: Api<W> = Api::namespaced_with(client.clone(), namespace, &resource);
    let objects = match tokio::time::timeout(DEADLINE, api.list(&ListParams::default())).await {
        Ok(Ok(objects)) => objects.items,
        Ok(Err(error)) => match RequestError::from_kube(what, &error) {
            absent if absent.failure == Failure::NotFound => Vec::new(),
            error => return Err(error),
        },
        Err(_) => return Err(RequestError::timeout(what, DEADLINE)),
    };
    let all = objects
        .iter()
        .filter_map(|object| Some((object.key()?, object.record(&of)?)))
        .collect();
    Ok(Change::Listed {
        within: Some(namespace.into()),
        table: W::table(of, all),
    })
}

/// The resource of a kind that needs no discovery.
fn standing(kind: &Kind) -> Result<ApiResource, RequestError> {
    resource(kind).ok_or_else(|| RequestError {
        what: format!("find the resource of {}", kind.as_str()),
        failure: Failure::NotFound,
        message: "it is known only by discovery".into(),
        retry_after: None,
    })
}

async fn get<W: Watched>(
    client: &Client,
    resource: &ApiResource,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<W>, RequestError> {
    let api: Api<W> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
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
