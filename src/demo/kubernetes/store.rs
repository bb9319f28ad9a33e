//! The objects, and the bounded history of their changes that watches read.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::{
    failure::Failure,
    list::Snapshot,
    object,
    ownership::{self, Writer},
    resource::Resource,
    route::{Place, Subresource},
    scale,
};

/// An object at one resourceVersion, with the bytes that are sent of it.
#[derive(Debug)]
pub(super) struct Stored {
    pub value: Value,
    /// The whole object.
    pub json: Bytes,
    /// Where `json` goes on after `kind` and `apiVersion`, which lists of built-in kinds leave out.
    pub rest: usize,
    pub version: u64,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Modified,
    Deleted,
}

#[derive(Debug)]
pub(super) struct Record {
    pub change: Change,
    pub object: Arc<Stored>,
    /// The object before, if there was one.
    pub before: Option<Arc<Stored>>,
}

/// All objects of one kind.
#[derive(Debug)]
pub(super) struct Table {
    /// Whether the API serves the kind: a CRD may be missing.
    pub present: bool,
    /// How often the kind was taken away; watches of an earlier life end.
    pub life: u64,
    /// By `namespace/name`, which is the order of lists.
    pub objects: BTreeMap<String, Arc<Stored>>,
    pub history: VecDeque<Record>,
    /// The version of the last change that the history no longer holds.
    pub forgotten: u64,
    /// A new watch cannot start from an earlier version than this.
    pub since: u64,
}

#[derive(Debug)]
pub(super) struct Store {
    pub version: u64,
    tables: Vec<Table>,
    pub snapshots: VecDeque<(String, Arc<Snapshot>)>,
    capacity: usize,
    created: u64,
    /// Kinds that changed since it was last asked.
    changed: Vec<Resource>,
}

/// A PATCH by its content type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Patch {
    Merge,
    /// As a merge patch: the kinds that take it here have no lists with keys.
    Strategic,
    Apply {
        force: bool,
    },
}

impl Store {
    pub fn new(capacity: usize) -> Self {
        let table = || Table {
            present: true,
            life: 0,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            forgotten: 0,
            since: 0,
        };
        Self {
            version: 1,
            tables: Resource::ALL.iter().map(|_| table()).collect(),
            snapshots: VecDeque::new(),
            capacity,
            created: 0,
            changed: Vec::new(),
        }
    }

    pub fn table(&self, resource: Resource) -> &Table {
        &self.tables[resource as usize]
    }

    fn table_mut(&mut self, resource: Resource) -> &mut Table {
        &mut self.tables[resource as usize]
    }

    pub fn take_changed(&mut self) -> Vec<Resource> {
        std::mem::take(&mut self.changed)
    }

    pub fn get(&self, place: &Place) -> Result<Arc<Stored>, Failure> {
        let name = place.name.as_deref().unwrap_or_default();
        let found = self
            .table(place.resource)
            .objects
            .get(&key(place.namespace.as_deref(), name));
        found
            .cloned()
            .ok_or_else(|| Failure::not_found(place.resource.traits(), name))
    }

    pub fn create(&mut self, place: &Place, body: Value, manager: &str) -> Result<Arc<Stored>, Failure> {
        let namespace = place.namespace.as_deref();
        if let Some(namespace) = namespace
            && !self.table(Resource::Namespaces).objects.contains_key(namespace)
        {
            return Err(Failure::not_found(Resource::Namespaces.traits(), namespace));
        }
        self.created += 1;
        let uid = format!("00000000-0000-4000-8000-{:012x}", self.created);
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut value = object::create(place.resource, namespace, body, &uid, &now)?;
        let name = object::text(&value, &["metadata", "name"]).to_owned();
        let key = key(namespace, &name);
        if self.table(place.resource).objects.contains_key(&key) {
            return Err(Failure::already_exists(place.resource.traits(), &name));
        }
        let writer = Writer {
            manager,
            through: Subresource::Main,
        };
        ownership::updated(place.resource.traits(), writer, &Value::Null, &mut value);
        Ok(self.commit(place.resource, key, Change::Added, value))
    }

    /// A PUT: the whole object as it shall be.
    pub fn replace(&mut self, place: &Place, body: Value, manager: &str) -> Result<Arc<Stored>, Failure> {
        object::check_name(&body, place.name.as_deref().unwrap_or_default())?;
        let old = self.get(place)?;
        let traits = place.resource.traits();
        if place.subresource == Subresource::Scale {
            let next = scale::rescale(traits, &old.value, &body)?;
            return Ok(self.rescale(place, &old, next, manager));
        }
        if !traits.blind_update && object::text(&body, &["metadata", "resourceVersion"]).is_empty() {
            let why = "must be specified for an update";
            let cause = super::failure::Cause::invalid("metadata.resourceVersion", "0", why);
            let name = place.name.as_deref().unwrap_or_default();
            return Err(Failure::invalid_as(
                &traits.qualified(),
                traits.plural,
                traits.group,
                name,
                &[cause],
            ));
        }
        let next = object::update(place.resource, place.subresource, &old.value, body)?;
        Ok(self.settle(place, &old, next, place.writer(manager)))
    }

    pub fn patch(
        &mut self,
        place: &Place,
        kind: &Patch,
        body: &Value,
        manager: &str,
    ) -> Result<Arc<Stored>, Failure> {
        let old = self.get(place)?;
        let traits = place.resource.traits();
        if place.subresource == Subresource::Scale {
            let mut scale = scale::scale(traits, &old.value);
            object::merge(&mut scale, body);
            let next = scale::rescale(traits, &old.value, &scale)?;
            return Ok(self.rescale(place, &old, next, manager));
        }
        if let Patch::Apply { force } = kind {
            let applied = ownership::apply(traits, manager, *force, &old.value, body)?;
            let owners = applied["metadata"]["managedFields"].clone();
            let mut next = object::update(place.resource, place.subresource, &old.value, applied)?;
            next["metadata"]["managedFields"] = owners;
            return Ok(self.write(place, &old, next));
        }
        let mut next = old.value.clone();
        object::merge(&mut next, body);
        let next = object::update(place.resource, place.subresource, &old.value, next)?;
        Ok(self.settle(place, &old, next, place.writer(manager)))
    }

    pub fn delete(&mut self, place: &Place) -> Result<Arc<Stored>, Failure> {
        let old = self.get(place)?;
        let key = place_key(place);
        Ok(self.commit(place.resource, key, Change::Deleted, old.value.clone()))
    }

    /// Writes the next state of an object as it is, status and all.
    pub fn write(&mut self, place: &Place, old: &Arc<Stored>, next: Value) -> Arc<Stored> {
        if next == old.value {
            return Arc::clone(old);
        }
        self.commit(place.resource, place_key(place), Change::Modified, next)
    }

    /// Writes the next state of an object, in the name of a writer.
    pub fn settle(
        &mut self,
        place: &Place,
        old: &Arc<Stored>,
        mut next: Value,
        writer: Writer,
    ) -> Arc<Stored> {
        ownership::updated(place.resource.traits(), writer, &old.value, &mut next);
        self.write(place, old, next)
    }

    /// The same for a write through `/scale`.
    fn rescale(&mut self, place: &Place, old: &Arc<Stored>, mut next: Value, manager: &str) -> Arc<Stored> {
        ownership::rescaled(place.resource.traits(), manager, &old.value, &mut next);
        self.write(place, old, next)
    }

    fn commit(&mut self, resource: Resource, key: String, change: Change, mut value: Value) -> Arc<Stored> {
        self.version += 1;
        value["metadata"]["resourceVersion"] = self.version.to_string().into();
        let stored = Arc::new(Stored::new(value, self.version));
        let capacity = self.capacity;
        let table = self.table_mut(resource);
        let before = match change {
            Change::Deleted => table.objects.remove(&key),
            Change::Added | Change::Modified => table.objects.insert(key, Arc::clone(&stored)),
        };
        table.history.push_back(Record {
            change,
            object: Arc::clone(&stored),
            before,
        });
        if table.history.len() > capacity
            && let Some(oldest) = table.history.pop_front()
        {
            table.forgotten = oldest.object.version;
            table.since = table.since.max(table.forgotten);
        }
        self.changed.push(resource);
        stored
    }

    /// Forgets all changes up to now: what was the newest version until now is too old, too. Open
    /// watches go on, as long as they had seen everything.
    pub fn compact(&mut self) {
        self.version += 1;
        let version = self.version;
        for table in &mut self.tables {
            table.forget(version);
        }
        self.snapshots.clear();
    }

    /// Adds or removes a kind; with a kind go its objects, each seen to be deleted.
    pub fn set_present(&mut self, resource: Resource, present: bool) {
        if self.table(resource).present == present {
            return;
        }
        let objects = self.table(resource).objects.clone();
        for (key, object) in objects {
            self.commit(resource, key, Change::Deleted, object.value.clone());
        }
        self.version += 1;
        let version = self.version;
        let table = self.table_mut(resource);
        table.present = present;
        if present {
            table.forget(version);
        } else {
            table.life += 1;
        }
        self.snapshots.clear();
        self.changed.push(resource);
    }
}

impl Table {
    fn forget(&mut self, since: u64) {
        if let Some(last) = self.history.back() {
            self.forgotten = last.object.version;
        }
        self.history.clear();
        self.since = since;
    }
}

impl Stored {
    pub fn new(value: Value, version: u64) -> Self {
        let head = Value::from_iter([
            ("kind", value["kind"].clone()),
            ("apiVersion", value["apiVersion"].clone()),
        ]);
        let mut json = head.to_string().into_bytes();
        json.pop();
        json.push(b',');
        let rest = json.len();
        let body = value
            .as_object()
            .map(Rest)
            .and_then(|rest| serde_json::to_vec(&rest).ok());
        json.extend_from_slice(body.unwrap_or_default().get(1..).unwrap_or(b"}"));
        Self {
            value,
            json: json.into(),
            rest,
            version,
        }
    }
}

/// An object without `kind` and `apiVersion`.
struct Rest<'a>(&'a Map<String, Value>);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self
            .0
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion"))
        {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

pub(super) fn key(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

fn place_key(place: &Place) -> String {
    key(
        place.namespace.as_deref(),
        place.name.as_deref().unwrap_or_default(),
    )
}
