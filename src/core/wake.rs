//! One step from 0 to 1.

use std::{sync::Arc, time::Duration};

use super::{
    Gone, GuardWrite, Inventory, ModelKey, Mono, Now, Observed, OutOfScope, Overdue, Parked, Rules, Scope,
    TargetKey, VariantKey, guard::before_scale,
};

/// One step from 0 to 1. It can be built only from a target that was seen at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Wake {
    /// What is scaled.
    pub target: TargetKey,
    /// Proof that it stood at 0, and at which version.
    pub(super) parked: Parked,
    /// `metadata.uid` of the target.
    pub uid: Arc<str>,
    /// `metadata.generation` of the target at 0.
    pub generation: i64,
    /// The variant it is woken for.
    pub variant: VariantKey,
    /// The model asked for.
    pub key: ModelKey,
    /// Why.
    pub cause: Cause,
    /// What is written first, to keep whoever scales the target from taking it back (rule 17).
    pub guards: Vec<GuardWrite>,
    /// Age of the sample that asked for it at `decided`, if known.
    pub sample_age: Option<Duration>,
    /// When it was decided.
    pub decided: Mono,
}

/// Why a target is woken.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Requests wait.
    Demand(Demanded),
    /// A set that was starting did not become ready (rule 11). Requests may have been dropped meanwhile.
    Escalation {
        /// A target of that set.
        from: TargetKey,
        /// What is wrong with it.
        why: Overdue,
        /// Requests that wait now, if any do.
        demanded: Option<Demanded>,
    },
    /// A person asked for it.
    ByHand,
}

/// Demand as a wake tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Demanded {
    /// Requests waiting.
    pub waiting: f64,
    /// The metric that said so, if known.
    pub family: Option<Arc<str>>,
}

impl Cause {
    /// The demand behind it, where there is any.
    pub fn demanded(&self) -> Option<&Demanded> {
        match self {
            Self::Demand(demanded) => Some(demanded),
            Self::Escalation { demanded, .. } => demanded.as_ref(),
            Self::ByHand => None,
        }
    }

    /// Requests waiting; 0 where none do.
    pub fn waiting(&self) -> f64 {
        self.demanded().map_or(0.0, |demanded| demanded.waiting)
    }
}

impl Wake {
    /// A wake of one variant by hand, without demand.
    ///
    /// # Errors
    /// Why it cannot be woken.
    pub fn by_hand(
        inventory: &Inventory,
        variant: &VariantKey,
        now: Now,
        rules: &Rules,
    ) -> Result<Self, NotWakeable> {
        let entry = inventory.entry(variant).ok_or(NotWakeable::NoVariant)?;
        if let Scope::Out(why) = entry.scope {
            return Err(NotWakeable::OutOfScope(why));
        }
        let parked = match &entry.observed {
            Err(gone) => return Err(NotWakeable::Target(*gone)),
            Ok(Observed::Scaled { replicas, ready, .. }) => {
                return Err(NotWakeable::Scaled {
                    replicas: *replicas,
                    ready: *ready,
                });
            }
            Ok(Observed::Zero(parked)) => parked,
        };
        let target = entry.target().ok_or(NotWakeable::Target(Gone::Unsupported))?;
        let known = inventory
            .target(target)
            .ok_or(NotWakeable::Target(Gone::Missing))?;
        let key = ModelKey {
            namespace: variant.name.namespace.clone(),
            pool: entry.pools.first().cloned().unwrap_or_default(),
            model: entry.variant.model.clone(),
        };
        Ok(Self {
            guards: before_scale(inventory, target, &key, now, rules),
            target: target.clone(),
            parked: parked.clone(),
            uid: known.uid.clone(),
            generation: known.generation,
            variant: variant.clone(),
            key,
            cause: Cause::ByHand,
            sample_age: None,
            decided: now.mono,
        })
    }

    /// The resourceVersion to compare and swap by.
    pub fn resource_version(&self) -> &str {
        self.parked.resource_version()
    }
}

/// Why a variant cannot be woken by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWakeable {
    /// There is none of that name, or it names no model.
    NoVariant,
    /// It is out of scope.
    OutOfScope(OutOfScope),
    /// There is no target to scale.
    Target(Gone),
    /// Its target has replicas already.
    Scaled {
        /// Asked for.
        replicas: i64,
        /// Ready.
        ready: i64,
    },
}
