//! The `autoscaling/v1` Scale of an object: how it is shown, and what a write of it does.

use serde_json::{Map, Value, json};

use super::{
    failure::{Cause, Failure},
    object::{check_version, raise_generation, text},
    resource::{Traits, WORKLOAD},
};

/// A custom kind with a Scale may not have fewer replicas than none.
pub(super) fn replicas_of_custom(traits: &Traits, object: &Value) -> Option<Cause> {
    let replicas = object["spec"]["replicas"]
        .as_i64()
        .filter(|replicas| *replicas < 0)?;
    (traits.custom && traits.scale.is_some()).then(|| {
        let why = "should be a non-negative integer";
        Cause::invalid(".spec.replicas", &replicas.to_string(), why)
    })
}

/// Refuses to show the Scale of a custom object that does not say how many replicas it wants.
pub(super) fn check(traits: &Traits, object: &Value) -> Result<(), Failure> {
    if !traits.custom || !object["spec"]["replicas"].is_null() {
        return Ok(());
    }
    let why = "the spec replicas field \".spec.replicas\" does not exist";
    Err(Failure {
        details: json!({"causes": [{"message": why}]}),
        ..Failure::new(500, "InternalError", format!("Internal error occurred: {why}"))
    })
}

/// The `autoscaling/v1` Scale of an object. At zero it has no `spec.replicas`, as the real one.
pub(super) fn scale(traits: &Traits, object: &Value) -> Value {
    let metadata: Map<String, Value> = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), object["metadata"].get(key)?.clone())))
        .collect();
    let mut spec = json!({});
    if let Some(replicas) = object["spec"]["replicas"]
        .as_u64()
        .filter(|replicas| *replicas > 0)
    {
        spec["replicas"] = replicas.into();
    }
    let shown = traits.scale.unwrap_or(WORKLOAD);
    let mut status = json!({"replicas": object["status"][shown.replicas].as_u64().unwrap_or_default()});
    let selector = match shown.selector {
        Some(field) => text(object, &["status", field]).to_owned(),
        None => selector(object),
    };
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": metadata, "spec": spec, "status": status,
    })
}

/// The labels that choose the pods of a workload, as text.
fn selector(object: &Value) -> String {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let terms: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    terms.join(",")
}

/// Makes a Scale the next state of the object it belongs to.
pub(super) fn rescale(traits: &Traits, old: &Value, scale: &Value) -> Result<Value, Failure> {
    let name = text(old, &["metadata", "name"]);
    let replicas = match &scale["spec"]["replicas"] {
        Value::Null => 0,
        replicas => replicas.as_i64().ok_or_else(|| {
            let cause = Cause::invalid("patch", &replicas.to_string(), "spec.replicas is no whole number");
            Failure::invalid_as("", "", "", "", &[cause])
        })?,
    };
    if traits.custom {
        let wanted = json!({"spec": {"replicas": replicas}});
        if let Some(cause) = replicas_of_custom(traits, &wanted) {
            return Err(Failure::invalid(traits, name, &[cause]));
        }
    }
    if replicas < 0 {
        let why = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &replicas.to_string(), why);
        return Err(Failure::invalid_as(
            "Scale.autoscaling",
            "Scale",
            "autoscaling",
            name,
            &[cause],
        ));
    }
    let (given, uid) = (text(scale, &["metadata", "uid"]), text(old, &["metadata", "uid"]));
    if !given.is_empty() && given != uid {
        let mut failure = Failure::conflict(traits, name);
        let shown = format!("{}/scale.{}", traits.plural, traits.group);
        failure.message = format!(
            "Operation cannot be fulfilled on {shown} {name:?}: Precondition failed: \
             UID in precondition: {given}, UID in object meta: {uid}"
        );
        failure.details["kind"] = format!("{}/scale", traits.plural).into();
        return Err(failure);
    }
    check_version(traits, old, scale)?;
    let mut next = old.clone();
    next["spec"]["replicas"] = replicas.into();
    raise_generation(traits, old, &mut next);
    Ok(next)
}
