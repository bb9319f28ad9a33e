//! The inventory: an index of variants, targets, pools and namespaces, fed by changes.
//!
//! Everything the join asks for is kept ready: for each variant whether it is in scope, how its
//! target stands and which pools select it. One change recomputes only the variants that refer to
//! the changed object; a property test holds any sequence of changes equal to a build from scratch.

mod change;
mod entry;
mod pools;
mod records;
mod scope;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use self::pools::Pools;
pub use self::{
    change::{Change, Table},
    entry::{Entry, Gone},
    records::{
        Condition, Cost, Desired, Namespace, Observed, Parked, Pool, Target, TargetRef, Variant,
        VariantStatus,
    },
    scope::{OutOfScope, Scope, ScopeRules},
};
use super::{Kind, ObjectName, PoolKey, TargetKey};

/// The index.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    rules: ScopeRules,
    variants: HashMap<ObjectName, Entry>,
    targets: HashMap<TargetKey, Target>,
    pools: Pools,
    namespaces: HashMap<Arc<str>, Namespace>,
    unreadable: BTreeSet<Kind>,
    by_target: HashMap<TargetKey, BTreeSet<ObjectName>>,
    by_namespace: HashMap<Arc<str>, BTreeSet<ObjectName>>,
    /// Model or alias, then namespace.
    by_model: HashMap<Arc<str>, BTreeMap<Arc<str>, BTreeSet<ObjectName>>>,
    /// Models and aliases by their lower-case form, to find names that differ by case.
    by_folded: HashMap<Box<str>, BTreeSet<Arc<str>>>,
    by_pool: BTreeMap<(Arc<str>, Arc<str>), BTreeSet<ObjectName>>,
    inactive: usize,
}

impl Inventory {
    /// An empty inventory under these rules of scope.
    pub fn new(rules: ScopeRules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// Whether objects of a namespace are looked at.
    pub fn covers(&self, namespace: &str) -> bool {
        self.rules.covers(namespace)
    }

    /// Takes in one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Variant(name, now) => self.set_variant(&name, now),
            Change::Target(key, now) => {
                if self.set_target(&key, now) {
                    self.rejoin_all(self.by_target.get(&key).cloned());
                }
            }
            Change::Pool(key, now) => {
                let before = self.pools.set(&key, now);
                let after = self.pools.get(&key).cloned();
                if before != after {
                    let touched = self.selected_by(&key.name.namespace, &[before, after]);
                    self.rejoin_all(Some(touched));
                }
            }
            Change::Namespace(name, now) => {
                if self.set_namespace(&name, now) {
                    self.rejoin_all(self.by_namespace.get(&name).cloned());
                }
            }
            Change::Listed { within, table } => self.replace(within.as_ref(), table),
            Change::Readable(kind, readable) => {
                let changed = if readable {
                    self.unreadable.remove(&kind)
                } else {
                    self.unreadable.insert(kind)
                };
                if changed && matches!(kind, Kind::Target(_)) {
                    self.rejoin_all(Some(self.variants.keys().cloned().collect()));
                }
            }
        }
    }

    /// The variant of that name.
    pub fn entry(&self, name: &ObjectName) -> Option<&Entry> {
        self.variants.get(name)
    }

    /// Every variant, in no order.
    pub fn entries(&self) -> impl Iterator<Item = (&ObjectName, &Entry)> {
        self.variants.iter()
    }

    /// The target of that name.
    pub fn target(&self, key: &TargetKey) -> Option<&Target> {
        self.targets.get(key)
    }

    /// The variants that scale a target.
    pub fn variants_of(&self, target: &TargetKey) -> impl Iterator<Item = &ObjectName> {
        self.by_target.get(target).into_iter().flatten()
    }

    /// The variants of a model or alias, by namespace.
    pub fn variants_by_namespace(
        &self,
        model: &str,
    ) -> impl Iterator<Item = (&Arc<str>, &BTreeSet<ObjectName>)> {
        self.by_model.get(model).into_iter().flatten()
    }

    /// The variants of a model or alias in one namespace.
    pub fn variants_in(&self, model: &str, namespace: &str) -> impl Iterator<Item = &ObjectName> {
        self.by_model
            .get(model)
            .and_then(|m| m.get(namespace))
            .into_iter()
            .flatten()
    }

    /// The variants behind pools, of one namespace or all, of one name or all, pool by pool.
    pub fn variants_behind<'a>(
        &'a self,
        namespace: Option<&'a str>,
        pool: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a (Arc<str>, Arc<str>), &'a BTreeSet<ObjectName>)> {
        // All pools of a namespace stand together, and the empty name stands before any.
        let first = (Arc::from(namespace.unwrap_or_default()), Arc::from(""));
        self.by_pool
            .range(first..)
            .take_while(move |((n, _), _)| namespace.is_none_or(|wanted| wanted == &**n))
            .filter(move |((_, p), _)| pool.is_none_or(|wanted| wanted == &**p))
    }

    /// Models and aliases that are `model` but for upper and lower case.
    pub fn same_but_for_case(&self, model: &str) -> impl Iterator<Item = &Arc<str>> {
        self.by_folded
            .get(model.to_lowercase().as_str())
            .into_iter()
            .flatten()
            .filter(move |m| &***m != model)
    }

    /// How many variants are inactive: in scope, with their target at 0.
    pub fn inactive(&self) -> usize {
        self.inactive
    }

    /// How many variants there are, in scope or not.
    pub fn variants(&self) -> usize {
        self.variants.len()
    }

    /// How many pools there are.
    pub fn pools(&self) -> usize {
        self.pools.len()
    }

    /// How many targets are kept, whether a variant refers to them or not.
    pub fn targets(&self) -> usize {
        self.targets.len()
    }

    fn set_variant(&mut self, name: &ObjectName, now: Option<Variant>) {
        if let Some(now) = now {
            match self.variants.get_mut(name) {
                // Nothing that the indexes are made of has changed: only its own fields have.
                Some(entry) if same_keys(&entry.variant, &now) => entry.variant = now,
                _ => {
                    self.remove_variant(name);
                    self.index(name, &now);
                    let unjoined = Entry {
                        variant: now,
                        scope: Scope::Out(OutOfScope::Deleting),
                        observed: Err(Gone::Missing),
                        pools: Box::default(),
                    };
                    self.variants.insert(name.clone(), unjoined);
                }
            }
            self.rejoin(name);
        } else {
            self.remove_variant(name);
        }
    }

    fn remove_variant(&mut self, name: &ObjectName) {
        let Some(entry) = self.variants.remove(name) else {
            return;
        };
        if entry.is_inactive() {
            self.inactive -= 1;
        }
        for pool in &entry.pools {
            take_out(&mut self.by_pool, &(name.namespace.clone(), pool.clone()), name);
        }
        if let Some(target) = entry.target() {
            take_out_hashed(&mut self.by_target, target, name);
        }
        take_out_hashed(&mut self.by_namespace, &name.namespace, name);
        for model in names_of(&entry.variant) {
            let Some(namespaces) = self.by_model.get_mut(model) else {
                continue;
            };
            take_out(namespaces, &name.namespace, name);
            if namespaces.is_empty() {
                self.by_model.remove(model);
                let folded: Box<str> = model.to_lowercase().into();
                if let Some(models) = self.by_folded.get_mut(&folded) {
                    models.remove(model);
                    if models.is_empty() {
                        self.by_folded.remove(&folded);
                    }
                }
            }
        }
    }

    fn index(&mut self, name: &ObjectName, variant: &Variant) {
        if let TargetRef::Known(target) = &variant.target {
            self.by_target
                .entry(target.clone())
                .or_default()
                .insert(name.clone());
        }
        self.by_namespace
            .entry(name.namespace.clone())
            .or_default()
            .insert(name.clone());
        for model in names_of(variant) {
            let namespaces = self.by_model.entry(model.clone()).or_default();
            namespaces
                .entry(name.namespace.clone())
                .or_default()
                .insert(name.clone());
            self.by_folded
                .entry(model.to_lowercase().into())
                .or_default()
                .insert(model.clone());
        }
    }

    /// Returns whether anything changed that a variant is joined by.
    fn set_target(&mut self, key: &TargetKey, now: Option<Target>) -> bool {
        match now {
            Some(now) if self.targets.get(key) == Some(&now) => false,
            Some(now) => {
                self.targets.insert(key.clone(), now);
                true
            }
            None => self.targets.remove(key).is_some(),
        }
    }

    fn set_namespace(&mut self, name: &Arc<str>, now: Option<Namespace>) -> bool {
        let before = self.namespaces.get(name).copied().unwrap_or_default();
        // Most namespaces carry none of the annotations: those are not kept at all.
        match now.filter(|n| *n != Namespace::default()) {
            Some(now) => self.namespaces.insert(name.clone(), now),
            None => self.namespaces.remove(name),
        };
        before != now.unwrap_or_default()
    }

    /// Swaps in a fresh table, and recomputes once what it touches.
    fn replace(&mut self, within: Option<&Arc<str>>, table: Table) {
        let inside = |namespace: &Arc<str>| within.is_none_or(|w| w == namespace);
        match table {
            Table::Variants(fresh) => {
                let gone = self
                    .variants
                    .keys()
                    .filter(|n| inside(&n.namespace) && !fresh.contains_key(*n));
                for name in gone.cloned().collect::<Vec<_>>() {
                    self.remove_variant(&name);
                }
                for (name, variant) in fresh {
                    self.set_variant(&name, Some(variant));
                }
            }
            Table::Targets(kind, fresh) => {
                let gone = self
                    .targets
                    .keys()
                    .filter(|k| k.kind == kind && inside(&k.name.namespace) && !fresh.contains_key(&k.name));
                for key in gone.cloned().collect::<Vec<_>>() {
                    self.apply(Change::Target(key, None));
                }
                for (name, target) in fresh {
                    self.apply(Change::Target(TargetKey { kind, name }, Some(target)));
                }
            }
            Table::Pools(group, fresh) => {
                let mut touched = BTreeSet::new();
                for name in self.pools.names(group, within) {
                    if !fresh.contains_key(&name) {
                        touched.insert(name.namespace.clone());
                        self.pools.set(&PoolKey { group, name }, None);
                    }
                }
                for (name, pool) in fresh {
                    let key = PoolKey { group, name };
                    if self.pools.get(&key) != Some(&pool) {
                        touched.insert(key.name.namespace.clone());
                        self.pools.set(&key, Some(pool));
                    }
                }
                for namespace in touched {
                    self.rejoin_all(self.by_namespace.get(&namespace).cloned());
                }
            }
            Table::Namespaces(fresh) => {
                let gone = self
                    .namespaces
                    .keys()
                    .filter(|n| inside(n) && !fresh.contains_key(*n));
                for name in gone.cloned().collect::<Vec<_>>() {
                    self.apply(Change::Namespace(name, None));
                }
                for (name, marks) in fresh {
                    self.apply(Change::Namespace(name, Some(marks)));
                }
            }
        }
    }

    /// Variants of a namespace whose target is selected by one of these pools.
    fn selected_by(&self, namespace: &Arc<str>, pools: &[Option<Pool>; 2]) -> BTreeSet<ObjectName> {
        let variants = self.by_namespace.get(namespace).into_iter().flatten();
        variants
            .filter(|name| {
                let target = self
                    .variants
                    .get(*name)
                    .and_then(Entry::target)
                    .and_then(|t| self.targets.get(t));
                target.is_some_and(|t| pools.iter().flatten().any(|p| p.selector.selects(&t.labels)))
            })
            .cloned()
            .collect()
    }

    fn rejoin_all(&mut self, names: Option<BTreeSet<ObjectName>>) {
        for name in names.into_iter().flatten() {
            self.rejoin(&name);
        }
    }

    /// Recomputes what follows for one variant from the other objects.
    fn rejoin(&mut self, name: &ObjectName) {
        let Some(entry) = self.variants.get(name) else {
            return;
        };
        let target = entry.target().and_then(|key| self.targets.get(key));
        let observed = match (&entry.variant.target, target) {
            (_, Some(target)) => Ok(target.observed.clone()),
            (TargetRef::Unsupported(_), None) => Err(Gone::Unsupported),
            (TargetRef::Known(key), None) if self.unreadable.contains(&Kind::Target(key.kind)) => {
                Err(Gone::Unreadable)
            }
            (TargetRef::Known(_), None) => Err(Gone::Missing),
        };
        let (pools, only_excluded) = target.map_or_else(Default::default, |t| {
            self.pools.selecting(&name.namespace, &t.labels)
        });
        let marks = self.namespaces.get(&name.namespace).copied().unwrap_or_default();
        let kept_out = self
            .rules
            .keeps_out(&name.namespace, &entry.variant, target, marks);
        let scope = match kept_out.or(only_excluded.then_some(OutOfScope::PoolExcluded)) {
            Some(why) => Scope::Out(why),
            None => Scope::In,
        };

        let Some(entry) = self.variants.get_mut(name) else {
            return;
        };
        let was_inactive = entry.is_inactive();
        entry.scope = scope;
        entry.observed = observed;
        match (was_inactive, entry.is_inactive()) {
            (false, true) => self.inactive += 1,
            (true, false) => self.inactive -= 1,
            _ => {}
        }
        if entry.pools != pools {
            let before = std::mem::replace(&mut entry.pools, pools.clone());
            for pool in &before {
                take_out(&mut self.by_pool, &(name.namespace.clone(), pool.clone()), name);
            }
            for pool in &pools {
                let key = (name.namespace.clone(), pool.clone());
                self.by_pool.entry(key).or_default().insert(name.clone());
            }
        }
    }
}

/// The model and the aliases of a variant.
fn names_of(variant: &Variant) -> impl Iterator<Item = &Arc<str>> {
    std::iter::once(&variant.model).chain(&variant.aliases)
}

/// Whether two states of a variant stand at the same places of the indexes.
fn same_keys(a: &Variant, b: &Variant) -> bool {
    a.target == b.target && a.model == b.model && a.aliases == b.aliases
}

/// Takes a name out of a set within a map, and the set with it once empty.
fn take_out<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<ObjectName>>, key: &K, name: &ObjectName) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

/// As [`take_out`], for a map by hash.
fn take_out_hashed<K: Eq + std::hash::Hash>(
    sets: &mut HashMap<K, BTreeSet<ObjectName>>,
    key: &K,
    name: &ObjectName,
) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
