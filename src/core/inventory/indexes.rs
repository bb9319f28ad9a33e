//! Where a variant is found by: its target, namespace, models and pools.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
    sync::Arc,
};

use super::{
    super::{OtherKind, ScalerKey, TargetKey, TargetKind, VariantKey},
    Entry, TargetRef, Variant,
};
use crate::core::HashMap;

/// The variants found at one place.
type Names = BTreeSet<VariantKey>;

/// Namespace and name of a pool.
type PoolName = (Arc<str>, Arc<str>);

/// The indexes. A place where nobody stands any more is taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Indexes {
    pub(super) targets: HashMap<TargetKey, Names>,
    pub(super) namespaces: HashMap<Arc<str>, Names>,
    /// Model or alias, then namespace.
    pub(super) models: HashMap<Arc<str>, BTreeMap<Arc<str>, Names>>,
    /// Models and aliases by their lower-case form, to find names that differ by case.
    pub(super) folded: HashMap<Box<str>, BTreeSet<Arc<str>>>,
    /// Pools that select the target, excluded ones too.
    pub(super) pools: BTreeMap<PoolName, Names>,
    /// What scales a target by itself.
    pub(super) scalers: HashMap<TargetKey, BTreeSet<ScalerKey>>,
    /// What a guard of ours stands on.
    pub(super) guarded: BTreeSet<ScalerKey>,
    /// How many targets of each kind that discovery must find are named, by namespace.
    pub(super) others: BTreeMap<(Arc<OtherKind>, Arc<str>), usize>,
}

impl Indexes {
    /// Puts a variant where its own fields say. Its pools follow by [`Indexes::move_pools`].
    pub(super) fn insert(&mut self, name: &VariantKey, variant: &Variant) {
        if let TargetRef::Known(target) = &variant.target {
            let names = self.targets.entry(target.clone()).or_default();
            if names.is_empty()
                && let TargetKind::Other(other) = &target.kind
            {
                let place = (other.clone(), target.name.namespace.clone());
                *self.others.entry(place).or_default() += 1;
            }
            names.insert(name.clone());
        }
        let namespace = self.namespaces.entry(name.name.namespace.clone()).or_default();
        namespace.insert(name.clone());
        for model in names_of(variant) {
            let namespaces = self.models.entry(model.clone()).or_default();
            let names = namespaces.entry(name.name.namespace.clone()).or_default();
            names.insert(name.clone());
            let folded = self.folded.entry(folded(model)).or_default();
            folded.insert(model.clone());
        }
    }

    /// Takes a variant out everywhere.
    pub(super) fn remove(&mut self, name: &VariantKey, entry: &Entry) {
        self.move_pools(name, entry.all_pools(), std::iter::empty());
        if let Some(target) = entry.target() {
            take_out_hashed(&mut self.targets, target, name);
            if let TargetKind::Other(other) = &target.kind
                && !self.targets.contains_key(target)
            {
                let place = (other.clone(), target.name.namespace.clone());
                if let Some(count) = self.others.get_mut(&place) {
                    *count -= 1;
                    if *count == 0 {
                        self.others.remove(&place);
                    }
                }
            }
        }
        take_out_hashed(&mut self.namespaces, &name.name.namespace, name);
        for model in names_of(&entry.variant) {
            let Some(namespaces) = self.models.get_mut(model) else {
                continue;
            };
            take_out(namespaces, &name.name.namespace, name);
            if namespaces.is_empty() {
                self.models.remove(model);
                let folded = folded(model);
                if let Some(models) = self.folded.get_mut(&folded) {
                    models.remove(model);
                    if models.is_empty() {
                        self.folded.remove(&folded);
                    }
                }
            }
        }
    }

    /// Moves a variant from the pools that selected its target to those that do now.
    pub(super) fn move_pools<'a>(
        &mut self,
        name: &VariantKey,
        before: impl Iterator<Item = &'a Arc<str>>,
        now: impl Iterator<Item = &'a Arc<str>>,
    ) {
        for pool in before {
            take_out(
                &mut self.pools,
                &(name.name.namespace.clone(), pool.clone()),
                name,
            );
        }
        for pool in now {
            let key = (name.name.namespace.clone(), pool.clone());
            self.pools.entry(key).or_default().insert(name.clone());
        }
    }

    /// Whether two states of a variant stand at the same places.
    pub(super) fn same_places(a: &Variant, b: &Variant) -> bool {
        a.target == b.target && a.model == b.model && a.aliases == b.aliases
    }

    /// Models and aliases that are `model` but for upper and lower case.
    pub(super) fn same_but_for_case(&self, model: &str) -> impl Iterator<Item = &Arc<str>> {
        let models = self.folded.get(&folded(model));
        models.into_iter().flatten().filter(move |m| &***m != model)
    }
}

/// The model and the aliases of a variant.
fn names_of(variant: &Variant) -> impl Iterator<Item = &Arc<str>> {
    std::iter::once(&variant.model).chain(&variant.aliases)
}

fn folded(model: &str) -> Box<str> {
    model.to_lowercase().into()
}

/// Takes a name out of a set within a map, and the set with it once empty.
fn take_out<K: Ord>(sets: &mut BTreeMap<K, Names>, key: &K, name: &VariantKey) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

/// As [`take_out`], for a map by hash.
pub(super) fn take_out_hashed<K: Eq + Hash, N: Ord>(sets: &mut HashMap<K, BTreeSet<N>>, key: &K, name: &N) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
