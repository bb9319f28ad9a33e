//! Why demand wakes nothing: a closed list, so that nothing is silent.

use std::{fmt, sync::Arc};

use super::{Gone, OutOfScope};

/// The reason. [`Blocked::as_str`] is the value of the label `reason` in metrics; the text of
/// `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// No variant serves a model of that name.
    NoVariant,
    /// Variants of that model stand in another namespace only.
    WrongNamespace(Arc<str>),
    /// A variant's model has the same name but for upper and lower case.
    NameDiffersByCase(Arc<str>),
    /// A variant of that model stands in the namespace, but its target is behind another pool.
    OtherPool(Arc<str>),
    /// A variant of that model stands in the namespace, but no pool selects its target.
    NoPool,
    /// The variant's target is missing, unreadable or of a kind that cannot be woken.
    Target(Gone),
    /// The variant is out of scope.
    OutOfScope(OutOfScope),
    /// The EPP has seen too many model names and calls new ones `other` until it restarts.
    LabelOverflow,
    /// The row names no model, and its pool holds none or more than one (rule 2).
    UnnamedDemand,
    /// The row names no namespace, and several would answer it (rule 3).
    AmbiguousNamespace,
    /// The newest sample is older than `query.maxSampleAge` (rule 5).
    StaleDemand,
    /// The wake failed and will be tried again (rule 13).
    WakeFailed(super::Failure),
    /// The wake was taken back: something scaled the target to 0 again (rule 12).
    TakenBack,
}

impl Blocked {
    /// The word for it in metrics and reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoVariant => "no_variant",
            Self::WrongNamespace(_) => "wrong_namespace",
            Self::NameDiffersByCase(_) => "name_differs_by_case",
            Self::OtherPool(_) => "other_pool",
            Self::NoPool => "no_pool",
            Self::Target(Gone::Missing) => "target_missing",
            Self::Target(Gone::Unreadable) => "target_unreadable",
            Self::Target(Gone::Unsupported) => "target_unsupported",
            Self::OutOfScope(why) => why.as_str(),
            Self::LabelOverflow => "label_overflow",
            Self::UnnamedDemand => "unnamed_demand",
            Self::AmbiguousNamespace => "ambiguous_namespace",
            Self::StaleDemand => "stale_demand",
            Self::WakeFailed(_) => "wake_failed",
            Self::TakenBack => "taken_back",
        }
    }

    /// Whether no variant asks for this demand (rule 10), as against one that cannot be woken now.
    pub fn is_unmatched(&self) -> bool {
        !matches!(
            self,
            Self::OutOfScope(_) | Self::Target(_) | Self::StaleDemand | Self::WakeFailed(_) | Self::TakenBack
        )
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVariant => f.write_str("no VariantAutoscaling has this modelID or alias"),
            Self::WrongNamespace(ns) => write!(
                f,
                "its VariantAutoscaling is in namespace {ns}, the EPP in another; put both into one namespace"
            ),
            Self::NameDiffersByCase(name) => {
                write!(f, "a VariantAutoscaling says {name}; write modelID as requests name the model")
            }
            Self::OtherPool(pool) => write!(
                f,
                "its target is behind pool {pool}, the requests wait at another; compare the pools' selectors with the pod template's labels"
            ),
            Self::NoPool => f.write_str(
                "no InferencePool that can be read has a selector contained in the labels of the target's pod template; /readyz tells whether pools can be read",
            ),
            Self::Target(Gone::Missing) => f.write_str("the target that scaleTargetRef names does not exist"),
            Self::Target(Gone::Unreadable) => {
                f.write_str("targets of this kind cannot be read; see the state of the watches and the RBAC rules")
            }
            Self::Target(Gone::Unsupported) => {
                f.write_str("the kind in scaleTargetRef cannot be woken; Deployment and StatefulSet can")
            }
            Self::OutOfScope(why) => write!(f, "the variant is out of scope: {why}"),
            Self::LabelOverflow => f.write_str(
                "the EPP has seen too many model names and reports new ones as \"other\"; restart its pod",
            ),
            Self::UnnamedDemand => {
                f.write_str("the metric names no model, and the pool does not hold exactly one; upgrade the EPP")
            }
            Self::AmbiguousNamespace => f.write_str(
                "the metric has no namespace label, and variants in several namespaces would answer; add the label in the scrape, or set query.missingNamespace: all",
            ),
            Self::StaleDemand => f.write_str("the newest sample is older than query.maxSampleAge"),
            Self::WakeFailed(why) => write!(f, "the last attempt failed and will be repeated: {why}"),
            Self::TakenBack => {
                f.write_str("something scaled the target back to 0; it is woken again after a wait that grows")
            }
        }
    }
}
