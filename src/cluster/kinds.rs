//! The kinds that are watched: where they are found, and how an object becomes a change.

use std::{fmt::Debug, hash::Hash, sync::Arc};

use kube::{api::ApiResource, core::GroupVersionKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject, name_of},
    scalers::ScalerObject,
};
use crate::core::{
    Change, HashMap, Kind, Namespace, ObjectName, Pool, PoolGroup, PoolKey, Scaler, ScalerKey, ScalerKind,
    Table, Target, TargetKey, TargetKind, Variant,
};

/// Where the objects of a kind are found; `None` for one that discovery must find.
pub fn resource(kind: &Kind) -> Option<ApiResource> {
    let (group, version, kind_name, plural) = match kind {
        Kind::Variant => ("llmd.ai", "v1alpha1", "VariantAutoscaling", "variantautoscalings"),
        Kind::Target(target) => return built_in(target),
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
        Kind::Scaler(ScalerKind::ScaledObject) => ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
        Kind::Scaler(ScalerKind::HorizontalPodAutoscaler) => (
            "autoscaling",
            "v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        ),
        Kind::Namespace => ("", "v1", "Namespace", "namespaces"),
    };
    Some(of(group, version, kind_name, plural))
}

/// Where targets of a built-in kind are found.
pub(super) fn built_in(kind: &TargetKind) -> Option<ApiResource> {
    match kind {
        TargetKind::Deployment => Some(of("apps", "v1", kind.as_str(), "deployments")),
        TargetKind::StatefulSet => Some(of("apps", "v1", kind.as_str(), "statefulsets")),
        TargetKind::Other(_) => None,
    }
}

fn of(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    let gvk = GroupVersionKind::gvk(group, version, kind);
    ApiResource::from_gvk_with_plural(&gvk, plural)
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
    type Of: Clone + Into<Kind> + Send;

    /// Its key; `None` for an object without a name.
    fn key(&self) -> Option<Self::Key>;
    /// Its record; `None` for one that says too little to be of use, which counts as absent.
    fn record(&self, of: &Self::Of) -> Option<Self::Record>;
    /// The change that it is so now, or gone.
    fn change(of: Self::Of, key: Self::Key, now: Option<Self::Record>) -> Change;
    /// All objects of a list.
    fn table(of: Self::Of, all: HashMap<Self::Key, Self::Record>) -> Table;
}

/// An object as it is now, as a change; `None` for one without a name.
pub(super) fn changed<W: Watched>(object: &W, of: W::Of) -> Option<Change> {
    let record = object.record(&of);
    object.key().map(|key| W::change(of, key, record))
}

/// An object of a kind as the API serves it or a manifest has it, as the change that a watch would bring of it; `None` for
/// one that has no name, or is no object.
pub fn change(kind: &Kind, object: &Value) -> Option<Change> {
    fn read<W: Watched>(object: &Value, of: W::Of) -> Option<Change> {
        changed(&W::deserialize(object).ok()?, of)
    }

    match kind {
        Kind::Variant => read::<VariantObject>(object, Variants),
        Kind::Target(kind) => read::<TargetObject>(object, kind.clone()),
        Kind::Pool(group) => read::<PoolObject>(object, *group),
        Kind::Scaler(kind) => read::<ScalerObject>(object, *kind),
        Kind::Namespace => read::<NamespaceObject>(object, Namespaces),
    }
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
    fn record(&self, _: &Variants) -> Option<Variant> {
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
    fn record(&self, kind: &TargetKind) -> Option<Target> {
        Some(Self::record(self, kind))
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
    fn record(&self, _: &PoolGroup) -> Option<Pool> {
        Some(Self::record(self))
    }
    fn change(group: PoolGroup, name: ObjectName, now: Option<Pool>) -> Change {
        Change::Pool(PoolKey { group, name }, now)
    }
    fn table(group: PoolGroup, all: HashMap<ObjectName, Pool>) -> Table {
        Table::Pools(group, all)
    }
}

impl From<ScalerKind> for Kind {
    fn from(kind: ScalerKind) -> Self {
        Self::Scaler(kind)
    }
}

impl Watched for ScalerObject {
    type Key = ObjectName;
    type Record = Scaler;
    type Of = ScalerKind;

    fn key(&self) -> Option<ObjectName> {
        name_of(kube::Resource::meta(self))
    }
    fn record(&self, kind: &ScalerKind) -> Option<Scaler> {
        Some(Self::record(self, *kind))
    }
    fn change(kind: ScalerKind, name: ObjectName, now: Option<Scaler>) -> Change {
        Change::Scaler(ScalerKey { kind, name }, now)
    }
    fn table(kind: ScalerKind, all: HashMap<ObjectName, Scaler>) -> Table {
        Table::Scalers(kind, all)
    }
}

impl Watched for NamespaceObject {
    type Key = Arc<str>;
    type Record = Namespace;
    type Of = Namespaces;

    fn key(&self) -> Option<Arc<str>> {
        kube::Resource::meta(self).name.as_deref().map(Arc::from)
    }
    fn record(&self, _: &Namespaces) -> Option<Namespace> {
        Some(Self::record(self))
    }
    fn change(_: Namespaces, name: Arc<str>, now: Option<Namespace>) -> Change {
        Change::Namespace(name, now)
    }
    fn table(_: Namespaces, all: HashMap<Arc<str>, Namespace>) -> Table {
        Table::Namespaces(all)
    }
}
