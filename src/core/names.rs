//! Names of the things that are joined. Strings are shared, since one namespace stands in many keys.

use std::{borrow::Cow, fmt, sync::Arc};

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

/// The kinds of scale target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// `apps` Deployment.
    Deployment,
    /// `apps` StatefulSet.
    StatefulSet,
    /// Any other kind that has a `/scale` and a pod template, found by discovery.
    Other(Arc<OtherKind>),
}

/// A kind of target that is found by discovery. Its version is not part of its name: the API server's preferred one
/// is used, so that one target is one, whichever version a variant names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OtherKind {
    /// API group; empty for the core group.
    pub group: Box<str>,
    /// Kind.
    pub kind: Box<str>,
}

impl TargetKind {
    /// The kinds that are watched whether a variant names them or not.
    pub const BUILT_IN: [Self; 2] = [Self::Deployment, Self::StatefulSet];

    /// The kind that a `scaleTargetRef` names. Without a group it is that of the well-known kind of this name; `None`
    /// if there is none.
    pub fn of(group: Option<&str>, kind: &str) -> Option<Self> {
        match (group, kind) {
            (None | Some("apps"), "Deployment") => Some(Self::Deployment),
            (None | Some("apps"), "StatefulSet") => Some(Self::StatefulSet),
            (None, "LeaderWorkerSet") => Some(Self::other("leaderworkerset.x-k8s.io", kind)),
            (None, _) | (_, "") => None,
            (Some(group), kind) => Some(Self::other(group, kind)),
        }
    }

    /// A kind to be found by discovery.
    pub fn other(group: &str, kind: &str) -> Self {
        Self::Other(Arc::new(OtherKind {
            group: group.into(),
            kind: kind.into(),
        }))
    }

    /// The API group.
    pub fn group(&self) -> &str {
        match self {
            Self::Deployment | Self::StatefulSet => "apps",
            Self::Other(other) => &other.group,
        }
    }

    /// The kind as it stands in `scaleTargetRef.kind`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::Other(other) => &other.kind,
        }
    }
}

impl fmt::Display for OtherKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, kind } = self;
        match &**group {
            "" => f.write_str(kind),
            group => write!(f, "{kind}.{group}"),
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

/// A variant: the object that describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariantKey {
    /// Its name.
    pub name: ObjectName,
    /// Its kind.
    pub source: Source,
}

impl VariantKey {
    /// A VariantAutoscaling.
    pub fn autoscaling(name: ObjectName) -> Self {
        let source = Source::VariantAutoscaling;
        Self { name, source }
    }
}

impl fmt::Display for VariantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::VariantAutoscaling => self.name.fmt(f),
            source => write!(f, "{} {}", source.as_str(), self.name),
        }
    }
}

/// The kinds of object that scale a target by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalerKind {
    /// `keda.sh` ScaledObject.
    ScaledObject,
    /// `autoscaling` HorizontalPodAutoscaler.
    HorizontalPodAutoscaler,
}

impl From<Source> for Kind {
    fn from(source: Source) -> Self {
        match source {
            Source::VariantAutoscaling => Self::Variant,
            Source::ScaledObject => Self::Scaler(ScalerKind::ScaledObject),
            Source::HorizontalPodAutoscaler => Self::Scaler(ScalerKind::HorizontalPodAutoscaler),
        }
    }
}

impl ScalerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ScaledObject, Self::HorizontalPodAutoscaler];

    /// The source that an object of this kind may be.
    pub fn source(self) -> Source {
        match self {
            Self::ScaledObject => Source::ScaledObject,
            Self::HorizontalPodAutoscaler => Source::HorizontalPodAutoscaler,
        }
    }
}

/// An object that scales a target by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScalerKey {
    /// Its kind.
    pub kind: ScalerKind,
    /// Its name.
    pub name: ObjectName,
}

impl fmt::Display for ScalerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.source().as_str(), self.name)
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// VariantAutoscalings.
    Variant,
    /// Scale targets of one kind.
    Target(TargetKind),
    /// InferencePools of one group.
    Pool(PoolGroup),
    /// Objects that scale targets by themselves.
    Scaler(ScalerKind),
    /// Namespaces, for their annotations.
    Namespace,
}

impl Kind {
    /// The kinds that are watched in any case; the others follow from what variants name.
    pub const STANDING: [Self; 8] = [
        Self::Variant,
        Self::Target(TargetKind::Deployment),
        Self::Target(TargetKind::StatefulSet),
        Self::Pool(PoolGroup::Stable),
        Self::Pool(PoolGroup::Experimental),
        Self::Scaler(ScalerKind::ScaledObject),
        Self::Scaler(ScalerKind::HorizontalPodAutoscaler),
        Self::Namespace,
    ];

    /// Resource and group as `kubectl` takes them, of a kind found by discovery kind and group: the value of the label
    /// `kind` in metrics.
    pub fn as_str(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Variant => "variantautoscalings.llmd.ai",
            Self::Target(TargetKind::Deployment) => "deployments.apps",
            Self::Target(TargetKind::StatefulSet) => "statefulsets.apps",
            Self::Target(TargetKind::Other(other)) => return Cow::Owned(other.to_string()),
            Self::Pool(PoolGroup::Stable) => "inferencepools.inference.networking.k8s.io",
            Self::Pool(PoolGroup::Experimental) => "inferencepools.inference.networking.x-k8s.io",
            Self::Scaler(ScalerKind::ScaledObject) => "scaledobjects.keda.sh",
            Self::Scaler(ScalerKind::HorizontalPodAutoscaler) => "horizontalpodautoscalers.autoscaling",
            Self::Namespace => "namespaces",
        })
    }
}
