//! The join: which variants each row of demand asks for (rules 2, 3, 7 and 10).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Blocked, Entry, Inventory, ModelKey, ObjectName, Row, Scope};

/// Demand with the variants it asks for, and demand that nothing answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joined {
    /// Demand that at least one variant in scope answers.
    pub asked: BTreeMap<ModelKey, Asked>,
    /// The rest, with the nearest reason.
    pub unanswered: Vec<Unanswered>,
}

/// Demand for one model behind one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Requests waiting.
    pub waiting: f64,
    /// The metric that said so.
    pub family: Option<Box<str>>,
}

/// A row that wakes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// The row.
    pub row: Row,
    /// Why.
    pub why: Blocked,
}

/// Joins rows with the inventory. `every_namespace` is `query.missingNamespace: all`.
pub fn join(inventory: &Inventory, rows: &[Row], every_namespace: bool) -> Joined {
    let mut joined = Joined::default();
    // Prometheus sees the whole cluster; demand of namespaces that are not watched is not ours to judge.
    let ours = |row: &&Row| row.namespace.as_ref().is_none_or(|ns| inventory.covers(ns));
    for row in rows.iter().filter(ours) {
        let keys = match &row.model {
            Some(model) => named(inventory, row, model, every_namespace),
            None => unnamed(inventory, row, every_namespace),
        };
        match keys {
            Ok(keys) => {
                for key in keys {
                    let asked = joined.asked.entry(key).or_insert_with(|| Asked {
                        waiting: 0.0,
                        family: row.family.clone(),
                    });
                    asked.waiting += row.waiting;
                }
            }
            Err(why) => joined.unanswered.push(Unanswered {
                row: row.clone(),
                why,
            }),
        }
    }
    joined
}

/// The variants of a model behind a pool, in scope or not.
pub(super) fn variants_of<'a>(
    inventory: &'a Inventory,
    key: &'a ModelKey,
) -> impl Iterator<Item = (&'a ObjectName, &'a Entry)> {
    let names = inventory.variants_in(&key.model, &key.namespace);
    names
        .filter_map(|name| Some((name, inventory.entry(name)?)))
        .filter(|(_, entry)| entry.pools.contains(&key.pool))
}

/// The keys that a row naming its model asks for.
fn named(
    inventory: &Inventory,
    row: &Row,
    model: &str,
    every_namespace: bool,
) -> Result<Vec<ModelKey>, Blocked> {
    if let Some(namespace) = row.namespace.as_deref() {
        let mut keys = Vec::new();
        let names = inventory.variants_in(model, namespace);
        let mut reasons = Reasons::default();
        for name in names {
            reasons.look(inventory, name, row, model, &mut keys);
        }
        return answer(keys, reasons.nearest.map(|(_, why)| why), || {
            elsewhere(inventory, model, namespace)
        });
    }
    let mut keys = Vec::new();
    let mut reasons = Reasons::default();
    let mut namespaces = 0;
    for (_, names) in inventory.variants_by_namespace(model) {
        for name in names {
            reasons.look(inventory, name, row, model, &mut keys);
        }
        // Who is out of scope counts here: the demand may be for that tenant's variant.
        let pool_holds = |e: &Entry| {
            row.pool
                .as_ref()
                .map_or(!e.pools.is_empty(), |p| e.pools.iter().any(|q| **q == **p))
        };
        namespaces += usize::from(names.iter().filter_map(|n| inventory.entry(n)).any(pool_holds));
    }
    if namespaces > 1 && !every_namespace {
        return Err(Blocked::AmbiguousNamespace);
    }
    answer(keys, reasons.nearest.map(|(_, why)| why), || {
        elsewhere(inventory, model, "")
    })
}

/// The keys that a row naming no model asks for: that of the only model there, if there is one.
fn unnamed(inventory: &Inventory, row: &Row, every_namespace: bool) -> Result<Vec<ModelKey>, Blocked> {
    let mut models: BTreeMap<&Arc<str>, BTreeSet<&Arc<str>>> = BTreeMap::new();
    for ((namespace, _), names) in inventory.variants_behind(row.namespace.as_deref(), row.pool.as_deref()) {
        let of = names
            .iter()
            .filter_map(|n| inventory.entry(n))
            .map(|e| &e.variant.model);
        models.entry(namespace).or_default().extend(of);
    }
    if models.len() > 1 && !every_namespace {
        return Err(Blocked::AmbiguousNamespace);
    }
    let mut keys = Vec::new();
    let mut reasons = Reasons::default();
    for (namespace, models) in &models {
        let [model] = models.iter().copied().collect::<Vec<_>>()[..] else {
            continue;
        };
        for name in inventory.variants_in(model, namespace) {
            reasons.look(inventory, name, row, model, &mut keys);
        }
    }
    answer(keys, reasons.nearest.map(|(_, why)| why), || {
        Blocked::UnnamedDemand
    })
}

fn answer(
    mut keys: Vec<ModelKey>,
    nearest: Option<Blocked>,
    otherwise: impl FnOnce() -> Blocked,
) -> Result<Vec<ModelKey>, Blocked> {
    if keys.is_empty() {
        return Err(nearest.unwrap_or_else(otherwise));
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// Why no variant of that very name stands in the namespace.
fn elsewhere(inventory: &Inventory, model: &str, namespace: &str) -> Blocked {
    let other = inventory
        .variants_by_namespace(model)
        .map(|(ns, _)| ns)
        .find(|ns| &***ns != namespace);
    if let Some(other) = other {
        return Blocked::WrongNamespace(other.clone());
    }
    if let Some(name) = inventory.same_but_for_case(model).next() {
        return Blocked::NameDiffersByCase(name.clone());
    }
    if model == "other" {
        Blocked::LabelOverflow
    } else {
        Blocked::NoVariant
    }
}

/// Looks at variants of the right name, and keeps the reason that is nearest to an answer.
#[derive(Default)]
struct Reasons {
    nearest: Option<(u8, Blocked)>,
}

impl Reasons {
    fn look(
        &mut self,
        inventory: &Inventory,
        name: &ObjectName,
        row: &Row,
        model: &str,
        keys: &mut Vec<ModelKey>,
    ) {
        let Some(entry) = inventory.entry(name) else {
            return;
        };
        let pools = entry
            .pools
            .iter()
            .filter(|p| row.pool.as_deref().is_none_or(|wanted| wanted == &***p));
        let why = match (&entry.scope, &entry.observed) {
            (Scope::Out(why), _) => (1, Blocked::OutOfScope(*why)),
            (Scope::In, Err(gone)) => (2, Blocked::Target(*gone)),
            (Scope::In, Ok(_)) => match entry.pools.first() {
                None => (3, Blocked::NoPool),
                Some(other) => {
                    let before = keys.len();
                    keys.extend(pools.map(|pool| ModelKey {
                        namespace: name.namespace.clone(),
                        pool: pool.clone(),
                        model: model.into(),
                    }));
                    if keys.len() > before {
                        return;
                    }
                    (4, Blocked::OtherPool(other.clone()))
                }
            },
        };
        if self.nearest.as_ref().is_none_or(|(rank, _)| *rank < why.0) {
            self.nearest = Some(why);
        }
    }
}
