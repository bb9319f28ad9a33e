//! Which variants are ours to wake (rule 7), and why the others are not.

use std::{collections::BTreeSet, fmt};

use super::{super::Source, Namespace, Target, Variant};

/// The part of the configuration that says which variants are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRules {
    /// Namespaces watched; empty means all.
    pub namespaces: Vec<String>,
    /// Only variants whose label `wva.llmd.ai/controller-instance` says this; `None` takes all.
    pub controller_instance: Option<String>,
    /// The kinds that variants are taken from (rule 16).
    pub sources: BTreeSet<Source>,
}

impl Default for ScopeRules {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            controller_instance: None,
            sources: Source::ALL.into(),
        }
    }
}

/// Whether a variant may be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It may.
    In,
    /// It may not.
    Out(OutOfScope),
}

/// Why a variant may not be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutOfScope {
    /// Its namespace is none of `scope.namespaces`.
    OtherNamespace,
    /// Another `wva.llmd.ai/controller-instance`.
    OtherInstance,
    /// The variant or its target is being deleted.
    Deleting,
    /// Annotation `scale-from-zero/exclude` on the variant.
    VariantExcluded,
    /// The same on its target.
    TargetExcluded,
    /// The same on the pool, or on every pool that selects its target.
    PoolExcluded,
    /// The same on its namespace.
    NamespaceExcluded,
    /// Annotation `wva.llmd.ai/exclude` on its namespace.
    NamespaceExcludedFromWva,
    /// `spec.maxReplicas` is 0.
    MaxReplicasZero,
    /// A ScaledObject on its target is paused by an annotation of KEDA's.
    Paused,
    /// A variant of a source that comes before describes the same target (rule 16).
    Outranked,
}

impl OutOfScope {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::OtherNamespace,
        Self::OtherInstance,
        Self::Deleting,
        Self::VariantExcluded,
        Self::TargetExcluded,
        Self::PoolExcluded,
        Self::NamespaceExcluded,
        Self::NamespaceExcludedFromWva,
        Self::MaxReplicasZero,
        Self::Paused,
        Self::Outranked,
    ];

    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherNamespace => "out_of_scope_namespace",
            Self::OtherInstance => "out_of_scope_instance",
            Self::Deleting => "out_of_scope_deleting",
            Self::VariantExcluded => "out_of_scope_variant_excluded",
            Self::TargetExcluded => "out_of_scope_target_excluded",
            Self::PoolExcluded => "out_of_scope_pool_excluded",
            Self::NamespaceExcluded => "out_of_scope_namespace_excluded",
            Self::NamespaceExcludedFromWva => "out_of_scope_namespace_excluded_from_wva",
            Self::MaxReplicasZero => "out_of_scope_max_replicas",
            Self::Paused => "out_of_scope_paused",
            Self::Outranked => "out_of_scope_outranked",
        }
    }
}

impl fmt::Display for OutOfScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherNamespace => "its namespace is not in scope.namespaces",
            Self::OtherInstance => {
                "its label wva.llmd.ai/controller-instance is not that of scope.controllerInstance"
            }
            Self::Deleting => "the variant or its target is being deleted",
            Self::VariantExcluded => "the variant has the annotation scale-from-zero/exclude",
            Self::TargetExcluded => "its target has the annotation scale-from-zero/exclude",
            Self::PoolExcluded => "its pool has the annotation scale-from-zero/exclude",
            Self::NamespaceExcluded => "its namespace has the annotation scale-from-zero/exclude",
            Self::NamespaceExcludedFromWva => "its namespace has the annotation wva.llmd.ai/exclude",
            Self::MaxReplicasZero => "its maxReplicas is 0",
            Self::Paused => {
                "a ScaledObject on its target is paused by an annotation (autoscaling.keda.sh/paused, paused-replicas or paused-scale-out)"
            }
            Self::Outranked => {
                "another object describes the same target and comes first: VariantAutoscaling before ScaledObject before HorizontalPodAutoscaler"
            }
        })
    }
}

impl ScopeRules {
    /// Whether objects of a namespace are looked at.
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|n| n == namespace)
    }

    /// Why the variant itself, its target or its namespace keeps it out. Pools are the caller's.
    pub(super) fn keeps_out(
        &self,
        namespace: &str,
        variant: &Variant,
        target: Option<&Target>,
        marks: Namespace,
    ) -> Option<OutOfScope> {
        let outside = !self.covers(namespace);
        let other_instance = self.controller_instance.is_some()
            && self.controller_instance.as_deref() != variant.controller_instance.as_deref();
        // As WVA does: who watches exactly one namespace has said so, and its mark does not count.
        let wva_mark_counts = !(self.namespaces.len() == 1 && self.namespaces[0] == namespace);
        [
            (outside, OutOfScope::OtherNamespace),
            (other_instance, OutOfScope::OtherInstance),
            (
                variant.deleting || target.is_some_and(|t| t.deleting),
                OutOfScope::Deleting,
            ),
            (variant.excluded, OutOfScope::VariantExcluded),
            (target.is_some_and(|t| t.excluded), OutOfScope::TargetExcluded),
            (marks.excluded, OutOfScope::NamespaceExcluded),
            (
                marks.excluded_from_wva && wva_mark_counts,
                OutOfScope::NamespaceExcludedFromWva,
            ),
            (
                variant.max_replicas.is_some_and(|max| max <= 0),
                OutOfScope::MaxReplicasZero,
            ),
        ]
        .into_iter()
        .find_map(|(holds, why)| holds.then_some(why))
    }
}
