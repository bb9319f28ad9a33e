//! Discovery: which groups, versions and kinds there are. Only what this API serves is named, with the
//! verbs it knows; absent kinds are not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    failure::Failure,
    resource::{Resource, Traits},
    route::Discovery,
    store::Store,
};

const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];
/// Of `/status` and `/scale`.
const PART_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Why there is nothing to be found.
#[derive(Debug)]
pub(super) enum Missing {
    /// No such group, or a custom one without that version: a page not found, in plain text.
    Page,
    /// A built-in group has no such version.
    Refusal(Failure),
}

/// Answers a request for what there is.
pub(super) fn answer(store: &Store, asked: &Discovery) -> Result<Value, Missing> {
    let present: Vec<&Traits> = Resource::ALL
        .into_iter()
        .filter(|resource| store.table(*resource).present)
        .map(Resource::traits)
        .collect();
    match asked {
        Discovery::Core => Ok(json!({"kind": "APIVersions", "versions": ["v1"]})),
        Discovery::Groups => {
            let names: BTreeSet<&str> = present.iter().map(|traits| traits.group).collect();
            let groups: Vec<Value> = names
                .into_iter()
                .filter(|name| !name.is_empty())
                .filter_map(|name| group(&present, name))
                .collect();
            Ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        Discovery::Group(name) => {
            let mut answer = group(&present, name).ok_or(Missing::Page)?;
            answer["kind"] = "APIGroup".into();
            answer["apiVersion"] = "v1".into();
            Ok(answer)
        }
        Discovery::Version(group, version) => kinds(&present, group, version),
    }
}

/// A group as lists of groups show it.
fn group(present: &[&Traits], name: &str) -> Option<Value> {
    let versions: BTreeSet<&str> = present
        .iter()
        .filter(|traits| traits.group == name)
        .map(|traits| traits.version)
        .collect();
    let versions: Vec<Value> = versions
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let preferred = versions.last()?.clone();
    Some(json!({"name": name, "versions": versions, "preferredVersion": preferred}))
}

fn kinds(present: &[&Traits], group: &str, version: &str) -> Result<Value, Missing> {
    let in_group = || present.iter().filter(|traits| traits.group == group);
    let found: Vec<&&Traits> = in_group().filter(|traits| traits.version == version).collect();
    let Some(first) = found.first() else {
        return Err(if in_group().any(|traits| !traits.custom) {
            Missing::Refusal(Failure::no_such_path())
        } else {
            Missing::Page
        });
    };
    let resources: Vec<Value> = found.iter().flat_map(|traits| resources(traits)).collect();
    let mut list =
        json!({"kind": "APIResourceList", "groupVersion": first.api_version(), "resources": resources});
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Ok(list)
}

/// A kind and its parts.
fn resources(traits: &Traits) -> Vec<Value> {
    let entry = |name: String, singular: &str, kind: &str, verbs: &[&str]| {
        json!({
            "name": name, "singularName": singular, "namespaced": traits.namespaced, "kind": kind, "verbs": verbs,
        })
    };
    let verbs = if traits.kind == "SelfSubjectAccessReview" {
        &VERBS[..1]
    } else {
        &VERBS
    };
    let mut all = vec![entry(
        traits.plural.to_owned(),
        &traits.singular(),
        traits.kind,
        verbs,
    )];
    if traits.status {
        let name = format!("{}/status", traits.plural);
        all.push(entry(name, "", traits.kind, &PART_VERBS));
    }
    if traits.scale.is_some() {
        let mut scale = entry(format!("{}/scale", traits.plural), "", "Scale", &PART_VERBS);
        scale["group"] = "autoscaling".into();
        scale["version"] = "v1".into();
        all.push(scale);
    }
    all
}
