//! Taking in changes: each touches only the variants that refer to the changed object.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{Kind, PoolKey, Role, ScalerKey, Source, TargetKey, VariantKey},
    Change, Entry, Gone, Indexes, Inventory, Namespace, OutOfScope, Pool, Scaler, Scope, Table, Target,
    TargetRef, Variant,
    indexes::take_out_hashed,
};

impl Inventory {
    /// Takes in one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Variant(name, now) => self.set_variant(&VariantKey::autoscaling(name), now),
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
            Change::Scaler(key, now) => self.set_scaler(&key, now),
            Change::Namespace(name, now) => {
                if self.set_namespace(&name, now) {
                    self.rejoin_all(self.indexes.namespaces.get(&name).cloned());
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
                    self.rejoin_all(Some(self.variants.keys().cloned().collect()));
                }
            }
            Change::Scalable(kind, scalable) => {
                let changed = if scalable {
                    self.unscalable.remove(&kind)
                } else {
                    self.unscalable.insert(kind)
                };
                if changed {
                    self.rejoin_all(Some(self.variants.keys().cloned().collect()));
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
        let others = self.outranked(name);
        self.variants.remove(name);
        self.rejoin_all(others);
    }

    /// The other variants of its target that come after it (rule 16).
    fn outranked(&self, name: &VariantKey) -> Option<BTreeSet<VariantKey>> {
        let names = self.indexes.targets.get(self.variants.get(name)?.target()?)?;
        let after = names.iter().filter(|other| other.source > name.source);
        Some(after.cloned().collect())
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
                self.rejoin_all(self.indexes.targets.get(target).cloned());
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

    /// Variants of a namespace whose target is selected by one of these pools.
    fn selected_by(&self, namespace: &Arc<str>, pools: &[Option<Pool>; 2]) -> BTreeSet<VariantKey> {
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

    fn rejoin_all(&mut self, names: Option<BTreeSet<VariantKey>>) {
        for name in names.into_iter().flatten() {
            self.rejoin(&name);
        }
    }
}
