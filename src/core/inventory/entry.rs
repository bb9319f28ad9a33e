//! A variant joined with its target, pools and namespace.

use std::sync::Arc;

use super::{super::TargetKey, Observed, Scope, TargetRef, Variant};

/// A variant with what follows from the other objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The variant as read.
    pub variant: Variant,
    /// Whether it may be woken.
    pub scope: Scope,
    /// How its target stands, or why there is none.
    pub observed: Result<Observed, Gone>,
    /// Names of the pools in its namespace that select its target and are not excluded, sorted.
    pub pools: Box<[Arc<str>]>,
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

    /// Whether one replica is ready.
    pub fn is_serving(&self) -> bool {
        matches!(self.observed, Ok(Observed::Scaled { ready, .. }) if ready > 0)
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
}
