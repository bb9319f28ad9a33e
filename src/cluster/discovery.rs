//! Kinds of target that only the API server knows: which resource they are, and whether it has a `/scale`.
//!
//! Their CRDs may come and go, so what was found holds until a watch finds it gone. Then it is asked for again
//! ([`super::other`]): it may come back with another version, or without its `/scale`.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use kube::{Client, api::ApiResource};
use serde::Deserialize;

use super::{error::RequestError, kinds::built_in, read};
use crate::core::{Failure, OtherKind, TargetKey, TargetKind};

/// The resources found so far. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Discovered(Arc<RwLock<HashMap<Arc<OtherKind>, ApiResource>>>);

/// What the API server has of a kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A resource with a `/scale`.
    Scalable(ApiResource),
    /// A resource without.
    NotScalable,
    /// No such kind. It took so many requests to know.
    Absent {
        /// 1 where its group is not there, which says it all.
        requests: u32,
    },
}

impl Discovered {
    /// The resource of a target.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a kind that was not found, or not yet.
    pub fn resource(&self, target: &TargetKey) -> Result<ApiResource, RequestError> {
        self.of(&target.kind).ok_or_else(|| RequestError {
            what: format!("find the resource of {target}"),
            failure: Failure::NotFound,
            message: "the API server has no such kind with a /scale".into(),
            retry_after: None,
        })
    }

    /// The resource of a kind of target, if it is known.
    pub fn of(&self, kind: &TargetKind) -> Option<ApiResource> {
        match kind {
            TargetKind::Other(other) => {
                let found = self.0.read().unwrap_or_else(PoisonError::into_inner);
                found.get(other).cloned()
            }
            kind => built_in(kind),
        }
    }

    /// A kind is found.
    pub fn set(&self, kind: &Arc<OtherKind>, resource: ApiResource) {
        let mut found = self.0.write().unwrap_or_else(PoisonError::into_inner);
        found.insert(kind.clone(), resource);
    }

    /// A kind is not there, or cannot be scaled.
    pub(super) fn forget(&self, kind: &Arc<OtherKind>) {
        let mut found = self.0.write().unwrap_or_else(PoisonError::into_inner);
        found.remove(kind);
    }
}

/// `APIGroup`, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Clone, Deserialize)]
struct GroupVersion {
    version: String,
}

/// `APIResourceList`, as far as it is read.
#[derive(Deserialize)]
struct Resources {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    kind: String,
    namespaced: bool,
}

/// Asks the API server for a kind: in the group's preferred version, else in any that has it.
///
/// # Errors
/// What the server answered. That there is no such kind is no error.
pub async fn discover(client: &Client, kind: &OtherKind) -> Result<Found, RequestError> {
    let OtherKind { group, kind } = kind;
    let mut requests = 0;
    let versions = if group.is_empty() {
        vec!["v1".to_owned()]
    } else {
        let Some(known) = get::<Group>(client, &format!("/apis/{group}")).await? else {
            return Ok(Found::Absent { requests: 1 });
        };
        requests += 1;
        let preferred = known.preferred_version.into_iter().chain(known.versions);
        let mut versions: Vec<String> = Vec::new();
        for GroupVersion { version } in preferred {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        versions
    };
    let mut without_scale = false;
    for version in versions {
        let path = match &**group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        requests += 1;
        let Some(Resources { resources }) = get(client, &path).await? else {
            continue;
        };
        let is_it = |r: &&Resource| *r.kind == **kind && r.namespaced && !r.name.contains('/');
        let Some(resource) = resources.iter().find(is_it) else {
            continue;
        };
        let scale = format!("{}/scale", resource.name);
        if !resources.iter().any(|r| r.name == scale) {
            without_scale = true;
            continue;
        }
        let gvk = kube::core::GroupVersionKind::gvk(group, &version, kind);
        return Ok(Found::Scalable(ApiResource::from_gvk_with_plural(
            &gvk,
            &resource.name,
        )));
    }
    Ok(if without_scale {
        Found::NotScalable
    } else {
        Found::Absent { requests }
    })
}

/// One GET; `None` for what is not there.
async fn get<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> Result<Option<T>, RequestError> {
    match read::get(client, format!("get {path}"), path).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.failure == Failure::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
