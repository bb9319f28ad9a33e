//! Maps that decisions are made with: hashed, as names are long and share their beginnings, which makes comparing them
//! for a sorted map most of a tick's cost; in order of insertion where anything follows from the order.
//!
//! `indexmap` and `foldhash` are kept by the people of the standard library's own map, and in the tree already. The seed is
//! random, as anybody may choose the names of models; no order depends on it.

use std::{
    hash::{BuildHasher as _, Hash},
    sync::LazyLock,
};

use foldhash::fast::RandomState;

/// A map in order of insertion.
pub type Map<K, V> = indexmap::IndexMap<K, V, RandomState>;

/// A map in no order.
pub type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A map with room for so many.
pub(super) fn map_for<K, V>(many: usize) -> Map<K, V> {
    Map::with_capacity_and_hasher(many, RandomState::default())
}

/// The same in no order.
pub(super) fn hash_map_for<K, V>(many: usize) -> HashMap<K, V> {
    HashMap::with_capacity_and_hasher(many, RandomState::default())
}

/// A hash that is the same throughout a process: for maps that keep this instead of a long key. Who looks there must
/// see for himself that what he finds is what he meant.
pub(super) fn hash_of(key: impl Hash) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEED.hash_one(key)
}

/// Looks keys up that come in about the order of the map, as those do of another map that was filled along with it: the
/// place after the last one found is tried before the hash is, so that both are walked side by side.
#[derive(Debug, Default)]
pub(super) struct Cursor(usize);

impl Cursor {
    /// The place of a key.
    pub(super) fn find<K: Eq + Hash, V>(&mut self, map: &Map<K, V>, key: &K) -> Option<usize> {
        let found = match map.get_index(self.0) {
            Some((next, _)) if next == key => self.0,
            _ => map.get_index_of(key)?,
        };
        self.0 = found + 1;
        Some(found)
    }

    /// What stands there.
    pub(super) fn get<'m, K: Eq + Hash, V>(&mut self, map: &'m Map<K, V>, key: &K) -> Option<&'m V> {
        let at = self.find(map, key)?;
        map.get_index(at).map(|(_, found)| found)
    }
}
