//! What a check looks at, however it was come by.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use serde_json::Value;

use crate::{
    config::Config,
    core::{Inventory, Now, Sample, Seen, Wall},
};

pub use crate::prometheus::{ScrapeTarget, Series};

/// Everything a check looks at. Plain values.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The configuration in force.
    pub config: Config,
    /// Where the facts are from.
    pub origin: Origin,
    /// When they were gathered.
    pub now: Now,
    /// The objects, as the API serves them.
    pub objects: Objects,
    /// What could not be read, so that there being none of it says nothing.
    pub unread: Vec<Unread>,
    /// The same objects as the loop knows them.
    pub inventory: Inventory,
    /// What the account may do, and whose that is. Empty from files.
    pub access: Vec<Access>,
    /// The account that `access` is about, as the API server names it; `None` from files, and where it does not say.
    pub account: Option<String>,
    /// What Prometheus says.
    pub prometheus: Prom,
}

/// Where facts are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A cluster and its Prometheus.
    Live {
        /// URL of the API server.
        cluster: String,
        /// Its version, where it says so: `v1.33.1`.
        version: Option<String>,
    },
    /// Files.
    Files {
        /// The folder with the manifests.
        objects: PathBuf,
        /// The file with the samples; `None`: only the objects are looked at.
        samples: Option<PathBuf>,
    },
}

/// An object, as the API serves it or a manifest has it, without its `managedFields`.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// API group; empty for the core group.
    pub group: String,
    /// Version of the API.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The whole object.
    pub json: Value,
    /// Where it stands, of one from a file: `dir/file.yaml, document 2`.
    pub place: Option<String>,
    /// When it was last changed by anything but a write of its status: the newest time in its `metadata.managedFields`;
    /// `None` where they are not known, as in files.
    pub changed: Option<Wall>,
}

impl Object {
    /// What stands at a JSON pointer (RFC 6901): `/spec/replicas`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.pointer(pointer)
    }

    /// Text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// A whole number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.at(pointer)?.as_i64()
    }

    /// An annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.json.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    /// A map of strings at a JSON pointer, such as labels; what is no string is left out.
    pub fn strings(&self, pointer: &str) -> BTreeMap<&str, &str> {
        let map = self.at(pointer).and_then(Value::as_object);
        let pairs = map.into_iter().flatten();
        pairs
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect()
    }

    /// Kind, namespace and name, for people: `Service llm/epp`.
    pub fn named(&self) -> String {
        match &*self.namespace {
            "" => format!("{} {}", self.kind, self.name),
            namespace => format!("{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// Objects by (group, kind), then by (namespace, name).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects(BTreeMap<(String, String), BTreeMap<(String, String), Object>>);

impl Objects {
    /// Adds an object; one of the same kind and name is replaced, and returned.
    pub fn add(&mut self, object: Object) -> Option<Object> {
        let kind = (object.group.clone(), object.kind.clone());
        let name = (object.namespace.clone(), object.name.clone());
        self.0.entry(kind).or_default().insert(name, object)
    }

    /// All objects of a kind in any version, in order of namespace and name. The core group is `""`.
    pub fn all(&self, group: &str, kind: &str) -> impl Iterator<Item = &Object> {
        let of_kind = self.0.get(&(group.to_owned(), kind.to_owned()));
        of_kind.into_iter().flat_map(BTreeMap::values)
    }

    /// Those of one namespace.
    pub fn within<'a>(
        &'a self,
        group: &str,
        kind: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let of_kind = self.0.get(&(group.to_owned(), kind.to_owned()));
        // The objects of a namespace stand together, and the empty name stands before any.
        let first = (namespace.to_owned(), String::new());
        let namespace = namespace.to_owned();
        of_kind
            .into_iter()
            .flat_map(move |of_kind| of_kind.range(first.clone()..))
            .take_while(move |((n, _), _)| *n == namespace)
            .map(|(_, object)| object)
    }

    /// One object.
    pub fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        let of_kind = self.0.get(&(group.to_owned(), kind.to_owned()))?;
        of_kind.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Every object.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.0.values().flat_map(BTreeMap::values)
    }

    /// The namespaces that any of them stands in.
    pub fn namespaces(&self) -> BTreeSet<&str> {
        let namespaces = self.iter().map(|object| object.namespace.as_str());
        namespaces.filter(|namespace| !namespace.is_empty()).collect()
    }
}

/// Objects that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; `None` for all.
    pub namespace: Option<String>,
    /// Why, in one line.
    pub why: String,
    /// Whether the API has no such kind: then there are none.
    pub absent: bool,
}

/// Whether the account may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Verb.
    pub verb: &'static str,
    /// API group.
    pub group: String,
    /// Resource, with its subresource: `deployments/scale`.
    pub resource: String,
    /// Namespace; `None` for all, and for what has none.
    pub namespace: Option<String>,
    /// What it is needed for.
    pub need: Need,
    /// The answer; `Err` says why there is none.
    pub allowed: Result<bool, String>,
}

/// What a permission is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it variants of some kind, or all, cannot be woken.
    Wake,
    /// Without it a wake goes through, and is not told of everywhere, or an option does not work: what is lost, in words.
    Option(&'static str),
    /// Nothing of ours needs it, and WVA's own engine does (design: it wakes every variant of a model where it may).
    Wva,
}

/// What Prometheus says. Each part is asked for by itself, so that one that fails hides no other.
#[derive(Clone, Debug, Default)]
pub struct Prom {
    /// The servers, as they may be shown.
    pub servers: Vec<String>,
    /// The rows of the demand query, or why there are none; `None` where it was not asked (files without samples).
    pub demand: Option<Result<Vec<Sample>, String>>,
    /// How long that query took; `None` from files.
    pub latency: Option<Duration>,
    /// Age in seconds of the freshest sample behind each row of demand; `None` where it cannot be known.
    pub ages: Option<Vec<Sample>>,
    /// What EPPs export even while nobody waits; `None` where it cannot be known.
    pub seen: Option<Vec<Seen>>,
    /// The series of the queue families and of the saturations beside them, each with all its labels.
    pub series: Vec<Series>,
    /// Why `series` says nothing.
    pub series_error: Option<String>,
    /// What Prometheus scrapes; `Err` where it does not say (Thanos, Mimir and others have no such API), `None` from files.
    pub targets: Option<Result<Vec<ScrapeTarget>, String>>,
    /// Its version, where it says so.
    pub version: Option<String>,
    /// By how many seconds its clock is ahead of ours, where known.
    pub clock_ahead: Option<f64>,
}
