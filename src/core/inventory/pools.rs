//! Pools, found by the labels of what they select.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{Labels, ObjectName, PoolGroup, PoolKey},
    Pool,
};
use crate::core::HashMap;

/// One pair of a selector within a namespace.
type Pair = (Arc<str>, Box<str>, Box<str>);

/// All pools. Each is filed under one pair of its selector, the one with the fewest pools so far,
/// so that finding the pools of a target need not look at every pool of the namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    pools: HashMap<PoolKey, (Pool, Option<Pair>)>,
    filed: HashMap<Pair, BTreeSet<PoolKey>>,
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
        if let Some((_, Some(pair))) = &before
            && let Some(keys) = self.filed.get_mut(pair)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.filed.remove(pair);
            }
        }
        if let Some(pool) = now {
            let pairs = pool
                .selector
                .iter()
                .map(|(n, v)| (key.name.namespace.clone(), n.into(), v.into()));
            let pair = pairs.min_by_key(|pair: &Pair| self.filed.get(pair).map_or(0, BTreeSet::len));
            if let Some(pair) = &pair {
                self.filed.entry(pair.clone()).or_default().insert(key.clone());
            }
            self.pools.insert(key.clone(), (pool, pair));
        }
        before.map(|(pool, _)| pool)
    }

    /// Names of the pools in a namespace that select these labels.
    pub(super) fn selecting(&self, namespace: &Arc<str>, labels: &Labels) -> Selecting {
        let pairs = labels
            .iter()
            .map(|(n, v)| (namespace.clone(), n.into(), v.into()));
        let filed = pairs.filter_map(|pair: Pair| self.filed.get(&pair)).flatten();
        let mut pools = BTreeSet::new();
        let mut excluded = BTreeSet::new();
        for key in filed {
            match self.get(key) {
                Some(pool) if !pool.selector.selects(labels) => {}
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
