//! What a write makes of an object: which parts of it count, what the server adds, what it refuses.
//! Values in, values out; nothing here knows the store.

use serde_json::{Map, Value, json};

use super::{
    autoscaler, crds,
    failure::{Cause, Failure},
    resource::{Generation, Resource, Traits},
    route::Subresource,
    rules, scale,
};

/// RFC 7386.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The text at a path such as `["metadata", "name"]`; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    path.iter()
        .try_fold(object, |value, key| value.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Sets `map[key]`, or removes it where there is nothing to set.
fn put(object: &mut Value, key: &str, value: Option<Value>) {
    let Some(map) = object.as_object_mut() else { return };
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
}

/// Makes what a client posted an object of the cluster; `uid` and `now` are what the server gives it.
pub(super) fn create(
    resource: Resource,
    namespace: Option<&str>,
    mut body: Value,
    uid: &str,
    now: &str,
) -> Result<Value, Failure> {
    let traits = resource.traits();
    check_type(traits, &mut body)?;
    if !body["metadata"].is_object() {
        body["metadata"] = json!({});
    }
    if let Some(namespace) = namespace {
        let given = text(&body, &["metadata", "namespace"]);
        if !given.is_empty() && given != namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        body["metadata"]["namespace"] = namespace.into();
    }
    if !text(&body, &["metadata", "resourceVersion"]).is_empty() {
        return Err(Failure::internal(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let name = text(&body, &["metadata", "name"]).to_owned();
    if name.is_empty() {
        let mut cause = Cause::required("metadata.name");
        cause.message.push_str(": name or generateName is required");
        return Err(Failure::invalid(traits, "", &[cause]));
    }
    if let Some(cause) = rules::name(resource, &name) {
        return Err(Failure::invalid(traits, &name, &[cause]));
    }
    fill_in(resource, &mut body, &name);
    let metadata = &mut body["metadata"];
    metadata["uid"] = uid.into();
    metadata["creationTimestamp"] = now.into();
    let first = (traits.generation != Generation::None).then(|| 1.into());
    put(metadata, "generation", first);
    validate(resource, &name, &mut body)?;
    Ok(body)
}

/// Gives what the server itself gives a new object of a kind.
fn fill_in(resource: Resource, body: &mut Value, name: &str) {
    if resource.traits().custom {
        put(body, "status", None);
    }
    match resource {
        Resource::HorizontalPodAutoscalers => {
            body["status"] = json!({"desiredReplicas": 0, "currentMetrics": null});
        }
        Resource::Pods => body["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"}),
        Resource::Namespaces => {
            body["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
            body["spec"] = json!({"finalizers": ["kubernetes"]});
            body["status"] = json!({"phase": "Active"});
        }
        Resource::Deployments | Resource::StatefulSets => {
            default_replicas(resource, body);
            body["status"] = match resource {
                Resource::StatefulSets => json!({"replicas": 0, "availableReplicas": 0}),
                _ => json!({}),
            };
        }
        Resource::Leases if body["spec"].is_null() => body["spec"] = json!({}),
        _ => {}
    }
}

/// A workload of a built-in kind that does not say how many replicas it wants wants one.
fn default_replicas(resource: Resource, object: &mut Value) {
    let target = matches!(resource, Resource::Deployments | Resource::StatefulSets);
    if target && object["spec"]["replicas"].is_null() {
        object["spec"]["replicas"] = 1.into();
    }
}

fn check_type(traits: &Traits, body: &mut Value) -> Result<(), Failure> {
    if !body.is_object() {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): not a JSON object",
            traits.kind
        )));
    }
    let expected = traits.api_version();
    let given = text(body, &["apiVersion"]);
    let kind = text(body, &["kind"]);
    // The client need not name a built-in type; custom ones it must.
    let may_omit = !traits.custom;
    if !(given == expected || given.is_empty() && may_omit) {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({given}) does not match the expected API version ({expected})"
        )));
    }
    if !(kind == traits.kind || kind.is_empty() && may_omit) {
        let cause = Cause::invalid("kind", &format!("{kind:?}"), &format!("must be {}", traits.kind));
        return Err(Failure::invalid(
            traits,
            text(body, &["metadata", "name"]),
            &[cause],
        ));
    }
    body["apiVersion"] = expected.into();
    body["kind"] = traits.kind.into();
    Ok(())
}

/// Makes `new`, the whole object as a client would have it, the next state of `old`: takes what the
/// client may change through this subresource and keeps the rest.
pub(super) fn update(
    resource: Resource,
    subresource: Subresource,
    old: &Value,
    mut new: Value,
) -> Result<Value, Failure> {
    let traits = resource.traits();
    let name = text(old, &["metadata", "name"]);
    check_type(traits, &mut new)?;
    if !new["metadata"].is_object() {
        new["metadata"] = json!({});
    }
    check_name(&new, name)?;
    check_version(traits, old, &new)?;
    if !matches!(text(&new, &["metadata", "uid"]), uid if uid.is_empty() || uid == text(old, &["metadata", "uid"]))
    {
        let uid = format!("{:?}", text(&new, &["metadata", "uid"]));
        return Err(Failure::invalid(
            traits,
            name,
            &[Cause::invalid("metadata.uid", &uid, "field is immutable")],
        ));
    }

    let mut next = match subresource {
        Subresource::Status => {
            let mut next = old.clone();
            put(&mut next, "status", new.get("status").cloned());
            for key in traits.status_metadata {
                put(&mut next["metadata"], key, new["metadata"].get(key).cloned());
            }
            next
        }
        Subresource::Main | Subresource::Scale => {
            if traits.status {
                put(&mut new, "status", old.get("status").cloned());
            }
            new
        }
    };
    for key in [
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "resourceVersion",
        "managedFields",
    ] {
        put(&mut next["metadata"], key, old["metadata"].get(key).cloned());
    }
    for key in ["labels", "annotations"] {
        if next["metadata"]
            .get(key)
            .is_some_and(|map| map.as_object().is_none_or(Map::is_empty))
        {
            put(&mut next["metadata"], key, None);
        }
    }
    default_replicas(resource, &mut next);
    validate(resource, name, &mut next)?;
    if subresource != Subresource::Status {
        raise_generation(traits, old, &mut next);
    }
    Ok(next)
}

/// An object is written under its own name only.
pub(super) fn check_name(object: &Value, name: &str) -> Result<(), Failure> {
    let given = text(object, &["metadata", "name"]);
    if given == name {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "the name of the object ({given}) does not match the name on the URL ({name})"
    )))
}

/// Counts a change that makes a new generation.
pub(super) fn raise_generation(traits: &Traits, old: &Value, next: &mut Value) {
    let changed = match traits.generation {
        Generation::None => false,
        Generation::Spec => old.get("spec") != next.get("spec"),
        Generation::SpecAndAnnotations => {
            old.get("spec") != next.get("spec")
                || old["metadata"].get("annotations") != next["metadata"].get("annotations")
        }
    };
    if changed {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or_default();
        next["metadata"]["generation"] = (generation + 1).into();
    }
}

/// Compare-and-swap: a resourceVersion in the new object must be that of the old one.
pub(super) fn check_version(traits: &Traits, old: &Value, new: &Value) -> Result<(), Failure> {
    let given = text(new, &["metadata", "resourceVersion"]);
    if given.is_empty() || given == text(old, &["metadata", "resourceVersion"]) {
        return Ok(());
    }
    if given.parse::<u64>().is_err() {
        return Err(Failure::internal(format!(
            "strconv.ParseUint: parsing {given:?}: invalid syntax"
        )));
    }
    Err(Failure::conflict(traits, text(old, &["metadata", "name"])))
}

fn validate(resource: Resource, name: &str, object: &mut Value) -> Result<(), Failure> {
    let causes = match resource {
        Resource::Events => rules::event(object),
        Resource::HorizontalPodAutoscalers => {
            autoscaler::default(object);
            autoscaler::validate(object)
        }
        _ => {
            let mut causes = crds::check(resource, object);
            causes.extend(scale::replicas_of_custom(resource.traits(), object));
            causes
        }
    };
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(resource.traits(), name, &causes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of RFC 7386, appendix A.
    #[test]
    fn merges_as_the_rfc_says() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }
}
