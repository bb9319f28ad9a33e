//! What is kept of the objects that scale a target by themselves: HorizontalPodAutoscalers and KEDA's ScaledObjects.

use std::fmt;

use super::{
    super::{ModelKey, Wall},
    TargetRef, Variant,
};

/// A HorizontalPodAutoscaler or a ScaledObject.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// `metadata.resourceVersion`, for compare-and-swap.
    pub resource_version: Box<str>,
    /// What it scales.
    pub target: TargetRef,
    /// `spec.minReplicas` of an HPA (1 where it is missing), `spec.idleReplicaCount` or else
    /// `spec.minReplicaCount` of a ScaledObject (0).
    pub min_replicas: i64,
    /// Why it scales nothing up just now: an annotation of KEDA's.
    pub paused: Option<Pause>,
    /// The annotation [`PAUSED_SCALE_IN`], as it stands.
    pub paused_scale_in: Option<Box<str>>,
    /// Whether it is the HPA that KEDA made for a ScaledObject.
    pub is_child: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `status.lastScaleTime` of an HPA, `status.lastActiveTime` of a ScaledObject.
    pub last_scale: Option<Wall>,
    /// The guard that stands on it, ours.
    pub guard: Option<Guard>,
    /// What it says as a variant, where it is one (rule 16).
    pub variant: Option<Variant>,
}

/// KEDA's annotation that keeps it from scaling in, all the way to 0 as well (KEDA 2.18 and newer).
/// (`PausedScaleInAnnotation` in KEDA's `apis/keda/v1alpha1/scaledobject_types.go`.)
pub const PAUSED_SCALE_IN: &str = "autoscaling.keda.sh/paused-scale-in";

/// The annotation that pauses a ScaledObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// `autoscaling.keda.sh/paused`.
    Paused,
    /// `autoscaling.keda.sh/paused-replicas`.
    Replicas,
    /// `autoscaling.keda.sh/paused-scale-out`.
    ScaleOut,
}

impl Pause {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Paused, Self::Replicas, Self::ScaleOut];

    /// The annotation. (`apis/keda/v1alpha1/scaledobject_types.go` of KEDA.)
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::Paused => "autoscaling.keda.sh/paused",
            Self::Replicas => "autoscaling.keda.sh/paused-replicas",
            Self::ScaleOut => "autoscaling.keda.sh/paused-scale-out",
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.annotation())
    }
}

/// A guard as it stands on an object, from our annotation there (rule 17).
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// What stood there before; `None`: nothing.
    pub before: Option<Box<str>>,
    /// What we wrote.
    pub ours: Box<str>,
    /// When it ends, whatever happens.
    pub until: Wall,
    /// The model whose episode it belongs to.
    pub model: ModelKey,
}
