//! The table of kinds the API knows, and how a request's path names one.

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
    pub scale: bool,
    pub generation: Generation,
    /// What of the metadata a write to `/status` may change.
    pub status_metadata: &'static [&'static str],
    /// Whether a PUT may leave out the resourceVersion.
    pub blind_update: bool,
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

const BUILT_IN: Traits = Traits {
    group: "",
    version: "v1",
    plural: "",
    kind: "",
    namespaced: true,
    custom: false,
    status: false,
    scale: false,
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
    scale: true,
    generation: Generation::SpecAndAnnotations,
    status_metadata: &["annotations"],
    ..BUILT_IN
};
static STATEFUL_SETS: Traits = Traits {
    group: "apps",
    plural: "statefulsets",
    kind: "StatefulSet",
    status: true,
    scale: true,
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
static ACCESS_REVIEWS: Traits = Traits {
    group: "authorization.k8s.io",
    plural: "selfsubjectaccessreviews",
    kind: "SelfSubjectAccessReview",
    namespaced: false,
    ..BUILT_IN
};

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Namespaces,
        Self::Deployments,
        Self::StatefulSets,
        Self::VariantAutoscalings,
        Self::InferencePools,
        Self::InferencePoolsV1alpha2,
        Self::Events,
        Self::Leases,
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

/// The part of an object that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subresource {
    /// The object itself.
    Main,
    /// Its `/status`.
    Status,
    /// Its `/scale`.
    Scale,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// To objects of a kind, or to one of them.
    To(Place),
    /// To a kind or a subresource that a known group does not have.
    NotInGroup(Place),
    /// To a group that does not exist.
    Nowhere,
}

/// A collection (no name) or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub resource: Resource,
    /// `None` is the whole cluster.
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Subresource,
}

/// Reads a path such as `/apis/apps/v1/namespaces/a/deployments/b/scale`.
pub(super) fn route(path: &str) -> Route {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Route::Nowhere,
    };
    let in_group = |resource: &Resource| {
        let traits = resource.traits();
        traits.group == group && traits.version == version
    };
    let Some(first) = Resource::ALL.into_iter().find(in_group) else {
        return Route::Nowhere;
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && rest[0] != "status" => {
            (Some((*namespace).to_owned()), rest)
        }
        rest => (None, rest),
    };
    let mut place = Place {
        resource: first,
        namespace,
        name: None,
        subresource: Subresource::Main,
    };
    let [plural, rest @ ..] = rest else {
        return Route::NotInGroup(place);
    };
    let known = Resource::ALL
        .into_iter()
        .filter(in_group)
        .find(|resource| resource.traits().plural == *plural);
    let Some(resource) = known else {
        return Route::NotInGroup(place);
    };
    let traits = resource.traits();
    place.resource = resource;
    place.name = rest.first().map(|name| (*name).to_owned());
    place.subresource = match rest.get(1) {
        None => Subresource::Main,
        Some(&"status") if traits.status => Subresource::Status,
        Some(&"scale") if traits.scale => Subresource::Scale,
        Some(_) => return Route::NotInGroup(place),
    };
    let placed =
        place.namespace.is_some() == traits.namespaced || (place.namespace.is_none() && rest.is_empty());
    if placed && rest.len() <= 2 {
        Route::To(place)
    } else {
        Route::NotInGroup(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(
        resource: Resource,
        namespace: Option<&str>,
        name: Option<&str>,
        subresource: Subresource,
    ) -> Route {
        Route::To(Place {
            resource,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            subresource,
        })
    }

    #[test]
    fn paths_lead_to_places() {
        use Resource::{Deployments, InferencePools, Namespaces};
        use Subresource::{Main, Scale, Status};
        assert_eq!(route("/api/v1/namespaces"), place(Namespaces, None, None, Main));
        assert_eq!(
            route("/api/v1/namespaces/a"),
            place(Namespaces, None, Some("a"), Main)
        );
        assert_eq!(
            route("/api/v1/namespaces/a/status"),
            place(Namespaces, None, Some("a"), Status)
        );
        assert_eq!(
            route("/apis/apps/v1/deployments"),
            place(Deployments, None, None, Main)
        );
        let a = "/apis/apps/v1/namespaces/a/deployments";
        assert_eq!(route(a), place(Deployments, Some("a"), None, Main));
        assert_eq!(
            route(&format!("{a}/b")),
            place(Deployments, Some("a"), Some("b"), Main)
        );
        assert_eq!(
            route(&format!("{a}/b/scale")),
            place(Deployments, Some("a"), Some("b"), Scale)
        );
        let pools = "/apis/inference.networking.k8s.io/v1/inferencepools";
        assert_eq!(route(pools), place(InferencePools, None, None, Main));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/",
            "/nope",
            "/apis/nope/v1/things",
            "/apis/apps/v2/deployments",
            "/api/v2/namespaces",
        ] {
            assert_eq!(route(path), Route::Nowhere, "{path}");
        }
        for path in [
            "/apis/apps/v1/nope",
            "/apis/apps/v1/namespaces/a/nope",
            "/apis/apps/v1/namespaces/a/deployments/b/nope",
            "/apis/apps/v1/deployments/b",
            "/apis/llmd.ai/v1alpha1/namespaces/a/variantautoscalings/b/scale",
            "/apis/coordination.k8s.io/v1/namespaces/a/leases/b/status",
        ] {
            assert!(matches!(route(path), Route::NotInGroup(_)), "{path}");
        }
    }
}
