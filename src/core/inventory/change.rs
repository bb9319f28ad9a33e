//! What a watch tells the inventory.

use std::sync::Arc;

use super::{
    super::{Kind, ObjectName, OtherKind, PoolGroup, PoolKey, ScalerKey, ScalerKind, TargetKey, TargetKind},
    Namespace, Pool, Scaler, Target, Variant,
};
use crate::core::HashMap;

/// One thing that a watch has learnt.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a change is moved once and not kept; a box for each object of a list would cost more"
)]
pub enum Change {
    /// A VariantAutoscaling is so now, or gone.
    Variant(ObjectName, Option<Variant>),
    /// A target is so now, or gone.
    Target(TargetKey, Option<Target>),
    /// A pool is so now, or gone.
    Pool(PoolKey, Option<Pool>),
    /// An HPA or ScaledObject is so now, or gone.
    Scaler(ScalerKey, Option<Scaler>),
    /// A namespace's annotations are so now, or it is gone.
    Namespace(Arc<str>, Option<Namespace>),
    /// A finished list: these and no others, of one kind, within one namespace or in all.
    Listed {
        /// Namespace that was listed; `None` for all.
        within: Option<Arc<str>>,
        /// What there is.
        table: Table,
    },
    /// Whether objects of a kind can be read, within one namespace or in all.
    Readable(Kind, Option<Arc<str>>, bool),
    /// Whether a kind found by discovery has a `/scale`.
    Scalable(Arc<OtherKind>, bool),
}

/// All objects of one kind.
#[derive(Clone, Debug)]
pub enum Table {
    /// VariantAutoscalings.
    Variants(HashMap<ObjectName, Variant>),
    /// Targets of one kind.
    Targets(TargetKind, HashMap<ObjectName, Target>),
    /// Pools of one group.
    Pools(PoolGroup, HashMap<ObjectName, Pool>),
    /// Objects that scale, of one kind.
    Scalers(ScalerKind, HashMap<ObjectName, Scaler>),
    /// Namespaces.
    Namespaces(HashMap<Arc<str>, Namespace>),
}
