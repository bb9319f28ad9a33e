//! The fields of an object as `FieldsV1` names them. Lists are one field as a whole, but for those
//! whose items are told apart by a key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::resource::Traits;

/// Fields of the metadata that nobody owns.
const UNOWNED: [&str; 7] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
];

/// The way to a field in the notation of `FieldsV1`: `f:spec`, `f:replicas`.
pub(super) type Path = Vec<String>;
/// Fields; one that has others in it may be owned with or without them.
pub(super) type Fields = BTreeSet<Path>;

/// A way in that notation.
pub(super) fn path(segments: &[&str]) -> Path {
    segments.iter().map(|segment| (*segment).to_owned()).collect()
}

/// `.spec.replicas`.
pub(super) fn dotted(path: &Path) -> String {
    let plain = path
        .iter()
        .map(|segment| segment.strip_prefix("f:").unwrap_or(segment));
    plain.flat_map(|segment| [".", segment]).collect()
}

/// Removes a field from an object.
pub(super) fn remove(object: &mut Value, path: &Path) {
    let Some((last, way)) = path.split_last() else {
        return;
    };
    let parent = way.iter().try_fold(object, |value, segment| {
        value.get_mut(segment.strip_prefix("f:").unwrap_or(segment))
    });
    if let Some(map) = parent.and_then(Value::as_object_mut) {
        map.remove(last.strip_prefix("f:").unwrap_or(last));
    }
}

/// All fields of an object that can be owned, with the values of those that hold no others.
pub(super) fn fields<'a>(traits: &Traits, object: &'a Value) -> BTreeMap<Path, Option<&'a Value>> {
    let mut found = BTreeMap::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        let at = vec![format!("f:{key}")];
        match key.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if !UNOWNED.contains(&key.as_str()) {
                        walk(traits, key, value, below(&at, format!("f:{key}")), &mut found);
                    }
                }
            }
            key => walk(traits, key, value, at, &mut found),
        }
    }
    found
}

fn below(path: &Path, segment: String) -> Path {
    let mut path = path.clone();
    path.push(segment);
    path
}

fn walk<'a>(
    traits: &Traits,
    key: &str,
    value: &'a Value,
    at: Path,
    found: &mut BTreeMap<Path, Option<&'a Value>>,
) {
    match value {
        Value::Null => {}
        Value::Object(map) if !map.is_empty() && (traits.custom || key != "selector") => {
            // Of built-in kinds the known structures are nobody's, only what users fill is.
            if traits.custom || matches!(key, "labels" | "annotations") {
                found.insert(at.clone(), None);
            }
            for (key, value) in map {
                walk(traits, key, value, below(&at, format!("f:{key}")), found);
            }
        }
        Value::Array(items) if !items.is_empty() && key_of(traits, key).is_some() => {
            if key != "containers" {
                found.insert(at.clone(), None);
            }
            let name = key_of(traits, key).unwrap_or_default();
            for item in items {
                let at = below(&at, format!("k:{}", json!({name: item[name]})));
                found.insert(at.clone(), None);
                for (key, value) in item.as_object().into_iter().flatten() {
                    walk(traits, key, value, below(&at, format!("f:{key}")), found);
                }
            }
        }
        value => {
            found.insert(at, Some(value));
        }
    }
}

/// What tells the items of a list apart that are owned one by one.
fn key_of(traits: &Traits, list: &str) -> Option<&'static str> {
    match list {
        "conditions" if !traits.custom || traits.kind == "VariantAutoscaling" => Some("type"),
        "containers" | "initContainers" | "env" if !traits.custom => Some("name"),
        _ => None,
    }
}

/// Reads a tree such as `{"f:spec": {"f:replicas": {}}}`.
pub(super) fn decode(tree: &Value) -> Fields {
    let mut fields = Fields::new();
    gather(tree, &Path::new(), &mut fields);
    fields
}

fn gather(tree: &Value, at: &Path, fields: &mut Fields) {
    for (segment, tree) in tree
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(segment, _)| *segment != ".")
    {
        let at = below(at, segment.clone());
        let holds = tree.as_object().is_some_and(|map| !map.is_empty());
        gather(tree, &at, fields);
        if !holds || tree.get(".").is_some() {
            fields.insert(at);
        }
    }
}

/// Writes such a tree.
pub(super) fn encode(fields: &Fields) -> Value {
    let mut tree = Value::Object(Map::new());
    for path in fields {
        let node = path
            .iter()
            .fold(&mut tree, |node, segment| &mut node[segment.as_str()]);
        if node.is_null() {
            *node = json!({});
        }
    }
    // In the order of paths a field comes before those in it: what has got some has to be marked.
    for path in fields {
        let node = path
            .iter()
            .fold(&mut tree, |node, segment| &mut node[segment.as_str()]);
        if node.as_object().is_some_and(|map| !map.is_empty()) {
            node["."] = json!({});
        }
    }
    tree
}
