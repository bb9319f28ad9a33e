//! The join: which variants each row of demand asks for (rules 2, 3, 7 and 10).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Blocked, Entry, Few, Inventory, Map, ModelKey, OutOfScope, Row, Rules, Scope, Unmatched, VariantKey,
    maps::map_for,
};

/// Demand with the variants it asks for, and demand that nothing answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joined {
    /// Demand that at least one variant in scope answers.
    pub asked: Map<ModelKey, Asked>,
    /// The rest, with the nearest reason, but for what a variant out of scope serves.
    pub unanswered: Vec<Unanswered>,
}

/// Demand for one model behind one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Requests waiting.
    pub waiting: f64,
    /// The metric that said so.
    pub family: Option<Arc<str>>,
}

/// A row that wakes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// The row.
    pub row: Row,
    /// Why.
    pub why: Blocked,
    /// The variant that it is nearest to, if it is to any.
    pub variant: Option<VariantKey>,
}

/// Joins rows with the inventory.
pub fn join(inventory: &Inventory, rows: &[Row], rules: &Rules) -> Joined {
    let mut joined = Joined {
        asked: map_for(rows.len()),
        unanswered: Vec::new(),
    };
    let mut families = Families::default();
    // Prometheus sees the whole cluster; demand of namespaces that are not watched is not ours to judge.
    let ours = |row: &&Row| row.namespace.as_ref().is_none_or(|ns| inventory.covers(ns));
    for row in rows.iter().filter(ours) {
        let keys = match &row.model {
            Some(model) => named(inventory, row, model, rules.every_namespace),
            None => unnamed(inventory, row, rules.every_namespace),
        };
        let keys = keys.or_else(|why| {
            let unmatched = why.as_ref().is_some_and(|(why, _)| why.is_unmatched());
            let pool = (unmatched && rules.unmatched == Unmatched::Pool)
                .then(|| of_the_pool(inventory, row, rules.every_namespace));
            pool.flatten().unwrap_or(Err(why))
        });
        match keys {
            Ok(keys) => {
                for key in keys {
                    let asked = joined.asked.entry(key).or_insert_with(|| Asked {
                        waiting: 0.0,
                        family: families.shared(row.family.as_deref()),
                    });
                    asked.waiting += row.waiting;
                }
            }
            Err(Some((why, variant))) => joined.unanswered.push(Unanswered {
                row: row.clone(),
                why,
                variant: variant.cloned(),
            }),
            // What is out of scope serves it: not ours to wake, and not blocked (rule 9).
            Err(None) => {}
        }
    }
    // Nothing goes by which row came first. Prometheus mostly answers in order, so that this costs little.
    joined.asked.sort_unstable_keys();
    joined
}

/// Names of metrics, each kept once: there are two of them for thousands of rows.
#[derive(Default)]
struct Families(Vec<Arc<str>>);

impl Families {
    fn shared(&mut self, name: Option<&str>) -> Option<Arc<str>> {
        let name = name?;
        let known = self.0.iter().find(|known| ***known == *name);
        let shared = known.cloned().unwrap_or_else(|| {
            let new: Arc<str> = name.into();
            self.0.push(new.clone());
            new
        });
        Some(shared)
    }
}

/// The variants of a model behind a pool, in scope or not. Where none is of that model, with `wake.unmatched: pool`
/// those of the pool, whatever their model.
pub(super) fn variants_of<'a>(
    inventory: &'a Inventory,
    key: &'a ModelKey,
    unmatched: Unmatched,
) -> impl Iterator<Item = (&'a VariantKey, &'a Entry)> {
    let behind = |name: &'a VariantKey| {
        let entry = inventory.entry(name)?;
        entry.pools.contains(&key.pool).then_some((name, entry))
    };
    let named = move || {
        inventory
            .variants_in(&key.model, &key.namespace)
            .filter_map(behind)
    };
    let others = unmatched == Unmatched::Pool && named().next().is_none();
    let others = others.then(|| {
        inventory
            .variants_at(&key.namespace, &key.pool)
            .filter_map(behind)
    });
    named().chain(others.into_iter().flatten())
}

/// The keys that a row asks for, or why none and the variant nearest to it. No reason is needed where it is served out
/// of scope.
type Keys<'a> = Result<Vec<ModelKey>, Option<(Blocked, Option<&'a VariantKey>)>>;

/// The keys that a row that no variant asks for has with `wake.unmatched: pool` (rule 10): its pool's, if one of the
/// variants there can be woken. Without a namespace it may be another tenant's pool, whether that one can be woken or
/// not (rule 3).
fn of_the_pool<'a>(inventory: &'a Inventory, row: &Row, every_namespace: bool) -> Option<Keys<'a>> {
    let pool = row.pool.as_deref()?;
    let behind = || inventory.variants_behind(row.namespace.as_deref(), Some(pool));
    if behind().nth(1).is_some() && !every_namespace {
        return Some(Err(Some((Blocked::AmbiguousNamespace, None))));
    }
    let wakeable = |names: &Few<VariantKey>| {
        let mut entries = names.iter().filter_map(|name| inventory.entry(name));
        entries.any(|entry| {
            let open = entry.pools.iter().any(|open| **open == *pool);
            open && entry.scope == Scope::In && entry.observed.is_ok()
        })
    };
    let keys: Vec<_> = behind()
        .filter(|(_, names)| wakeable(names))
        .map(|((namespace, pool), _)| ModelKey {
            namespace: namespace.clone(),
            pool: pool.clone(),
            model: row.model.as_deref().unwrap_or_default().into(),
        })
        .collect();
    (!keys.is_empty()).then_some(Ok(keys))
}

/// The keys that a row naming its model asks for.
fn named<'a>(inventory: &'a Inventory, row: &Row, model: &str, every_namespace: bool) -> Keys<'a> {
    let mut found = Found::default();
    if let Some(namespace) = row.namespace.as_deref() {
        for name in inventory.variants_in(model, namespace) {
            found.look(inventory, name, row, model);
        }
        return found.keys(|| elsewhere(inventory, model, namespace));
    }
    let mut namespaces = 0;
    let mut last = None;
    for name in inventory.variants_of_model(model) {
        found.look(inventory, name, row, model);
        // Who is out of scope counts here: the demand may be for that tenant's variant.
        let entry = inventory.entry(name);
        let may_be_meant = entry.is_some_and(|entry| entry.stands_behind(row.pool.as_deref()));
        if may_be_meant && last != Some(&name.name.namespace) {
            last = Some(&name.name.namespace);
            namespaces += 1;
        }
    }
    if namespaces > 1 && !every_namespace {
        return Err(Some((Blocked::AmbiguousNamespace, None)));
    }
    found.keys(|| elsewhere(inventory, model, ""))
}

/// The keys that a row naming no model asks for: that of the only model there, if there is one.
fn unnamed<'a>(inventory: &'a Inventory, row: &Row, every_namespace: bool) -> Keys<'a> {
    let mut models: BTreeMap<&Arc<str>, BTreeSet<&Arc<str>>> = BTreeMap::new();
    for ((namespace, _), names) in inventory.variants_behind(row.namespace.as_deref(), row.pool.as_deref()) {
        let of = names
            .iter()
            .filter_map(|n| inventory.entry(n))
            .map(|e| &e.variant.model);
        models.entry(namespace).or_default().extend(of);
    }
    if models.len() > 1 && !every_namespace {
        return Err(Some((Blocked::AmbiguousNamespace, None)));
    }
    let mut found = Found::default();
    for (namespace, models) in &models {
        let [model] = models.iter().copied().collect::<Vec<_>>()[..] else {
            continue;
        };
        for name in inventory.variants_in(model, namespace) {
            found.look(inventory, name, row, model);
        }
    }
    found.keys(|| Blocked::UnnamedDemand)
}

/// Why no variant of that very name stands in the namespace.
fn elsewhere(inventory: &Inventory, model: &str, namespace: &str) -> Blocked {
    let by_case = || inventory.same_but_for_case(model);
    let here = by_case().find(|m| inventory.variants_in(m, namespace).next().is_some());
    if let Some(name) = here {
        return Blocked::NameDiffersByCase(name.clone());
    }
    if let Some(other) = inventory.variants_of_model(model).next() {
        return Blocked::WrongNamespace(other.name.namespace.clone());
    }
    if let Some(name) = by_case().next() {
        return Blocked::NameDiffersByCase(name.clone());
    }
    if model == "other" {
        Blocked::LabelOverflow
    } else {
        Blocked::NoVariant
    }
}

/// What looking at the variants of the right name has come to.
#[derive(Default)]
struct Found<'a> {
    keys: Vec<ModelKey>,
    /// Whether one of them has replicas where the requests wait, though it may not be woken.
    served: bool,
    /// The reason that is nearest to an answer, with its rank.
    nearest: Option<(u8, Blocked, &'a VariantKey)>,
}

impl<'a> Found<'a> {
    fn look(&mut self, inventory: &Inventory, name: &'a VariantKey, row: &Row, model: &str) {
        let Some(entry) = inventory.entry(name) else {
            return;
        };
        let wanted = row.pool.as_deref();
        self.served |= entry.is_scaled() && entry.stands_behind(wanted);
        let why =
            match (&entry.scope, &entry.observed) {
                (Scope::In, Ok(_)) | (Scope::Out(OutOfScope::PoolExcluded), _)
                    if wanted.is_some_and(|p| entry.excluded_pools.iter().any(|q| **q == *p)) =>
                {
                    (5, Blocked::OutOfScope(OutOfScope::PoolExcluded))
                }
                (Scope::Out(why), _) => (1, Blocked::OutOfScope(*why)),
                (Scope::In, Err(gone)) => (2, Blocked::Target(*gone)),
                (Scope::In, Ok(_)) => match entry.pools.first() {
                    None => (3, Blocked::NoPool),
                    Some(other) => {
                        let pools = entry.pools.iter();
                        let before = self.keys.len();
                        self.keys
                            .extend(pools.filter(|p| wanted.is_none_or(|wanted| wanted == &***p)).map(
                                |pool| ModelKey {
                                    namespace: name.name.namespace.clone(),
                                    pool: pool.clone(),
                                    model: entry.variant.shared(model),
                                },
                            ));
                        if self.keys.len() > before {
                            return;
                        }
                        (4, Blocked::OtherPool(other.clone()))
                    }
                },
            };
        if self.nearest.as_ref().is_none_or(|(rank, ..)| *rank < why.0) {
            self.nearest = Some((why.0, why.1, name));
        }
    }

    /// The keys, sorted and each once; without any, why.
    fn keys(mut self, otherwise: impl FnOnce() -> Blocked) -> Keys<'a> {
        if self.keys.is_empty() {
            let nearest = self.nearest;
            let why = || nearest.map_or_else(|| (otherwise(), None), |(_, why, name)| (why, Some(name)));
            return Err((!self.served).then(why));
        }
        self.keys.sort();
        self.keys.dedup();
        Ok(self.keys)
    }
}
