//! Pools, found by the labels of what they select.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{Few, Labels, ObjectName, PoolGroup, PoolKey},
    Pool,
    indexes::{places, take_out_hashed},
};
use crate::core::HashMap;

/// All pools. Each is filed under one pair of its selector, the one with the fewest pools so far,
/// so that finding the pools of a target need not look at every pool of the namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    pools: HashMap<PoolKey, (Pool, Option<u64>)>,
    filed: HashMap<u64, Few<PoolKey>>,
}

impl Pools {
    pub(super) fn len(&self) -> usize {
        self.pools.len()
    }

    pub(super) fn get(&self, key: &PoolKey) -> Option<&Pool> {
        self.pools.get(key).map(|(pool, _)| pool)
    }

    /// Names of the pools of a group, in one namespace or all.
    pub(super) fn names(&self, group: PoolGroup, within: Option<&Arc<str>>) -> Vec<ObjectName> {
        let inside = |k: &&PoolKey| k.group == group && within.is_none_or(|w| *w == k.name.namespace);
        self.pools.keys().filter(inside).map(|k| k.name.clone()).collect()
    }

    /// Puts a pool in, or out; returns what was there.
    pub(super) fn set(&mut self, key: &PoolKey, now: Option<Pool>) -> Option<Pool> {
        let before = self.pools.remove(key);
        if let Some((_, Some(place))) = &before {
            take_out_hashed(&mut self.filed, place, key);
        }
        if let Some(pool) = now {
            let places = places(&key.name.namespace, &pool.selector);
            let place = places.min_by_key(|place| self.filed.get(place).map_or(0, Few::len));
            if let Some(place) = place {
                self.filed.entry(place).or_default().insert(key.clone());
            }
            self.pools.insert(key.clone(), (pool, place));
        }
        before.map(|(pool, _)| pool)
    }

    /// Names of the pools in a namespace that select these labels.
    pub(super) fn selecting(&self, namespace: &Arc<str>, labels: &Labels) -> Selecting {
        let filed = places(namespace, labels).filter_map(|place| self.filed.get(&place));
        let mut pools = BTreeSet::new();
        let mut excluded = BTreeSet::new();
        for key in filed.flat_map(Few::iter) {
            match self.get(key) {
                Some(pool) if key.name.namespace != *namespace || !pool.selector.selects(labels) => {}
                Some(pool) if pool.excluded => {
                    excluded.insert(key.name.name.clone());
                }
                Some(_) => {
                    pools.insert(key.name.name.clone());
                }
                None => {}
            }
        }
        // Who marks a pool does not know which of the two groups kubectl has shown.
        pools.retain(|name| !excluded.contains(name));
        Selecting {
            pools: pools.into_iter().collect(),
            excluded_pools: excluded.into_iter().collect(),
        }
    }
}

/// Names of the pools that select some labels, sorted.
#[derive(Debug, Default)]
pub(super) struct Selecting {
    /// Those that are not excluded.
    pub(super) pools: Box<[Arc<str>]>,
    /// Those that are.
    pub(super) excluded_pools: Box<[Arc<str>]>,
}
