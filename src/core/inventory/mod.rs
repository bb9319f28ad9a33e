//! The inventory: an index of variants, targets, pools and namespaces, fed by changes.
//!
//! Everything the join asks for is kept ready: for each variant whether it is in scope, how its
//! target stands and which pools select it. One change recomputes only the variants that refer to
//! the changed object; a property test holds any sequence of changes equal to a build from scratch.

mod change;
mod entry;
mod indexes;
mod pools;
mod records;
mod scope;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

pub use self::{
    change::{Change, Table},
    entry::{Entry, Gone},
    records::{
        Condition, Cost, Desired, Namespace, Observed, Parked, Pool, Target, TargetRef, Variant,
        VariantStatus,
    },
    scope::{OutOfScope, Scope, ScopeRules},
};
use self::{
    indexes::Indexes,
    pools::{Pools, Selecting},
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
    unreadable: BTreeSet<(Kind, Option<Arc<str>>)>,
    indexes: Indexes,
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
                    self.rejoin_all(self.indexes.targets.get(&key).cloned());
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
                    self.rejoin_all(self.indexes.namespaces.get(&name).cloned());
                }
            }
            Change::Listed { within, table } => self.replace(within.as_ref(), table),
            Change::Readable(kind, within, readable) => {
                let changed = if readable {
                    self.unreadable.remove(&(kind, within))
                } else {
                    self.unreadable.insert((kind, within))
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
        self.indexes.targets.get(target).into_iter().flatten()
    }

    /// The variants of a model or alias, by namespace.
    pub fn variants_by_namespace(
        &self,
        model: &str,
    ) -> impl Iterator<Item = (&Arc<str>, &BTreeSet<ObjectName>)> {
        self.indexes.models.get(model).into_iter().flatten()
    }

    /// The variants of a model or alias in one namespace.
    pub fn variants_in(&self, model: &str, namespace: &str) -> impl Iterator<Item = &ObjectName> {
        let names = self.indexes.models.get(model).and_then(|m| m.get(namespace));
        names.into_iter().flatten()
    }

    /// The variants behind pools, of one namespace or all, of one name or all, pool by pool.
    pub fn variants_behind<'a>(
        &'a self,
        namespace: Option<&'a str>,
        pool: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a (Arc<str>, Arc<str>), &'a BTreeSet<ObjectName>)> {
        // All pools of a namespace stand together, and the empty name stands before any.
        let first = (Arc::from(namespace.unwrap_or_default()), Arc::from(""));
        self.indexes
            .pools
            .range(first..)
            .take_while(move |((n, _), _)| namespace.is_none_or(|wanted| wanted == &**n))
            .filter(move |((_, p), _)| pool.is_none_or(|wanted| wanted == &**p))
    }

    /// Models and aliases that are `model` but for upper and lower case.
    pub fn same_but_for_case(&self, model: &str) -> impl Iterator<Item = &Arc<str>> {
        self.indexes.same_but_for_case(model)
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
                Some(entry) if Indexes::same_places(&entry.variant, &now) => entry.variant = now,
                _ => {
                    self.remove_variant(name);
                    self.indexes.insert(name, &now);
                    let unjoined = Entry {
                        variant: now,
                        scope: Scope::Out(OutOfScope::Deleting),
                        observed: Err(Gone::Missing),
                        pools: Box::default(),
                        excluded_pools: Box::default(),
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
        self.indexes.remove(name, &entry);
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
                    self.rejoin_all(self.indexes.namespaces.get(&namespace).cloned());
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
        let variants = self.indexes.namespaces.get(namespace).into_iter().flatten();
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

    /// Whether targets of that kind cannot be read in that namespace.
    fn is_unreadable(&self, key: &TargetKey) -> bool {
        let kind = Kind::Target(key.kind);
        let here = Some(key.name.namespace.clone());
        self.unreadable.contains(&(kind, None)) || self.unreadable.contains(&(kind, here))
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
            (TargetRef::Known(key), None) if self.is_unreadable(key) => Err(Gone::Unreadable),
            (TargetRef::Known(_), None) => Err(Gone::Missing),
        };
        let Selecting {
            pools,
            excluded_pools,
        } = target.map_or_else(Selecting::default, |t| {
            self.pools.selecting(&name.namespace, &t.labels)
        });
        let only_excluded = pools.is_empty() && !excluded_pools.is_empty();
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
        if entry.pools != pools || entry.excluded_pools != excluded_pools {
            let before: Vec<_> = entry.all_pools().cloned().collect();
            entry.pools = pools;
            entry.excluded_pools = excluded_pools;
            self.indexes.move_pools(name, before.iter(), entry.all_pools());
        }
    }
}
