//! Any sequence of changes comes to the same as a build from what there is at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    Change, Indexes, Inventory, Namespace, Pool, Pools, Scaler, ScopeRules, Table, Target, TargetRef, Variant,
};
use crate::core::{
    HashMap, Kind, Labels, ObjectName, OtherKind, PoolGroup, PoolKey, ScalerKey, ScalerKind, TargetKey,
    TargetKind, VariantKey,
    tests::{given::labels, random as any},
};

/// What there is, as plain lists.
#[derive(Clone, Debug, Default)]
struct Objects {
    variants: BTreeMap<ObjectName, Variant>,
    targets: BTreeMap<TargetKey, Target>,
    pools: BTreeMap<PoolKey, Pool>,
    scalers: BTreeMap<ScalerKey, Scaler>,
    namespaces: BTreeMap<Arc<str>, Namespace>,
    unscalable: BTreeSet<Arc<OtherKind>>,
    unreadable: BTreeSet<(Kind, Option<Arc<str>>)>,
}

impl Objects {
    /// The same change, done the obvious way.
    fn apply(&mut self, change: Change) {
        match change {
            Change::Variant(name, now) => put(&mut self.variants, name, now),
            Change::Target(key, now) => put(&mut self.targets, key, now),
            Change::Pool(key, now) => put(&mut self.pools, key, now),
            Change::Namespace(name, now) => put(&mut self.namespaces, name, now),
            Change::Readable(kind, within, true) => {
                self.unreadable.remove(&(kind, within));
            }
            Change::Readable(kind, within, false) => {
                self.unreadable.insert((kind, within));
            }
            Change::Scaler(key, now) => put(&mut self.scalers, key, now),
            Change::Scalable(kind, true) => {
                self.unscalable.remove(&kind);
            }
            Change::Scalable(kind, false) => {
                self.unscalable.insert(kind);
            }
            Change::Listed { within, table } => {
                let inside = |namespace: &Arc<str>| within.as_ref().is_none_or(|w| w == namespace);
                match table {
                    Table::Variants(fresh) => {
                        self.variants.retain(|name, _| !inside(&name.namespace));
                        self.variants.extend(fresh);
                    }
                    Table::Targets(kind, fresh) => {
                        self.targets
                            .retain(|key, _| key.kind != kind || !inside(&key.name.namespace));
                        let fresh = fresh.into_iter();
                        self.targets.extend(fresh.map(|(name, target)| {
                            (
                                TargetKey {
                                    kind: kind.clone(),
                                    name,
                                },
                                target,
                            )
                        }));
                    }
                    Table::Pools(group, fresh) => {
                        self.pools
                            .retain(|key, _| key.group != group || !inside(&key.name.namespace));
                        let fresh = fresh.into_iter();
                        self.pools
                            .extend(fresh.map(|(name, pool)| (PoolKey { group, name }, pool)));
                    }
                    Table::Scalers(kind, fresh) => {
                        self.scalers
                            .retain(|key, _| key.kind != kind || !inside(&key.name.namespace));
                        let fresh = fresh.into_iter();
                        self.scalers
                            .extend(fresh.map(|(name, scaler)| (ScalerKey { kind, name }, scaler)));
                    }
                    Table::Namespaces(fresh) => {
                        self.namespaces.retain(|name, _| !inside(name));
                        self.namespaces.extend(fresh);
                    }
                }
            }
        }
    }

    /// An inventory of just these.
    fn build(&self, rules: &ScopeRules) -> Inventory {
        let mut fresh = Inventory::new(rules.clone());
        for (key, target) in &self.targets {
            fresh.apply(Change::Target(key.clone(), Some(target.clone())));
        }
        for (key, pool) in &self.pools {
            fresh.apply(Change::Pool(key.clone(), Some(pool.clone())));
        }
        for (name, marks) in &self.namespaces {
            fresh.apply(Change::Namespace(name.clone(), Some(*marks)));
        }
        for (kind, within) in &self.unreadable {
            fresh.apply(Change::Readable(kind.clone(), within.clone(), false));
        }
        for kind in &self.unscalable {
            fresh.apply(Change::Scalable(kind.clone(), false));
        }
        for (key, scaler) in &self.scalers {
            fresh.apply(Change::Scaler(key.clone(), Some(scaler.clone())));
        }
        for (name, variant) in &self.variants {
            fresh.apply(Change::Variant(name.clone(), Some(variant.clone())));
        }
        fresh
    }
}

impl Objects {
    /// All variants, whatever says so, of the sources that count.
    fn variants(&self, rules: &ScopeRules) -> BTreeMap<VariantKey, Variant> {
        let autoscalings = self.variants.iter();
        let autoscalings = autoscalings.map(|(name, v)| (VariantKey::autoscaling(name.clone()), v.clone()));
        let others = self.scalers.iter().filter_map(|(key, scaler)| {
            let (name, source) = (key.name.clone(), key.kind.source());
            Some((VariantKey { name, source }, scaler.variant.clone()?))
        });
        let all = autoscalings.chain(others);
        all.filter(|(key, _)| rules.sources.contains(&key.source))
            .collect()
    }

    /// What the indexes find is what looking at everything finds.
    fn look_up(
        &self,
        inventory: &Inventory,
        variants: &BTreeMap<VariantKey, Variant>,
    ) -> Result<(), TestCaseError> {
        let is = |reference: &TargetRef, target: &TargetKey| *reference == TargetRef::Known(target.clone());
        let named = variants.values().filter_map(|v| match &v.target {
            TargetRef::Known(target) => Some(target),
            TargetRef::Unsupported(_) => None,
        });
        let scaled = self.scalers.values().filter_map(|s| match &s.target {
            TargetRef::Known(target) => Some(target),
            TargetRef::Unsupported(_) => None,
        });
        let named: BTreeSet<_> = named.collect();
        for target in named.iter().copied().chain(scaled) {
            let on = self.scalers.iter().filter(|(_, s)| is(&s.target, target));
            let found: BTreeMap<_, _> = inventory.scalers_of(target).collect();
            prop_assert_eq!(found, on.collect::<BTreeMap<_, _>>());
            let of = variants.iter().filter(|(_, v)| is(&v.target, target));
            let found: BTreeSet<_> = inventory.variants_of(target).collect();
            prop_assert_eq!(found, of.map(|(key, _)| key).collect::<BTreeSet<_>>());
        }
        let guarded = self.scalers.iter().filter(|(_, s)| s.guard.is_some());
        prop_assert_eq!(
            inventory.guarded().collect::<BTreeMap<_, _>>(),
            guarded.collect::<BTreeMap<_, _>>()
        );
        let others = named.iter().filter_map(|target| match &target.kind {
            TargetKind::Other(kind) => Some((kind.clone(), target.name.namespace.clone())),
            _ => None,
        });
        let found: BTreeSet<_> = inventory.other_kinds().cloned().collect();
        prop_assert_eq!(found, others.collect::<BTreeSet<_>>());
        for namespace in any::NAMESPACES.map(Arc::<str>::from) {
            let unreadable = ScalerKind::ALL.into_iter().any(|kind| {
                [None, Some(namespace.clone())]
                    .into_iter()
                    .any(|within| self.unreadable.contains(&(Kind::Scaler(kind), within)))
            });
            prop_assert_eq!(inventory.reads_scalers(&namespace), !unreadable);
        }
        Ok(())
    }
}

fn put<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, now: Option<V>) {
    match now {
        Some(now) => table.insert(key, now),
        None => table.remove(&key),
    };
}

/// A finished list of one namespace or all, of objects that stand there.
fn listed() -> impl Strategy<Value = Change> {
    let scalers = select(&ScalerKind::ALL).prop_flat_map(|kind| {
        let all = vec((any::object(), any::scaler(kind)), 0..6);
        all.prop_map(move |all| Table::Scalers(kind, all.into_iter().collect()))
    });
    let tables = prop_oneof![
        scalers,
        vec((any::object(), any::variant()), 0..6).prop_map(|all| Table::Variants(all.into_iter().collect())),
        (any::kind(), vec((any::object(), any::target()), 0..6))
            .prop_map(|(kind, all)| Table::Targets(kind, all.into_iter().collect())),
        (
            select(&[PoolGroup::Stable, PoolGroup::Experimental]),
            vec((any::object(), any::pool()), 0..6)
        )
            .prop_map(|(group, all)| Table::Pools(group, all.into_iter().collect())),
        vec((any::namespace(), any::marks()), 0..3)
            .prop_map(|all| Table::Namespaces(all.into_iter().map(|(n, m)| (n.into(), m)).collect())),
    ];
    (option::of(any::namespace()), tables).prop_map(|(within, mut table)| {
        let within = within.map(Arc::from);
        if let Some(within) = &within {
            match &mut table {
                Table::Variants(all) => all.retain(|name, _| name.namespace == *within),
                Table::Targets(_, all) => all.retain(|name, _| name.namespace == *within),
                Table::Scalers(_, all) => all.retain(|name, _| name.namespace == *within),
                Table::Pools(_, all) => all.retain(|name, _| name.namespace == *within),
                Table::Namespaces(all) => all.retain(|name, _| name == within),
            }
        }
        Change::Listed { within, table }
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (any::object(), option::weighted(0.8, any::variant()))
            .prop_map(|(name, now)| Change::Variant(name, now)),
        6 => (any::target_key(), option::weighted(0.8, any::target()))
            .prop_map(|(key, now)| Change::Target(key, now)),
        4 => (any::pool_key(), option::weighted(0.8, any::pool()))
            .prop_map(|(key, now)| Change::Pool(key, now)),
        2 => (any::namespace(), option::weighted(0.8, any::marks()))
            .prop_map(|(name, now)| Change::Namespace(name.into(), now)),
        4 => (any::keyed_scaler(), prop::bool::weighted(0.8))
            .prop_map(|((key, scaler), there)| Change::Scaler(key, there.then_some(scaler))),
        1 => (any::other_kind(), any::<bool>())
            .prop_map(|(kind, scalable)| Change::Scalable(kind, scalable)),
        1 => (any::watched(), option::of(any::namespace()), any::<bool>())
            .prop_map(|(kind, within, readable)| Change::Readable(kind, within.map(Into::into), readable)),
        2 => listed(),
    ]
}

/// All that an inventory says, but for the order in which it was said.
#[derive(Debug, PartialEq)]
struct Said {
    entries: HashMap<VariantKey, super::Entry>,
    targets: HashMap<TargetKey, Target>,
    pools: BTreeMap<PoolKey, Pool>,
    scalers: HashMap<ScalerKey, Scaler>,
    namespaces: HashMap<Arc<str>, Namespace>,
    indexes: Indexes,
    conflicts: Vec<String>,
    counts: (usize, usize, usize, usize),
}

fn said(inventory: &Inventory) -> Said {
    let keys = any::NAMESPACES
        .iter()
        .flat_map(|ns| any::NAMES.map(|n| ObjectName::new(*ns, n)));
    let keys = keys.flat_map(|name| {
        [PoolGroup::Stable, PoolGroup::Experimental].map(|group| PoolKey {
            group,
            name: name.clone(),
        })
    });
    Said {
        entries: inventory.variants.clone(),
        targets: inventory.targets.clone(),
        pools: keys
            .filter_map(|key| Some((key.clone(), inventory.pools.get(&key)?.clone())))
            .collect(),
        scalers: inventory.scalers.clone(),
        namespaces: inventory.namespaces.clone(),
        indexes: inventory.indexes.clone(),
        conflicts: inventory.conflicts(),
        counts: (
            inventory.inactive(),
            inventory.variants(),
            inventory.pools(),
            inventory.targets(),
        ),
    }
}

proptest! {
    #[test]
    fn any_sequence_of_changes_equals_a_build_from_scratch(
        rules in any::scope_rules(),
        changes in vec(change(), 1..50),
    ) {
        let mut inventory = Inventory::new(rules.clone());
        let mut objects = Objects::default();
        for change in changes {
            inventory.apply(change.clone());
            objects.apply(change);
        }
        let fresh = objects.build(&rules);
        prop_assert_eq!(said(&inventory), said(&fresh));
        let variants = objects.variants(&rules);
        prop_assert_eq!(inventory.variants(), variants.len());
        objects.look_up(&inventory, &variants)?;
        prop_assert_eq!(inventory.targets(), objects.targets.len());
        prop_assert_eq!(inventory.pools(), objects.pools.len());
        prop_assert_eq!(
            inventory.inactive(),
            inventory.entries().filter(|(_, entry)| entry.is_inactive()).count()
        );
        // Whatever is taken out again leaves nothing behind.
        for name in objects.variants.keys() {
            inventory.apply(Change::Variant(name.clone(), None));
        }
        for key in objects.scalers.keys() {
            inventory.apply(Change::Scaler(key.clone(), None));
        }
        prop_assert_eq!(&inventory.indexes, &Indexes::default());
        prop_assert_eq!(inventory.inactive(), 0);
    }

    #[test]
    fn pools_are_found_however_they_are_filed(
        steps in vec((any::pool_key(), option::weighted(0.8, any::pool())), 1..30),
    ) {
        let mut pools = Pools::default();
        let mut plain = BTreeMap::new();
        for (key, now) in steps {
            prop_assert_eq!(pools.set(&key, now.clone()), plain.get(&key).cloned());
            put(&mut plain, key, now);
        }
        let namespace = Arc::from("one");
        for text in any::LABELS {
            let labels: Labels = labels(text);
            let chosen = |excluded: bool| -> BTreeSet<Arc<str>> {
                let all = plain.iter().filter(|(key, pool)| {
                    key.name.namespace == namespace && pool.excluded == excluded && pool.selector.selects(&labels)
                });
                all.map(|(key, _)| key.name.name.clone()).collect()
            };
            let found = pools.selecting(&namespace, &labels);
            let open: Vec<_> = chosen(false).difference(&chosen(true)).cloned().collect();
            prop_assert_eq!(found.pools.to_vec(), open);
            prop_assert_eq!(found.excluded_pools.to_vec(), Vec::from_iter(chosen(true)));
        }
    }
}

/// A change that says nothing new, or is said twice, changes nothing.
#[test]
fn a_change_said_twice_is_one() {
    let mut inventory = Inventory::default();
    let given = crate::core::tests::given::v("one/a").alias("x");
    let key = TargetKey {
        kind: TargetKind::Deployment,
        name: given.name.name.clone(),
    };
    let changes = [
        Change::Variant(given.name.name.clone(), Some(given.variant)),
        Change::Target(key, given.target),
        Change::Namespace("one".into(), Some(Namespace::default())),
        Change::Readable(Kind::Namespace, None, false),
    ];
    for change in &changes {
        inventory.apply(change.clone());
    }
    let once = said(&inventory);
    for change in changes {
        inventory.apply(change);
    }
    assert_eq!(said(&inventory), once);
    assert_eq!(inventory.inactive(), 1);
}
