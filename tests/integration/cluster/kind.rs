//! The kinds that trials touch, and where they are found.

use serde_json::Value;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `apiVersion`.
    pub api_version: &'static str,
    /// `kind`.
    pub name: &'static str,
    /// Its resource.
    pub plural: &'static str,
}

const fn kind(api_version: &'static str, name: &'static str, plural: &'static str) -> Kind {
    Kind {
        api_version,
        name,
        plural,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// `apps/v1` Deployment.
pub const DEPLOYMENT: Kind = kind("apps/v1", "Deployment", "deployments");
/// `apps/v1` StatefulSet.
pub const STATEFUL_SET: Kind = kind("apps/v1", "StatefulSet", "statefulsets");
/// VariantAutoscaling.
pub const VARIANT: Kind = kind("llmd.ai/v1alpha1", "VariantAutoscaling", "variantautoscalings");
/// InferencePool of the stable group.
pub const POOL: Kind = kind(
    "inference.networking.k8s.io/v1",
    "InferencePool",
    "inferencepools",
);
/// InferencePool of the experimental group.
pub const POOL_V1ALPHA2: Kind = kind(
    "inference.networking.x-k8s.io/v1alpha2",
    "InferencePool",
    "inferencepools",
);
/// Event.
pub const EVENT: Kind = kind("events.k8s.io/v1", "Event", "events");
/// HorizontalPodAutoscaler.
pub const HPA: Kind = kind(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
);
/// ScaledObject of KEDA.
pub const SCALED_OBJECT: Kind = kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects");
/// LeaderWorkerSet.
pub const LEADER_WORKER_SET: Kind = kind(
    "leaderworkerset.x-k8s.io/v1",
    "LeaderWorkerSet",
    "leaderworkersets",
);
/// Rollout of Argo Rollouts: a scalable kind that the program does not know by name.
pub const ROLLOUT: Kind = kind("argoproj.io/v1alpha1", "Rollout", "rollouts");
/// The same in a version that there is only in trials.
pub const ROLLOUT_V1: Kind = kind("argoproj.io/v1", "Rollout", "rollouts");
/// Pod.
pub const POD: Kind = kind("v1", "Pod", "pods");
/// Namespace.
pub const NAMESPACE: Kind = kind("v1", "Namespace", "namespaces");
/// CustomResourceDefinition.
pub const CRD: Kind = kind(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
);
/// ClusterRole.
pub const CLUSTER_ROLE: Kind = kind(RBAC, "ClusterRole", "clusterroles");

const ALL: [Kind; 20] = [
    DEPLOYMENT,
    STATEFUL_SET,
    VARIANT,
    POOL,
    POOL_V1ALPHA2,
    EVENT,
    HPA,
    SCALED_OBJECT,
    LEADER_WORKER_SET,
    ROLLOUT,
    ROLLOUT_V1,
    POD,
    NAMESPACE,
    CRD,
    CLUSTER_ROLE,
    kind(RBAC, "ClusterRoleBinding", "clusterrolebindings"),
    kind(RBAC, "Role", "roles"),
    kind(RBAC, "RoleBinding", "rolebindings"),
    kind("v1", "ServiceAccount", "serviceaccounts"),
    kind(
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
        "subjectaccessreviews",
    ),
];

impl Kind {
    /// The kind of an object.
    pub fn of(object: &Value) -> Self {
        let found = ALL
            .into_iter()
            .find(|kind| object["apiVersion"] == kind.api_version && object["kind"] == kind.name);
        found.unwrap_or_else(|| panic!("add this kind to cluster/kind.rs: {object}"))
    }

    /// The path of the collection, of an object in it, or of a part of that.
    pub fn path(self, namespace: Option<&str>, name: Option<&str>, part: Option<&str>) -> String {
        let root = if self.api_version.contains('/') {
            "/apis"
        } else {
            "/api"
        };
        let namespaces = namespace.map(|_| "namespaces");
        let named = [namespaces, namespace, Some(self.plural), name, part];
        let segments = [root, self.api_version]
            .into_iter()
            .chain(named.into_iter().flatten());
        segments.collect::<Vec<_>>().join("/")
    }
}
