//! Who owns which field: `metadata.managedFields`, as kube-apiserver keeps them.
//!
//! A write takes the fields it changes from whoever had them. Two things about `/scale` are the real
//! server's and not obvious (seen on 1.37.2, alike for Deployments, StatefulSets and custom kinds):
//! - at 0 a Scale has no `spec.replicas`, so a write of 0 through it takes `replicas` from its owner
//!   and gives it to nobody;
//! - where nobody owns `replicas`, no write through `/scale` comes to own it. Only a write of the
//!   object itself does. Such an entry has no time, either.
//!
//! An object without managed fields stays so, unless something is applied to it. Lists are owned as a
//! whole, but for a few. Not played: a write through `/scale` that changes nothing,
//! by which the real server mangles the entry of the owner.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    failure::Failure,
    fields::{self, Fields, dotted, fields, path, remove},
    resource::Traits,
    route::Subresource,
};

/// Who writes, and through which part of the object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub manager: &'a str,
    pub through: Subresource,
}

/// What one manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    manager: String,
    /// An apply and an update of one manager are two entries.
    applies: bool,
    subresource: String,
    api_version: String,
    time: Option<String>,
    fields: Fields,
}

/// Takes note of a write that makes `new` of `old`, which is null for an object that is created.
pub(super) fn updated(traits: &Traits, writer: Writer, old: &Value, new: &mut Value) {
    let mut entries = decode(old);
    if old.is_null() || !entries.is_empty() {
        let (mut before, mut after) = (fields(traits, old), fields(traits, new));
        if traits.status && writer.through == Subresource::Main {
            // What is there of a status then is the server's own, or as it was.
            before.retain(|path, _| path[0] != "f:status");
            after.retain(|path, _| path[0] != "f:status");
        }
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        let changed: Fields = after
            .iter()
            .filter(|(path, value)| before.get(*path) != Some(value))
            .map(|(path, _)| path.clone())
            .collect();
        take(&mut entries, gone.chain(&changed));
        if !changed.is_empty() {
            claim(&mut entries, traits, writer, changed);
        }
    }
    encode(entries, new);
}

/// Takes note of a write through `/scale`.
pub(super) fn rescaled(traits: &Traits, manager: &str, old: &Value, new: &mut Value) {
    let mut entries = decode(old);
    let replicas = path(&["f:spec", "f:replicas"]);
    let number = |object: &Value| object["spec"]["replicas"].as_u64().unwrap_or_default();
    if number(old) != number(new) {
        let owned = entries.iter().any(|entry| entry.fields.contains(&replicas));
        take(&mut entries, [&replicas]);
        if owned && number(new) > 0 {
            entries.push(Entry {
                manager: manager.to_owned(),
                applies: false,
                subresource: "scale".to_owned(),
                api_version: traits.api_version(),
                time: None,
                fields: Fields::from([replicas]),
            });
        }
    }
    encode(entries, new);
}

/// Applies a configuration to an object: refused where another owns what it would change.
pub(super) fn apply(
    traits: &Traits,
    manager: &str,
    force: bool,
    object: &Value,
    config: &Value,
) -> Result<Value, Failure> {
    let mut entries = decode(object);
    let config = &without_status(traits, config);
    let mine = |entry: &Entry| entry.applies && entry.manager == manager && entry.subresource.is_empty();
    let (live, wanted) = (fields(traits, object), fields(traits, config));
    if wanted.keys().flatten().any(|segment| segment.starts_with("k:")) {
        let message = "this embedded API merges no lists when something is applied";
        return Err(Failure::bad_request(message));
    }
    let changed: Fields = wanted
        .iter()
        .filter(|(path, value)| live.get(*path) != Some(value))
        .map(|(path, _)| path.clone())
        .collect();
    let mut conflicts = Vec::new();
    for entry in entries.iter().filter(|entry| !mine(entry)) {
        let lost = entry
            .fields
            .intersection(&changed)
            .map(|path| (entry.shown(), dotted(path)));
        conflicts.extend(lost);
    }
    if !conflicts.is_empty() && !force {
        conflicts.sort();
        return Err(Failure::apply_conflict(&conflicts));
    }
    let mut next = object.clone();
    let before: Fields = entries
        .iter()
        .filter(|entry| mine(entry))
        .flat_map(|entry| entry.fields.clone())
        .collect();
    entries.retain(|entry| !mine(entry));
    for path in before.iter().filter(|path| !wanted.contains_key(*path)) {
        if !entries.iter().any(|entry| entry.fields.contains(path)) {
            remove(&mut next, path);
        }
    }
    for key in ["metadata", "spec"] {
        if let Some(part) = config.get(key) {
            super::object::merge(&mut next[key], part);
        }
    }
    take(&mut entries, &changed);
    let fields: Fields = wanted.into_keys().collect();
    let kept = fields == before && changed.is_empty();
    let time = decode(object)
        .into_iter()
        .find(|entry| mine(entry))
        .and_then(|entry| entry.time);
    entries.push(Entry {
        manager: manager.to_owned(),
        applies: true,
        subresource: String::new(),
        api_version: traits.api_version(),
        time: time.filter(|_| kept).or_else(|| Some(now())),
        fields,
    });
    encode(entries, &mut next);
    Ok(next)
}

/// A configuration without the part that is not to be had this way.
fn without_status(traits: &Traits, config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(map) = config.as_object_mut().filter(|_| traits.status) {
        map.remove("status");
    }
    config
}

impl Entry {
    /// As messages about conflicts name it.
    fn shown(&self) -> String {
        // Text takes whatever is written to it.
        let mut shown = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            let _ = write!(shown, " with subresource {:?}", self.subresource);
        }
        if !self.applies {
            let _ = write!(shown, " using {}", self.api_version);
        }
        shown
    }
}

/// Takes fields from whoever has them.
fn take<'a>(entries: &mut Vec<Entry>, fields: impl IntoIterator<Item = &'a fields::Path>) {
    for path in fields {
        for entry in entries.iter_mut() {
            entry.fields.remove(path);
        }
    }
    entries.retain(|entry| !entry.fields.is_empty());
}

/// Gives fields to a writer.
fn claim(entries: &mut Vec<Entry>, traits: &Traits, writer: Writer, fields: Fields) {
    let subresource = match writer.through {
        Subresource::Main => "",
        Subresource::Status => "status",
        Subresource::Scale => "scale",
    };
    let same = |entry: &&mut Entry| {
        !entry.applies && entry.manager == writer.manager && entry.subresource == subresource
    };
    if let Some(entry) = entries.iter_mut().find(same) {
        entry.fields.extend(fields);
        entry.time = Some(now());
        return;
    }
    entries.push(Entry {
        manager: writer.manager.to_owned(),
        applies: false,
        subresource: subresource.to_owned(),
        api_version: traits.api_version(),
        time: Some(now()),
        fields,
    });
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn decode(object: &Value) -> Vec<Entry> {
    let entries = object["metadata"]["managedFields"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let decoded = entries.into_iter().flatten().map(|entry| Entry {
        manager: text(&entry["manager"]),
        applies: entry["operation"] == "Apply",
        subresource: text(&entry["subresource"]),
        api_version: text(&entry["apiVersion"]),
        time: entry["time"].as_str().map(str::to_owned),
        fields: fields::decode(&entry["fieldsV1"]),
    });
    decoded.collect()
}

/// Writes the entries in the order of the real server: applies first, then the oldest.
fn encode(mut entries: Vec<Entry>, object: &mut Value) {
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    if entries.is_empty() {
        metadata.remove("managedFields");
        return;
    }
    let order = |entry: &Entry| {
        let (time, manager) = (entry.time.clone(), entry.manager.clone());
        (!entry.applies, time, manager, entry.subresource.clone())
    };
    entries.sort_by_key(order);
    let encoded: Vec<Value> = entries.iter().map(encode_entry).collect();
    metadata.insert("managedFields".to_owned(), encoded.into());
}

fn encode_entry(entry: &Entry) -> Value {
    let tree = fields::encode(&entry.fields);
    let mut encoded = json!({
        "manager": entry.manager, "operation": if entry.applies { "Apply" } else { "Update" },
        "apiVersion": entry.api_version, "fieldsType": "FieldsV1", "fieldsV1": tree,
    });
    if let Some(time) = &entry.time {
        encoded["time"] = time.as_str().into();
    }
    if !entry.subresource.is_empty() {
        encoded["subresource"] = entry.subresource.as_str().into();
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::kubernetes::resource::Resource;

    fn apply_to(object: &Value, manager: &str, force: bool, config: &Value) -> Result<Value, Failure> {
        apply(Resource::Leases.traits(), manager, force, object, config)
    }

    fn conflicts(result: Result<Value, Failure>) -> String {
        result.unwrap_err().message
    }

    /// The answers of kube-apiserver 1.37 to the same sequence.
    #[test]
    fn two_managers_and_one_field() {
        let config = |holder: &str| json!({"apiVersion": "coordination.k8s.io/v1", "spec": {"holderIdentity": holder, "renewTime": "1"}});
        let update = |old: &Value, spec: Value| {
            let writer = Writer {
                manager: "ma",
                through: Subresource::Main,
            };
            let mut new = old.clone();
            new["spec"] = spec;
            updated(Resource::Leases.traits(), writer, old, &mut new);
            new
        };
        let empty = json!({"metadata": {}, "spec": {}});
        let held = apply_to(&empty, "ma", false, &config("a")).unwrap();
        assert_eq!(
            conflicts(apply_to(&held, "mb", false, &config("b"))),
            "Apply failed with 1 conflict: conflict with \"ma\": .spec.holderIdentity"
        );
        let renewed = update(&held, json!({"holderIdentity": "a", "renewTime": "2"}));
        assert_eq!(
            conflicts(apply_to(&renewed, "mb", false, &config("b"))),
            "Apply failed with 2 conflicts: conflicts with \"ma\":\n- .spec.holderIdentity\n\
             conflicts with \"ma\" using coordination.k8s.io/v1:\n- .spec.renewTime"
        );
        // The manager that updated a field is in its own way when it applies.
        assert_eq!(
            conflicts(apply_to(&renewed, "ma", false, &config("a"))),
            "Apply failed with 1 conflict: conflict with \"ma\" using coordination.k8s.io/v1: .spec.renewTime"
        );
        let free = update(&renewed, json!({}));
        let taken = apply_to(&free, "mb", false, &config("b")).unwrap();
        assert_eq!(taken["spec"]["holderIdentity"], "b");
        let forced = apply_to(&taken, "ma", true, &config("a")).unwrap();
        assert_eq!(forced["spec"]["holderIdentity"], "a");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut object = json!({
            "metadata": {"name": "a", "labels": {"l": "1"}},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "replicas": 0, "containers": [{"name": "c", "image": "i"}]},
        });
        let writer = Writer {
            manager: "m",
            through: Subresource::Main,
        };
        updated(Resource::Deployments.traits(), writer, &Value::Null, &mut object);
        let owned = &object["metadata"]["managedFields"][0]["fieldsV1"];
        let expected = json!({
            "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
            "f:spec": {
                "f:replicas": {}, "f:selector": {},
                "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}}},
            },
        });
        assert_eq!(*owned, expected);
        let again = decode(&object);
        assert_eq!(again.len(), 1);
        assert_eq!(encode_entry(&again[0]), object["metadata"]["managedFields"][0]);
    }
}
