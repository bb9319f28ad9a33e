//! A variant joined with its target, pools and namespace.

use std::sync::Arc;

use super::{
    super::{Role, TargetKey},
    Observed, Scope, TargetRef, Variant,
};

/// A variant with what follows from the other objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The variant as read.
    pub variant: Variant,
    /// Whether it may be woken.
    pub scope: Scope,
    /// How its target stands, or why there is none.
    pub observed: Result<Observed, Gone>,
    /// What its target does for the model.
    pub role: Role,
    /// Names of the pools in its namespace that select its target and are not excluded, sorted.
    pub pools: Box<[Arc<str>]>,
    /// The same of those that are excluded. A name is excluded if either group's pool says so.
    pub excluded_pools: Box<[Arc<str>]>,
}

impl Entry {
    /// Whether the variant is in scope with its target at 0.
    pub fn is_inactive(&self) -> bool {
        self.scope == Scope::In && matches!(self.observed, Ok(Observed::Zero(_)))
    }

    /// Whether the target has replicas, ready or not.
    pub fn is_scaled(&self) -> bool {
        matches!(self.observed, Ok(Observed::Scaled { .. }))
    }

    /// Whether the variant is in scope and its target has replicas of which none is ready.
    pub fn is_starting(&self) -> bool {
        self.scope == Scope::In && self.is_scaled() && !self.is_serving()
    }

    /// Whether one replica is ready.
    pub fn is_serving(&self) -> bool {
        matches!(self.observed, Ok(Observed::Scaled { ready, .. }) if ready > 0)
    }

    /// The pools that select its target, those that are not excluded first.
    pub fn all_pools(&self) -> impl Iterator<Item = &Arc<str>> {
        self.pools.iter().chain(&self.excluded_pools)
    }

    /// Whether requests for it may wait at a pool: one that selects its target, excluded or not,
    /// of this name or, where none is given, of any.
    pub fn stands_behind(&self, pool: Option<&str>) -> bool {
        self.all_pools().any(|p| pool.is_none_or(|wanted| wanted == &**p))
    }

    /// The target, where it is of a kind that can be woken.
    pub fn target(&self) -> Option<&TargetKey> {
        match &self.variant.target {
            TargetRef::Known(key) => Some(key),
            TargetRef::Unsupported(_) => None,
        }
    }
}

/// Why a variant has no target to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gone {
    /// There is none of that name.
    Missing,
    /// Objects of its kind cannot be read, so nothing is known.
    Unreadable,
    /// Its kind is none that can be woken.
    Unsupported,
    /// It has no pod template, so no pool can select it.
    NoTemplate,
}
