//! The inventory: an index of variants, targets, pools and namespaces, fed by changes.
//!
//! Everything the join asks for is kept ready: for each variant whether it is in scope, how its
//! target stands and which pools select it. One change recomputes only the variants that refer to
//! the changed object; a property test holds any sequence of changes equal to a build from scratch.

mod apply;
mod change;
mod conflicts;
mod entry;
mod indexes;
mod joining;
mod pools;
mod records;
mod scaler;
mod scope;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

pub use self::{
    change::{Change, Table},
    entry::{Entry, Gone},
    records::{
        Condition, Cost, Desired, Namespace, Observed, Parked, Pool, Stuck, StuckBy, Target, TargetRef,
        Variant, VariantStatus,
    },
    scaler::{Guard, PAUSED_SCALE_IN, Pause, Scaler},
    scope::{OutOfScope, Scope, ScopeRules},
};
use self::{indexes::Indexes, pools::Pools};
use super::{Few, Kind, OtherKind, ScalerKey, ScalerKind, TargetKey, VariantKey};
use crate::core::HashMap;

/// What stands for one state of an inventory: no two that differ have the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Revision(Arc<()>);

impl PartialEq for Revision {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The index.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    rules: ScopeRules,
    variants: HashMap<VariantKey, Entry>,
    targets: HashMap<TargetKey, Target>,
    pools: Pools,
    scalers: HashMap<ScalerKey, Scaler>,
    namespaces: HashMap<Arc<str>, Namespace>,
    unreadable: BTreeSet<(Kind, Option<Arc<str>>)>,
    unscalable: BTreeSet<Arc<OtherKind>>,
    indexes: Indexes,
    inactive: usize,
    revision: Revision,
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

    /// The variant of that name.
    pub fn entry(&self, name: &VariantKey) -> Option<&Entry> {
        self.variants.get(name)
    }

    /// Every variant, in no order.
    pub fn entries(&self) -> impl Iterator<Item = (&VariantKey, &Entry)> {
        self.variants.iter()
    }

    /// The target of that name.
    pub fn target(&self, key: &TargetKey) -> Option<&Target> {
        self.targets.get(key)
    }

    /// The variants that scale a target.
    pub fn variants_of(&self, target: &TargetKey) -> impl Iterator<Item = &VariantKey> {
        self.indexes.targets.get(target).into_iter().flat_map(Few::iter)
    }

    /// The variants of a model or alias, namespace by namespace.
    pub fn variants_of_model(&self, model: &str) -> impl Iterator<Item = &VariantKey> {
        self.indexes.models.get(model).into_iter().flat_map(Few::iter)
    }

    /// The variants of a model or alias in one namespace.
    pub fn variants_in(&self, model: &str, namespace: &str) -> impl Iterator<Item = &VariantKey> {
        self.indexes.of_model(model, namespace)
    }

    /// The variants behind one pool.
    pub fn variants_at(&self, namespace: &Arc<str>, pool: &Arc<str>) -> impl Iterator<Item = &VariantKey> {
        let names = self.indexes.pools.get(&(namespace.clone(), pool.clone()));
        names.into_iter().flat_map(Few::iter)
    }

    /// The variants behind pools, of one namespace or all, of one name or all, pool by pool.
    pub fn variants_behind<'a>(
        &'a self,
        namespace: Option<&'a str>,
        pool: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a (Arc<str>, Arc<str>), &'a Few<VariantKey>)> {
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

    /// What scales a target by itself.
    pub fn scalers_of(&self, target: &TargetKey) -> impl Iterator<Item = (&ScalerKey, &Scaler)> {
        let keys = self.indexes.scalers.get(target).into_iter().flat_map(Few::iter);
        keys.filter_map(|key| Some((key, self.scalers.get(key)?)))
    }

    /// An object that scales.
    pub fn scaler(&self, key: &ScalerKey) -> Option<&Scaler> {
        self.scalers.get(key)
    }

    /// The objects that a guard of ours stands on.
    pub fn guarded(&self) -> impl Iterator<Item = (&ScalerKey, &Scaler)> {
        let keys = self.indexes.guarded.iter();
        keys.filter_map(|key| Some((key, self.scalers.get(key)?)))
    }

    /// Whether HPAs and ScaledObjects of a namespace can be read, so that there being none says something.
    pub fn reads_scalers(&self, namespace: &Arc<str>) -> bool {
        let kinds = ScalerKind::ALL.map(Kind::Scaler);
        !kinds.into_iter().any(|kind| self.is_unreadable(kind, namespace))
    }

    /// Whether VariantAutoscalings of a namespace can be read, so that there being none says something.
    pub fn reads_variants(&self, namespace: &Arc<str>) -> bool {
        !self.is_unreadable(Kind::Variant, namespace)
    }

    /// Whether a target is known, or can be read, so that it being unknown says something.
    pub fn reads_target(&self, target: &TargetKey) -> bool {
        let kind = || Kind::Target(target.kind.clone());
        !self.is_unreadable(kind(), &target.name.namespace) || self.targets.contains_key(target)
    }

    /// The kinds of target, by namespace, that only discovery can find.
    pub fn other_kinds(&self) -> impl Iterator<Item = &(Arc<OtherKind>, Arc<str>)> {
        self.indexes.others.keys()
    }

    /// Its state: whoever keeps it can tell whether anything has changed since.
    pub(super) fn revision(&self) -> &Revision {
        &self.revision
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
}
