//! Where a variant is found by: its target, namespace, models and pools.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
    sync::Arc,
};

use super::{
    super::{Few, Labels, ObjectName, OtherKind, ScalerKey, Source, TargetKey, TargetKind, VariantKey},
    Entry, TargetRef, Variant,
};
use crate::core::{HashMap, maps::hash_of};

/// The variants found at one place.
type Names = Few<VariantKey>;

/// Namespace and name of a pool.
type PoolName = (Arc<str>, Arc<str>);

/// The indexes. A place where nobody stands any more is taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Indexes {
    pub(super) targets: HashMap<TargetKey, Names>,
    pub(super) namespaces: HashMap<Arc<str>, Names>,
    /// By model or alias. Those of one namespace stand together.
    pub(super) models: HashMap<Arc<str>, Names>,
    /// Models and aliases by their lower-case form, to find names that differ by case.
    pub(super) folded: HashMap<Box<str>, Few<Arc<str>>>,
    /// Pools that select the target, excluded ones too.
    pub(super) pools: BTreeMap<PoolName, Names>,
    /// By the label pairs of the target, as [`places`] names them, for the pools to find it.
    pub(super) labels: HashMap<u64, Names>,
    /// What scales a target by itself.
    pub(super) scalers: HashMap<TargetKey, Few<ScalerKey>>,
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
            self.models.entry(model.clone()).or_default().insert(name.clone());
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
            take_out_hashed(&mut self.models, model, name);
            if !self.models.contains_key(model) {
                take_out_hashed(&mut self.folded, &folded(model), model);
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

    /// Moves a variant from the labels that its target had to those that it has now.
    pub(super) fn move_labels(&mut self, name: &VariantKey, before: Option<&Labels>, now: Option<&Labels>) {
        let namespace = &name.name.namespace;
        for place in before.into_iter().flat_map(|labels| places(namespace, labels)) {
            take_out_hashed(&mut self.labels, &place, name);
        }
        for place in now.into_iter().flat_map(|labels| places(namespace, labels)) {
            self.labels.entry(place).or_default().insert(name.clone());
        }
    }

    /// The variants whose targets may carry all of these labels: those found by the rarest of them.
    pub(super) fn labelled(
        &self,
        namespace: &Arc<str>,
        labels: &Labels,
    ) -> impl Iterator<Item = &VariantKey> {
        let found = places(namespace, labels).map(|place| self.labels.get(&place));
        // Where one label stands nowhere, nothing carries them all.
        let rarest = found.min_by_key(|names| names.map_or(0, Few::len)).flatten();
        rarest.into_iter().flat_map(Few::iter)
    }

    /// The variants of a model or alias in a namespace.
    pub(super) fn of_model<'a>(
        &'a self,
        model: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &'a VariantKey> {
        let (one, many) = match self.models.get(model) {
            Some(Few::One(one)) => (Some(one).filter(|one| *one.name.namespace == *namespace), None),
            Some(Few::Many(all)) => {
                let first = VariantKey {
                    name: ObjectName::new(namespace, ""),
                    source: Source::VariantAutoscaling,
                };
                let namespace = first.name.namespace.clone();
                let here = move |name: &&VariantKey| name.name.namespace == namespace;
                (None, Some(all.range(first..).take_while(here)))
            }
            None => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Whether two states of a variant stand at the same places.
    pub(super) fn same_places(a: &Variant, b: &Variant) -> bool {
        a.target == b.target && a.model == b.model && a.aliases == b.aliases
    }

    /// Models and aliases that are `model` but for upper and lower case.
    pub(super) fn same_but_for_case(&self, model: &str) -> impl Iterator<Item = &Arc<str>> {
        let models = self.folded.get(&folded(model));
        models
            .into_iter()
            .flat_map(Few::iter)
            .filter(move |m| &***m != model)
    }
}

/// The model and the aliases of a variant.
fn names_of(variant: &Variant) -> impl Iterator<Item = &Arc<str>> {
    std::iter::once(&variant.model).chain(&variant.aliases)
}

/// Where what carries these labels is filed, each pair by itself.
pub(super) fn places(namespace: &Arc<str>, labels: &Labels) -> impl Iterator<Item = u64> {
    labels.iter().map(move |pair| hash_of((namespace, pair)))
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
pub(super) fn take_out_hashed<K: Eq + Hash, N: Ord>(sets: &mut HashMap<K, Few<N>>, key: &K, name: &N) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
