//! Who owns which field: as much of server-side apply as the Lease of `kube-lease-manager` rests on.
//!
//! Two copies that find the Lease free both apply their name to it; the second is refused because
//! the first owns the field by then. Kept for Leases alone, whose `spec` is flat.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::failure::Failure;

/// The owners of one object's `spec` fields.
#[derive(Debug, Default)]
pub(super) struct Owners(BTreeMap<Owner, BTreeSet<String>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    manager: String,
    /// An apply and an update of one manager are two owners.
    applies: bool,
}

impl Owners {
    /// Takes note of an update: what it changed is now its manager's alone.
    pub fn updated(&mut self, manager: &str, old: &Value, new: &Value) {
        let owner = Owner {
            manager: manager.to_owned(),
            applies: false,
        };
        let (old, new) = (&old["spec"], &new["spec"]);
        for field in keys(old).chain(keys(new)).collect::<BTreeSet<_>>() {
            if old.get(field) == new.get(field) {
                continue;
            }
            for fields in self.0.values_mut() {
                fields.remove(field);
            }
            if new.get(field).is_some() {
                self.0.entry(owner.clone()).or_default().insert(field.clone());
            }
        }
        self.0.retain(|_, fields| !fields.is_empty());
    }

    /// Applies a configuration to an object: refused where another owns what it would change.
    pub fn apply(
        &mut self,
        manager: &str,
        force: bool,
        object: &Value,
        config: &Value,
    ) -> Result<Value, Failure> {
        let owner = Owner {
            manager: manager.to_owned(),
            applies: true,
        };
        let (old, wanted) = (&object["spec"], &config["spec"]);
        let mut conflicts = Vec::new();
        for (other, fields) in self.0.iter().filter(|(other, _)| **other != owner) {
            let version = config["apiVersion"].as_str().unwrap_or_default();
            let using = if other.applies {
                String::new()
            } else {
                format!(" using {version}")
            };
            let shown = format!("{:?}{using}", other.manager);
            let lost = fields.iter().filter(|field| {
                wanted
                    .get(field)
                    .is_some_and(|value| old.get(field) != Some(value))
            });
            conflicts.extend(lost.map(|field| (shown.clone(), format!(".spec.{field}"))));
        }
        if !conflicts.is_empty() && !force {
            conflicts.sort();
            return Err(Failure::apply_conflict(&conflicts));
        }

        let mut next = object.clone();
        let dropped = self.0.remove(&owner).unwrap_or_default();
        for field in dropped.iter().filter(|field| wanted.get(field).is_none()) {
            let shared = self.0.values().any(|fields| fields.contains(field));
            if let (false, Some(spec)) = (shared, next["spec"].as_object_mut()) {
                spec.remove(field);
            }
        }
        for field in keys(wanted) {
            if old.get(field) != wanted.get(field) {
                for fields in self.0.values_mut() {
                    fields.remove(field);
                }
            }
            next["spec"][field] = wanted[field].clone();
        }
        self.0.insert(owner, keys(wanted).cloned().collect());
        self.0.retain(|_, fields| !fields.is_empty());
        Ok(next)
    }
}

fn keys(spec: &Value) -> impl Iterator<Item = &String> {
    spec.as_object().into_iter().flat_map(|map| map.keys())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conflicts(result: Result<Value, Failure>) -> String {
        result.unwrap_err().message
    }

    /// The answers of kube-apiserver 1.37 to the same sequence.
    #[test]
    fn two_managers_and_one_field() {
        let config = |holder: &str| json!({"apiVersion": "coordination.k8s.io/v1", "spec": {"holderIdentity": holder, "renewTime": "1"}});
        let mut owners = Owners::default();
        let empty = json!({"spec": {}});
        let held = owners.apply("ma", false, &empty, &config("a")).unwrap();
        assert_eq!(
            conflicts(owners.apply("mb", false, &held, &config("b"))),
            "Apply failed with 1 conflict: conflict with \"ma\": .spec.holderIdentity"
        );
        let renewed = json!({"spec": {"holderIdentity": "a", "renewTime": "2"}});
        owners.updated("ma", &held, &renewed);
        assert_eq!(
            conflicts(owners.apply("mb", false, &renewed, &config("b"))),
            "Apply failed with 2 conflicts: conflicts with \"ma\":\n- .spec.holderIdentity\n\
             conflicts with \"ma\" using coordination.k8s.io/v1:\n- .spec.renewTime"
        );
        // The manager that updated a field is in its own way when it applies.
        assert_eq!(
            conflicts(owners.apply("ma", false, &renewed, &config("a"))),
            "Apply failed with 1 conflict: conflict with \"ma\" using coordination.k8s.io/v1: .spec.renewTime"
        );
        owners.updated("ma", &renewed, &empty);
        let taken = owners.apply("mb", false, &empty, &config("b")).unwrap();
        assert_eq!(taken["spec"]["holderIdentity"], "b");
        let forced = owners.apply("ma", true, &taken, &config("a")).unwrap();
        assert_eq!(forced["spec"]["holderIdentity"], "a");
    }
}
