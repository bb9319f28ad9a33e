//! Lists: which objects are meant, from which state of the cluster, in pages of what size.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    failure::Failure,
    resource::Resource,
    route::Place,
    store::{Store, Stored},
};

/// Snapshots held for lists under way; the one untouched for longest goes first.
const SNAPSHOTS: usize = 64;

/// The query string of a request.
pub(super) type Query = HashMap<String, String>;

/// A list as of one version, held while a client reads it page by page.
#[derive(Debug)]
pub(super) struct Snapshot {
    version: u64,
    items: Vec<Arc<Stored>>,
    /// Whether a selector chose them; the number of remaining items is then not told.
    selected: bool,
}

/// Which objects of a collection are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub namespace: Option<String>,
    fields: Vec<(Field, bool, String)>,
    labels: Vec<(String, bool, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
}

impl Selection {
    /// Reads `fieldSelector`, of name and namespace, and `labelSelector`, with `=`, `==` and `!=`.
    pub fn new(place: &Place, query: &Query) -> Result<Self, Failure> {
        let mut fields = Vec::new();
        let selector = query.get("fieldSelector").map(String::as_str).unwrap_or_default();
        for term in selector.split(',').filter(|term| !term.is_empty()) {
            let Some((field, value)) = term.split_once('=') else {
                return Err(Failure::bad_request(format!(
                    "invalid selector: '{selector}'; can't understand '{term}'"
                )));
            };
            let (field, equal) = field
                .strip_suffix('!')
                .map_or((field, true), |field| (field, false));
            let field = match field {
                "metadata.name" => Field::Name,
                "metadata.namespace" => Field::Namespace,
                other if place.resource.traits().custom => {
                    return Err(Failure::bad_request(format!(
                        "field label not supported: {other}"
                    )));
                }
                other => {
                    return Err(Failure::bad_request(format!(
                        "{other:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    )));
                }
            };
            fields.push((field, equal, value.strip_prefix('=').unwrap_or(value).to_owned()));
        }
        Ok(Self {
            namespace: place.namespace.clone(),
            fields,
            labels: labels(query)?,
        })
    }

    pub fn takes(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        self.namespace
            .as_ref()
            .is_none_or(|namespace| metadata["namespace"] == **namespace)
            && self.fields.iter().all(|(field, equal, value)| {
                let found = match field {
                    Field::Name => &metadata["name"],
                    Field::Namespace => &metadata["namespace"],
                };
                (found.as_str().unwrap_or_default() == value) == *equal
            })
            && self
                .labels
                .iter()
                .all(|(key, equal, value)| (metadata["labels"][key] == **value) == *equal)
    }
}

/// Reads `labelSelector`: key, whether it shall be equal, value.
fn labels(query: &Query) -> Result<Vec<(String, bool, String)>, Failure> {
    let selector = query.get("labelSelector").map(String::as_str).unwrap_or_default();
    if selector.trim().is_empty() {
        return Ok(Vec::new());
    }
    let read = |term: &str| {
        let (key, value) = term.split_once('=')?;
        let (key, equal) = key.strip_suffix('!').map_or((key, true), |key| (key, false));
        let (key, value) = (key.trim(), value.strip_prefix('=').unwrap_or(value).trim());
        let word = |text: &str| {
            let odd = |byte: u8| !(byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
            !text.bytes().any(odd)
        };
        (!key.is_empty() && word(key) && word(value)).then(|| (key.to_owned(), equal, value.to_owned()))
    };
    let terms = selector.split(',').map(read);
    terms.collect::<Option<_>>().ok_or_else(|| {
        Failure::bad_request(format!(
            "this embedded API knows labelSelectors of key=value and key!=value alone, not {selector:?}"
        ))
    })
}

/// The number of a query parameter; absent or empty is `None`.
pub(super) fn number(query: &Query, key: &str) -> Result<Option<u64>, Failure> {
    let Some(text) = query.get(key).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) => Err(Failure::bad_request(format!(
            "strconv.ParseInt: parsing {text:?}: invalid syntax"
        ))),
    }
}

/// The resourceVersion asked for; absent is `None`.
pub(super) fn version(query: &Query) -> Result<Option<u64>, String> {
    let Some(text) = query.get("resourceVersion").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |_| {
        format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        )
    };
    text.parse().map(Some).map_err(wrong)
}

/// Answers a list, or one page of it.
pub(super) fn list(store: &mut Store, place: &Place, query: &Query) -> Result<Bytes, Failure> {
    let selection = Selection::new(place, query)?;
    let limit = number(query, "limit")?
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    let version =
        version(query).map_err(|why| Failure::bad_request(format!("invalid resource version: {why}")))?;
    let scope = format!("{:?} {selection:?}", place.resource);
    let (snapshot, start) = match query.get("continue").filter(|token| !token.is_empty()) {
        Some(_) if version.is_some_and(|version| version > 0) => {
            return Err(Failure::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        Some(token) => resume(store, &scope, token)?,
        None => {
            check_version(store, place.resource, version, query)?;
            (Arc::new(snapshot(store, place.resource, &selection)), 0)
        }
    };
    // A list from "any" version comes from a cache, which knows no pages.
    let limit = limit.filter(|_| version != Some(0)).unwrap_or(usize::MAX);
    let end = snapshot.items.len().min(start.saturating_add(limit));
    let mut metadata = json!({"resourceVersion": snapshot.version.to_string()});
    if end < snapshot.items.len() {
        hold(store, scope, &snapshot);
        metadata["continue"] = format!("{}.{end}", snapshot.version).into();
        if !snapshot.selected {
            metadata["remainingItemCount"] = (snapshot.items.len() - end).into();
        }
    } else if place.resource.traits().custom {
        metadata["continue"] = "".into();
    }
    Ok(body(place.resource, &metadata, &snapshot.items[start..end]))
}

fn snapshot(store: &Store, resource: Resource, selection: &Selection) -> Snapshot {
    let objects = store.table(resource).objects.values();
    let items = objects
        .filter(|object| selection.takes(&object.value))
        .cloned()
        .collect();
    Snapshot {
        version: store.version,
        items,
        selected: !(selection.fields.is_empty() && selection.labels.is_empty()),
    }
}

/// Finds the snapshot that a continue token speaks of, and where to go on in it.
fn resume(store: &Store, scope: &str, token: &str) -> Result<(Arc<Snapshot>, usize), Failure> {
    let parts = token
        .split_once('.')
        .and_then(|(version, start)| Some((version.parse::<u64>().ok()?, start.parse::<usize>().ok()?)));
    let Some((version, start)) = parts else {
        return Err(Failure::bad_request(
            "invalid continue token: continue key is not valid",
        ));
    };
    let held = store
        .snapshots
        .iter()
        .find(|(of, snapshot)| of == scope && snapshot.version == version);
    match held {
        Some((_, snapshot)) if start <= snapshot.items.len() => Ok((Arc::clone(snapshot), start)),
        _ => Err(Failure::expired(
            "The provided continue parameter is too old to display a consistent list result. \
             You can start a new list without the continue parameter.",
        )),
    }
}

fn hold(store: &mut Store, scope: String, snapshot: &Arc<Snapshot>) {
    store
        .snapshots
        .retain(|(of, held)| !(*of == scope && held.version == snapshot.version));
    store.snapshots.push_back((scope, Arc::clone(snapshot)));
    if store.snapshots.len() > SNAPSHOTS {
        store.snapshots.pop_front();
    }
}

fn check_version(
    store: &Store,
    resource: Resource,
    version: Option<u64>,
    query: &Query,
) -> Result<(), Failure> {
    let Some(version) = version.filter(|version| *version > 0) else {
        return Ok(());
    };
    if version > store.version {
        return Err(Failure::version_too_large(version, store.version));
    }
    // No older state is kept, so an exact one can be had only while nothing has changed since.
    let last = store
        .table(resource)
        .history
        .back()
        .map_or(0, |record| record.object.version);
    if query
        .get("resourceVersionMatch")
        .is_some_and(|kind| kind == "Exact")
        && version < last
    {
        return Err(Failure::expired(
            "The resourceVersion for the provided list is too old.",
        ));
    }
    Ok(())
}

fn body(resource: Resource, metadata: &Value, items: &[Arc<Stored>]) -> Bytes {
    let traits = resource.traits();
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
        traits.kind,
        traits.api_version()
    );
    let size = items.iter().map(|item| item.json.len() + 1).sum::<usize>();
    let mut body = Vec::with_capacity(head.len() + size + 2);
    body.extend_from_slice(head.as_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        if traits.custom {
            body.extend_from_slice(&item.json);
        } else {
            body.push(b'{');
            body.extend_from_slice(&item.json[item.rest..]);
        }
    }
    body.extend_from_slice(b"]}");
    body.into()
}
