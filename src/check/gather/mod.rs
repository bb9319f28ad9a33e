//! How [`Facts`](super::Facts) are come by: from a cluster and its Prometheus, or from files.
//!
//! What cannot be had of one part is told in that part, so that the rest is checked all the same: `unread` for objects,
//! an `Err` for each part of Prometheus. Only where nothing could be checked at all is it a [`GatherError`].
//!
//! - `live`: the cluster. `epp`: what stands around the endpoint pickers. `access`: what the account may do, by the table in
//!   `needs`. `prometheus`: what Prometheus says.
//! - `files`: manifests in a folder; `samples`: the metrics in a file.
//! - `inventory`: the objects as the loop knows them, by the decoders of its own watches.

mod access;
mod epp;
mod error;
mod files;
mod inventory;
mod live;
mod needs;
mod prometheus;
mod samples;

use std::collections::BTreeSet;

#[cfg(test)]
pub(super) use self::inventory::inventory;
pub use self::{error::GatherError, files::files, live::live};
use serde_json::Value;

use super::{Object, near::nearest};
use crate::core::{Inventory, VariantKey, Wall};

/// What is wanted: `-n NAMESPACE [NAME]`. It limits what is read, not what is known of a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The one namespace that is looked at; `None`: all that the configuration has in scope. From files, also the
    /// namespace of objects that name none.
    pub namespace: Option<String>,
    /// The one variant that is asked for.
    pub name: Option<String>,
}

/// Whose rights are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Those of whoever checks.
    #[default]
    Myself,
    /// Those of an account, such as the one that the program runs under. Only who may review access can ask.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Wanted {
    /// Whether the namespace can be one: it becomes part of a path.
    fn check(&self) -> Result<(), GatherError> {
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            (1..=63).contains(&name.len()) && name.chars().all(fits)
        };
        match &self.namespace {
            Some(name) if !is_name(name) => Err(GatherError::NamespaceName(name.clone())),
            _ => Ok(()),
        }
    }

    /// Whether the variant asked for is there.
    fn find(&self, inventory: &Inventory) -> Result<(), GatherError> {
        let Some(name) = &self.name else { return Ok(()) };
        let within = |key: &&VariantKey| {
            self.namespace
                .as_deref()
                .is_none_or(|n| *key.name.namespace == *n)
        };
        let names: BTreeSet<_> = inventory
            .entries()
            .map(|(key, _)| key)
            .filter(within)
            .map(|key| &*key.name.name)
            .collect();
        if names.contains(&**name) {
            return Ok(());
        }
        let near = nearest(name, names);
        Err(GatherError::NoVariant {
            namespace: self.namespace.clone().unwrap_or_else(|| "any namespace".into()),
            name: name.clone(),
            near: near.map(ToOwned::to_owned),
        })
    }
}

/// An object, if it says what it is.
fn object(mut json: Value, place: Option<String>) -> Option<Object> {
    let changed = changed(&mut json);
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let api_version = text("/apiVersion")?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Some(Object {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text("/kind")?.to_owned(),
        namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
        name: text("/metadata/name")?.to_owned(),
        place,
        changed,
        json,
    })
}

/// When it was last changed by anything but a write of its status. The `managedFields` that say so go.
fn changed(json: &mut Value) -> Option<Wall> {
    let writes = json
        .get_mut("metadata")?
        .as_object_mut()?
        .remove("managedFields")?;
    let writes = writes.as_array()?.iter();
    let times = writes
        .filter(|write| write["subresource"] != "status")
        .filter_map(|write| write["time"].as_str()?.parse().ok());
    times.max()
}
