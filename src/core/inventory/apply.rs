//! Taking in changes: each touches only the variants that refer to the changed object.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{Few, Kind, PoolKey, Role, ScalerKey, Source, TargetKey, VariantKey},
    Change, Entry, Gone, Indexes, Inventory, Namespace, OutOfScope, Pool, Revision, Scaler, Scope, Table,
    Target, TargetRef, Variant,
    indexes::take_out_hashed,
};
use crate::core::{HashMap, Labels};

impl Inventory {
    /// Takes in one change.
    pub fn apply(&mut self, change: Change) {
        self.revision = Revision::default();
        match change {
            Change::Variant(name, now) => self.set_variant(&VariantKey::autoscaling(name), now),
            Change::Target(key, now) => {
                if self.set_target(&key, now) {
                    self.rejoin_found(self.indexes.targets.get(&key).cloned());
                }
            }
            Change::Pool(key, now) => {
                let mut touched = BTreeSet::new();
                self.set_pool(&key, now, &mut touched);
                self.rejoin_all(touched);
            }
            Change::Scaler(key, now) => self.set_scaler(&key, now),
            Change::Namespace(name, now) => {
                if self.set_namespace(&name, now) {
                    self.rejoin_found(self.indexes.namespaces.get(&name).cloned());
                }
            }
            Change::Listed { within, table } => self.replace(within.as_ref(), table),
            Change::Readable(kind, within, readable) => {
                let is_target = matches!(kind, Kind::Target(_));
                let changed = if readable {
                    self.unreadable.remove(&(kind, within))
                } else {
                    self.unreadable.insert((kind, within))
                };
                if changed && is_target {
                    self.rejoin_all(self.variants.keys().cloned().collect());
                }
            }
            Change::Scalable(kind, scalable) => {
                let changed = if scalable {
                    self.unscalable.remove(&kind)
                } else {
                    self.unscalable.insert(kind)
                };
                if changed {
                    self.rejoin_all(self.variants.keys().cloned().collect());
                }
            }
        }
    }

    fn set_variant(&mut self, name: &VariantKey, now: Option<Variant>) {
        let Some(now) = now.filter(|_| self.rules.sources.contains(&name.source)) else {
            return self.remove_variant(name);
        };
        match self.variants.get_mut(name) {
            // Nothing that the indexes are made of has changed: only its own fields have.
            Some(entry) if Indexes::same_places(&entry.variant, &now) => entry.variant = now,
            _ => {
                self.remove_variant(name);
                self.indexes.insert(name, &now);
                self.indexes
                    .move_labels(name, None, labels_of(&self.targets, &now.target));
                let unjoined = Entry {
                    variant: now,
                    scope: Scope::Out(OutOfScope::Deleting),
                    observed: Err(Gone::Missing),
                    role: Role::Unknown,
                    pools: Box::default(),
                    excluded_pools: Box::default(),
                };
                self.variants.insert(name.clone(), unjoined);
                self.rejoin_outranked(name);
            }
        }
        self.rejoin(name);
    }

    fn remove_variant(&mut self, name: &VariantKey) {
        let Some(entry) = self.variants.get(name) else {
            return;
        };
        if entry.is_inactive() {
            self.inactive -= 1;
        }
        self.indexes.remove(name, entry);
        self.indexes
            .move_labels(name, labels_of(&self.targets, &entry.variant.target), None);
        let others = self.outranked(name);
        self.variants.remove(name);
        self.rejoin_all(others);
    }

    /// The other variants of its target that come after it (rule 16).
    fn outranked(&self, name: &VariantKey) -> BTreeSet<VariantKey> {
        let target = self.variants.get(name).and_then(Entry::target);
        let beside = target.into_iter().flat_map(|target| self.variants_of(target));
        beside
            .filter(|other| other.source > name.source)
            .cloned()
            .collect()
    }

    fn rejoin_outranked(&mut self, name: &VariantKey) {
        self.rejoin_all(self.outranked(name));
    }

    /// An HPA or ScaledObject is so now. Its status changes all the time, which touches no variant.
    fn set_scaler(&mut self, key: &ScalerKey, now: Option<Scaler>) {
        let place = |scaler: &Scaler| match &scaler.target {
            TargetRef::Known(target) => Some((target.clone(), scaler.paused.is_some())),
            TargetRef::Unsupported(_) => None,
        };
        let before = self.scalers.get(key).and_then(place);
        let after = now.as_ref().and_then(place);
        let variant = now.as_ref().and_then(|scaler| scaler.variant.clone());
        if now.as_ref().is_some_and(|scaler| scaler.guard.is_some()) {
            self.indexes.guarded.insert(key.clone());
        } else {
            self.indexes.guarded.remove(key);
        }
        match now {
            Some(now) => self.scalers.insert(key.clone(), now),
            None => self.scalers.remove(key),
        };
        if before != after {
            if let Some((target, _)) = &before {
                take_out_hashed(&mut self.indexes.scalers, target, key);
            }
            if let Some((target, _)) = &after {
                let scalers = self.indexes.scalers.entry(target.clone()).or_default();
                scalers.insert(key.clone());
            }
            for (target, _) in before.iter().chain(&after) {
                self.rejoin_found(self.indexes.targets.get(target).cloned());
            }
        }
        let name = VariantKey {
            name: key.name.clone(),
            source: key.kind.source(),
        };
        match (self.variants.get_mut(&name), variant) {
            (None, None) => {}
            // As each status of its object: nothing is joined by the version.
            (Some(entry), Some(now)) if entry.variant.is_but_for_version(&now) => entry.variant = now,
            (_, variant) => self.set_variant(&name, variant),
        }
    }

    /// Returns whether anything changed that a variant is joined by.
    fn set_target(&mut self, key: &TargetKey, now: Option<Target>) -> bool {
        let before = match now {
            Some(now) if self.targets.get(key) == Some(&now) => return false,
            Some(now) => self.targets.insert(key.clone(), now),
            None => match self.targets.remove(key) {
                None => return false,
                gone => gone,
            },
        };
        let before = before.as_ref().map(|target| &target.labels);
        let now = self.targets.get(key).map(|target| &target.labels);
        if before != now {
            let names = self.indexes.targets.get(key).cloned().unwrap_or_default();
            for name in names.iter() {
                self.indexes.move_labels(name, before, now);
            }
        }
        true
    }

    /// Adds the variants that are to be joined anew.
    fn set_pool(&mut self, key: &PoolKey, now: Option<Pool>, touched: &mut BTreeSet<VariantKey>) {
        let before = self.pools.set(key, now);
        let now = self.pools.get(key);
        if before.as_ref() != now {
            for pool in before.iter().chain(now) {
                touched.extend(self.selected_by(&key.name.namespace, pool).cloned());
            }
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
                let gone = self.variants.keys().filter(|n| {
                    let listed = n.source == Source::VariantAutoscaling && inside(&n.name.namespace);
                    listed && !fresh.contains_key(&n.name)
                });
                for name in gone.cloned().collect::<Vec<_>>() {
                    self.remove_variant(&name);
                }
                for (name, variant) in fresh {
                    self.set_variant(&VariantKey::autoscaling(name), Some(variant));
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
                    let kind = kind.clone();
                    self.apply(Change::Target(TargetKey { kind, name }, Some(target)));
                }
            }
            Table::Pools(group, fresh) => {
                let mut touched = BTreeSet::new();
                let names = self.pools.names(group, within).into_iter();
                for name in names.filter(|name| !fresh.contains_key(name)) {
                    self.set_pool(&PoolKey { group, name }, None, &mut touched);
                }
                for (name, pool) in fresh {
                    self.set_pool(&PoolKey { group, name }, Some(pool), &mut touched);
                }
                // Each once, however many of the pools select its target.
                self.rejoin_all(touched);
            }
            Table::Scalers(kind, fresh) => {
                let gone = self
                    .scalers
                    .keys()
                    .filter(|k| k.kind == kind && inside(&k.name.namespace) && !fresh.contains_key(&k.name));
                for key in gone.cloned().collect::<Vec<_>>() {
                    self.set_scaler(&key, None);
                }
                for (name, scaler) in fresh {
                    self.set_scaler(&ScalerKey { kind, name }, Some(scaler));
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

    /// Variants of a namespace whose target is selected by a pool.
    fn selected_by<'a>(
        &'a self,
        namespace: &Arc<str>,
        pool: &'a Pool,
    ) -> impl Iterator<Item = &'a VariantKey> {
        self.indexes.labelled(namespace, &pool.selector).filter(|name| {
            let target = self.variants.get(*name).map(|entry| &entry.variant.target);
            let labels = target.and_then(|target| labels_of(&self.targets, target));
            labels.is_some_and(|labels| pool.selector.selects(labels))
        })
    }

    fn rejoin_found(&mut self, names: Option<Few<VariantKey>>) {
        for name in names.unwrap_or_default().iter() {
            self.rejoin(name);
        }
    }

    fn rejoin_all(&mut self, names: BTreeSet<VariantKey>) {
        for name in names {
            self.rejoin(&name);
        }
    }
}

/// The labels of what a variant scales, if that is known.
fn labels_of<'a>(targets: &'a HashMap<TargetKey, Target>, target: &TargetRef) -> Option<&'a Labels> {
    match target {
        TargetRef::Known(key) => targets.get(key).map(|target| &target.labels),
        TargetRef::Unsupported(_) => None,
    }
}
