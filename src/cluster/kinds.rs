//! The kinds that are watched: where they are found, and how an object becomes a change.

use std::{collections::HashMap, fmt::Debug, hash::Hash, sync::Arc};

use kube::api::ApiResource;
use serde::de::DeserializeOwned;

use super::{
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject, name_of},
    scale::plural,
};
use crate::core::{
    Change, Kind, Namespace, ObjectName, Pool, PoolGroup, PoolKey, Table, Target, TargetKey, TargetKind,
    Variant,
};

/// Where the objects of a kind are found.
pub fn resource(kind: Kind) -> ApiResource {
    let (group, version, kind_name, plural) = match kind {
        Kind::Variant => ("llmd.ai", "v1alpha1", "VariantAutoscaling", "variantautoscalings"),
        Kind::Target(target) => ("apps", "v1", target.as_str(), plural(target)),
        Kind::Pool(PoolGroup::Stable) => (
            "inference.networking.k8s.io",
            "v1",
            "InferencePool",
            "inferencepools",
        ),
        Kind::Pool(PoolGroup::Experimental) => (
            "inference.networking.x-k8s.io",
            "v1alpha2",
            "InferencePool",
            "inferencepools",
        ),
        Kind::Namespace => ("", "v1", "Namespace", "namespaces"),
    };
    ApiResource {
        group: group.into(),
        version: version.into(),
        api_version: if group.is_empty() {
            version.into()
        } else {
            format!("{group}/{version}")
        },
        kind: kind_name.into(),
        plural: plural.into(),
    }
}

/// An object that a watch turns into changes of the inventory.
pub trait Watched:
    kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + 'static
{
    /// What the inventory knows it by.
    type Key: Eq + Hash + Send;
    /// What the inventory keeps of it.
    type Record: Send;
    /// Which kinds there are of this shape.
    type Of: Copy + Into<Kind> + Send;

    /// Its key; `None` for an object without a name.
    fn key(&self) -> Option<Self::Key>;
    /// Its record; `None` for one that says too little to be of use, which counts as absent.
    fn record(&self) -> Option<Self::Record>;
    /// The change that it is so now, or gone.
    fn change(of: Self::Of, key: Self::Key, now: Option<Self::Record>) -> Change;
    /// All objects of a list.
    fn table(of: Self::Of, all: HashMap<Self::Key, Self::Record>) -> Table;
}

/// The one kind of a shape that there is only once.
#[derive(Clone, Copy, Debug)]
pub struct Variants;
/// As [`Variants`].
#[derive(Clone, Copy, Debug)]
pub struct Namespaces;

impl From<Variants> for Kind {
    fn from(_: Variants) -> Self {
        Self::Variant
    }
}

impl From<Namespaces> for Kind {
    fn from(_: Namespaces) -> Self {
        Self::Namespace
    }
}

impl From<TargetKind> for Kind {
    fn from(kind: TargetKind) -> Self {
        Self::Target(kind)
    }
}

impl From<PoolGroup> for Kind {
    fn from(group: PoolGroup) -> Self {
        Self::Pool(group)
    }
}

impl Watched for VariantObject {
    type Key = ObjectName;
    type Record = Variant;
    type Of = Variants;

    fn key(&self) -> Option<ObjectName> {
        name_of(kube::Resource::meta(self))
    }
    fn record(&self) -> Option<Variant> {
        Self::record(self)
    }
    fn change(_: Variants, key: ObjectName, now: Option<Variant>) -> Change {
        Change::Variant(key, now)
    }
    fn table(_: Variants, all: HashMap<ObjectName, Variant>) -> Table {
        Table::Variants(all)
    }
}

impl Watched for TargetObject {
    type Key = ObjectName;
    type Record = Target;
    type Of = TargetKind;

    fn key(&self) -> Option<ObjectName> {
        name_of(kube::Resource::meta(self))
    }
    fn record(&self) -> Option<Target> {
        Some(Self::record(self))
    }
    fn change(kind: TargetKind, name: ObjectName, now: Option<Target>) -> Change {
        Change::Target(TargetKey { kind, name }, now)
    }
    fn table(kind: TargetKind, all: HashMap<ObjectName, Target>) -> Table {
        Table::Targets(kind, all)
    }
}

impl Watched for PoolObject {
    type Key = ObjectName;
    type Record = Pool;
    type Of = PoolGroup;

    fn key(&self) -> Option<ObjectName> {
        name_of(kube::Resource::meta(self))
    }
    fn record(&self) -> Option<Pool> {
        Some(Self::record(self))
    }
    fn change(group: PoolGroup, name: ObjectName, now: Option<Pool>) -> Change {
        Change::Pool(PoolKey { group, name }, now)
    }
    fn table(group: PoolGroup, all: HashMap<ObjectName, Pool>) -> Table {
        Table::Pools(group, all)
    }
}

impl Watched for NamespaceObject {
    type Key = Arc<str>;
    type Record = Namespace;
    type Of = Namespaces;

    fn key(&self) -> Option<Arc<str>> {
        kube::Resource::meta(self).name.as_deref().map(Arc::from)
    }
    fn record(&self) -> Option<Namespace> {
        Some(Self::record(self))
    }
    fn change(_: Namespaces, name: Arc<str>, now: Option<Namespace>) -> Change {
        Change::Namespace(name, now)
    }
    fn table(_: Namespaces, all: HashMap<Arc<str>, Namespace>) -> Table {
        Table::Namespaces(all)
    }
}
