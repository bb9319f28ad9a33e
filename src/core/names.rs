//! Names of the things that are joined. Strings are shared, since one namespace stands in many keys.

use std::{fmt, sync::Arc};

/// Namespace and name of a namespaced object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl ObjectName {
    /// Builds a name from its two parts.
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The kinds of scale target that can be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
}

impl TargetKind {
    /// Every kind, for loops over all of them.
    pub const ALL: [Self; 2] = [Self::Deployment, Self::StatefulSet];

    /// The kind as it stands in `scaleTargetRef.kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }
}

/// A scale target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetKey {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: ObjectName,
}

impl fmt::Display for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

/// The kinds of object that describe a variant (rule 16), in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// `llmd.ai` VariantAutoscaling.
    VariantAutoscaling,
    /// `keda.sh` ScaledObject with the annotation `llm-d.ai/managed`.
    ScaledObject,
    /// `autoscaling` HorizontalPodAutoscaler with the same, of no ScaledObject.
    HorizontalPodAutoscaler,
}

impl Source {
    /// Every source, in order of precedence.
    pub const ALL: [Self; 3] = [
        Self::VariantAutoscaling,
        Self::ScaledObject,
        Self::HorizontalPodAutoscaler,
    ];

    /// The kind, as manifests and `scope.sources` name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VariantAutoscaling => "VariantAutoscaling",
            Self::ScaledObject => "ScaledObject",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
        }
    }
}

/// The two API groups that serve InferencePools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PoolGroup {
    /// `inference.networking.k8s.io/v1`.
    Stable,
    /// `inference.networking.x-k8s.io/v1alpha2`.
    Experimental,
}

/// An InferencePool. One of the same name may stand in both groups during a migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolKey {
    /// Which API serves it.
    pub group: PoolGroup,
    /// Its name.
    pub name: ObjectName,
}

/// What demand is counted by, and what an episode belongs to: one model behind one pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelKey {
    /// Namespace of the pool, and so of the variants.
    pub namespace: Arc<str>,
    /// Name of the pool.
    pub pool: Arc<str>,
    /// The model's name as demand states it: a `modelID` or an alias.
    pub model: Arc<str>,
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "model {} of pool {}/{}", self.model, self.namespace, self.pool)
    }
}

/// The kinds of object the inventory is made of, as watches and reports tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// VariantAutoscalings.
    Variant,
    /// Scale targets of one kind.
    Target(TargetKind),
    /// InferencePools of one group.
    Pool(PoolGroup),
    /// Namespaces, for their annotations.
    Namespace,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Variant,
        Self::Target(TargetKind::Deployment),
        Self::Target(TargetKind::StatefulSet),
        Self::Pool(PoolGroup::Stable),
        Self::Pool(PoolGroup::Experimental),
        Self::Namespace,
    ];

    /// Resource and group as `kubectl` takes them: the value of the label `kind` in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Variant => "variantautoscalings.llmd.ai",
            Self::Target(TargetKind::Deployment) => "deployments.apps",
            Self::Target(TargetKind::StatefulSet) => "statefulsets.apps",
            Self::Pool(PoolGroup::Stable) => "inferencepools.inference.networking.k8s.io",
            Self::Pool(PoolGroup::Experimental) => "inferencepools.inference.networking.x-k8s.io",
            Self::Namespace => "namespaces",
        }
    }
}
