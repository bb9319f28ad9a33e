//! Maps that decisions are made with: hashed, as names are long and share their beginnings, which makes comparing them
//! for a sorted map most of a tick's cost; in order of insertion where anything follows from the order.
//!
//! `indexmap` and `foldhash` are what the standard library's own map is made of, and in the tree already. The seed is
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

/// A hash that is the same throughout a process: for maps that keep this instead of a long key. Who looks there must
/// see for himself that what he finds is what he meant.
pub(super) fn hash_of(key: impl Hash) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEED.hash_one(key)
}
