//! The table of kinds the API knows.

/// A kind of object, as one group and version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// `v1` namespaces, the only kind here without a namespace.
    Namespaces,
    /// `apps/v1` deployments.
    Deployments,
    /// `apps/v1` statefulsets.
    StatefulSets,
    /// `llmd.ai/v1alpha1` variantautoscalings.
    VariantAutoscalings,
    /// `inference.networking.k8s.io/v1` inferencepools.
    InferencePools,
    /// `inference.networking.x-k8s.io/v1alpha2` inferencepools.
    InferencePoolsV1alpha2,
    /// `events.k8s.io/v1` events.
    Events,
    /// `coordination.k8s.io/v1` leases.
    Leases,
    /// `autoscaling/v2` horizontalpodautoscalers.
    HorizontalPodAutoscalers,
    /// `keda.sh/v1alpha1` scaledobjects.
    ScaledObjects,
    /// `leaderworkerset.x-k8s.io/v1` leaderworkersets.
    LeaderWorkerSets,
    /// `argoproj.io/v1alpha1` rollouts: a scalable kind that stands for all those nobody has heard of.
    Rollouts,
    /// `v1` pods.
    Pods,
    /// `authorization.k8s.io/v1` selfsubjectaccessreviews: answered, never stored.
    AccessReviews,
}

/// What sets one kind apart from the next.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table, not a state")]
pub(super) struct Traits {
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    /// Known through a CRD, which may be missing.
    pub custom: bool,
    /// Status is written through `/status` alone.
    pub status: bool,
    /// How it shows as a Scale, if it does.
    pub scale: Option<Scale>,
    pub generation: Generation,
    /// What of the metadata a write to `/status` may change.
    pub status_metadata: &'static [&'static str],
    /// Whether a PUT may leave out the resourceVersion.
    pub blind_update: bool,
}

/// Where a kind keeps what its Scale shows besides `spec.replicas`, which all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// Field of the status with the number of pods.
    pub replicas: &'static str,
    /// Field of the status with the selector of the pods as text; `None` is `spec.selector`.
    pub selector: Option<&'static str>,
}

/// Which changes make a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// The kind has none.
    None,
    Spec,
    /// As Deployments do.
    SpecAndAnnotations,
}

/// As Deployments and StatefulSets do.
pub(super) const WORKLOAD: Scale = Scale {
    replicas: "replicas",
    selector: None,
};

const BUILT_IN: Traits = Traits {
    group: "",
    version: "v1",
    plural: "",
    kind: "",
    namespaced: true,
    custom: false,
    status: false,
    scale: None,
    generation: Generation::None,
    status_metadata: &[],
    blind_update: true,
};

const CUSTOM: Traits = Traits {
    custom: true,
    status: true,
    generation: Generation::Spec,
    blind_update: false,
    ..BUILT_IN
};

static NAMESPACES: Traits = Traits {
    plural: "namespaces",
    kind: "Namespace",
    namespaced: false,
    status: true,
    ..BUILT_IN
};
static DEPLOYMENTS: Traits = Traits {
    group: "apps",
    plural: "deployments",
    kind: "Deployment",
    status: true,
    scale: Some(WORKLOAD),
    generation: Generation::SpecAndAnnotations,
    status_metadata: &["annotations"],
    ..BUILT_IN
};
static STATEFUL_SETS: Traits = Traits {
    group: "apps",
    plural: "statefulsets",
    kind: "StatefulSet",
    status: true,
    scale: Some(WORKLOAD),
    generation: Generation::Spec,
    status_metadata: &["annotations", "labels"],
    ..BUILT_IN
};
static VARIANT_AUTOSCALINGS: Traits = Traits {
    group: "llmd.ai",
    version: "v1alpha1",
    plural: "variantautoscalings",
    kind: "VariantAutoscaling",
    ..CUSTOM
};
static INFERENCE_POOLS: Traits = Traits {
    group: "inference.networking.k8s.io",
    plural: "inferencepools",
    kind: "InferencePool",
    ..CUSTOM
};
static INFERENCE_POOLS_V1ALPHA2: Traits = Traits {
    group: "inference.networking.x-k8s.io",
    version: "v1alpha2",
    plural: "inferencepools",
    kind: "InferencePool",
    ..CUSTOM
};
static EVENTS: Traits = Traits {
    group: "events.k8s.io",
    plural: "events",
    kind: "Event",
    ..BUILT_IN
};
static LEASES: Traits = Traits {
    group: "coordination.k8s.io",
    plural: "leases",
    kind: "Lease",
    blind_update: false,
    ..BUILT_IN
};
static HORIZONTAL_POD_AUTOSCALERS: Traits = Traits {
    group: "autoscaling",
    version: "v2",
    plural: "horizontalpodautoscalers",
    kind: "HorizontalPodAutoscaler",
    status: true,
    generation: Generation::Spec,
    status_metadata: &["annotations", "labels"],
    ..BUILT_IN
};
static SCALED_OBJECTS: Traits = Traits {
    group: "keda.sh",
    version: "v1alpha1",
    plural: "scaledobjects",
    kind: "ScaledObject",
    ..CUSTOM
};
static LEADER_WORKER_SETS: Traits = Traits {
    group: "leaderworkerset.x-k8s.io",
    plural: "leaderworkersets",
    kind: "LeaderWorkerSet",
    scale: Some(Scale {
        replicas: "replicas",
        selector: Some("hpaPodSelector"),
    }),
    ..CUSTOM
};
static ROLLOUTS: Traits = Traits {
    group: "argoproj.io",
    version: "v1alpha1",
    plural: "rollouts",
    kind: "Rollout",
    scale: Some(Scale {
        replicas: "HPAReplicas",
        selector: Some("selector"),
    }),
    ..CUSTOM
};
static PODS: Traits = Traits {
    plural: "pods",
    kind: "Pod",
    status: true,
    generation: Generation::Spec,
    status_metadata: &["annotations", "labels"],
    ..BUILT_IN
};
static ACCESS_REVIEWS: Traits = Traits {
    group: "authorization.k8s.io",
    plural: "selfsubjectaccessreviews",
    kind: "SelfSubjectAccessReview",
    namespaced: false,
    ..BUILT_IN
};

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Namespaces,
        Self::Deployments,
        Self::StatefulSets,
        Self::VariantAutoscalings,
        Self::InferencePools,
        Self::InferencePoolsV1alpha2,
        Self::Events,
        Self::Leases,
        Self::HorizontalPodAutoscalers,
        Self::ScaledObjects,
        Self::LeaderWorkerSets,
        Self::Rollouts,
        Self::Pods,
        Self::AccessReviews,
    ];

    pub(super) fn traits(self) -> &'static Traits {
        match self {
            Self::Namespaces => &NAMESPACES,
            Self::Deployments => &DEPLOYMENTS,
            Self::StatefulSets => &STATEFUL_SETS,
            Self::VariantAutoscalings => &VARIANT_AUTOSCALINGS,
            Self::InferencePools => &INFERENCE_POOLS,
            Self::InferencePoolsV1alpha2 => &INFERENCE_POOLS_V1ALPHA2,
            Self::Events => &EVENTS,
            Self::Leases => &LEASES,
            Self::HorizontalPodAutoscalers => &HORIZONTAL_POD_AUTOSCALERS,
            Self::ScaledObjects => &SCALED_OBJECTS,
            Self::LeaderWorkerSets => &LEADER_WORKER_SETS,
            Self::Rollouts => &ROLLOUTS,
            Self::Pods => &PODS,
            Self::AccessReviews => &ACCESS_REVIEWS,
        }
    }

    /// The kind that a manifest's `apiVersion` and `kind` name.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|resource| resource.traits().kind == kind && resource.traits().api_version() == api_version)
    }
}

impl Traits {
    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployment`.
    pub fn singular(&self) -> String {
        self.kind.to_lowercase()
    }

    /// `deployments.apps`, as error messages name it.
    pub fn qualified(&self) -> String {
        qualified(self.plural, self.group)
    }

    /// `Deployment.apps`, as validation messages name it. Events are validated as of the core group.
    pub fn qualified_kind(&self) -> String {
        qualified(self.kind, self.validation_group())
    }

    pub fn validation_group(&self) -> &'static str {
        if self.kind == "Event" { "" } else { self.group }
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}
