//! Where a request's path leads.

use super::{ownership::Writer, resource::Resource};

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
    /// To what there is to be found, rather than to objects.
    Discovery(Discovery),
    /// To a group that does not exist.
    Nowhere,
}

/// What a client may ask of the kinds there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Discovery {
    /// `/api`: the versions of the core group.
    Core,
    /// `/apis`: all other groups.
    Groups,
    /// `/apis/apps`: the versions of a group.
    Group(String),
    /// `/apis/apps/v1`, or for the core group, whose name is empty, `/api/v1`: its kinds.
    Version(String, String),
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

impl Place {
    /// A manager that writes here.
    pub fn writer<'a>(&self, manager: &'a str) -> Writer<'a> {
        Writer {
            manager,
            through: self.subresource,
        }
    }
}

/// Reads a path such as `/apis/apps/v1/namespaces/a/deployments/b/scale`.
pub(super) fn route(path: &str) -> Route {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api"] => return Route::Discovery(Discovery::Core),
        ["apis"] => return Route::Discovery(Discovery::Groups),
        ["apis", group] => return Route::Discovery(Discovery::Group((*group).to_owned())),
        ["api", version] => {
            return Route::Discovery(Discovery::Version(String::new(), (*version).to_owned()));
        }
        ["apis", group, version] => {
            return Route::Discovery(Discovery::Version((*group).to_owned(), (*version).to_owned()));
        }
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
        Some(&"scale") if traits.scale.is_some() => Subresource::Scale,
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
