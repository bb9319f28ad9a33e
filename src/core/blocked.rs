//! Why demand wakes nothing: a closed list, so that nothing is silent.

use std::{fmt, sync::Arc};

use super::{Gone, OutOfScope, Overdue, TakenBy};

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
    /// The wake was taken back: something scaled the target to 0 again (rule 12). By whom, once that is known.
    TakenBack(Option<TakenBy>),
    /// A person took the wake back, and is not fought for `wake.manualHold` (rule 12).
    Manual(TakenBy),
    /// The label `llm-d.ai/role` of a target says a word that is not known (rule 8).
    UnknownRole(Box<str>),
    /// None of the variants of the model decodes, or none that can be woken does (rule 8).
    Incomplete,
    /// As many targets are starting as `wake.maxStarting` or `maxStartingPerNamespace` allow (rule 19).
    Capped,
    /// What was woken for it does not become ready, and nothing more is woken: `wake.maxEscalations` is used up, or there
    /// is no other set (rule 11).
    Overdue(Overdue),
    /// The EPP is scraped and its flow control is off, so nothing can wait (rule 4).
    FlowControlOff,
    /// Prometheus has no metric of the EPP (rule 4).
    EppNotScraped,
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
            Self::Target(Gone::NoTemplate) => "target_without_template",
            Self::TakenBack(_) => "taken_back",
            Self::Manual(_) => "manual",
            Self::UnknownRole(_) => "unknown_role",
            Self::Incomplete => "incomplete_set",
            Self::Capped => "capped",
            Self::Overdue(_) => "overdue",
            Self::FlowControlOff => "flow_control_off",
            Self::EppNotScraped => "epp_not_scraped",
        }
    }

    /// Whether no variant asks for this demand (rule 10), as against one that cannot be woken now.
    pub fn is_unmatched(&self) -> bool {
        matches!(
            self,
            Self::NoVariant
                | Self::WrongNamespace(_)
                | Self::NameDiffersByCase(_)
                | Self::OtherPool(_)
                | Self::NoPool
                | Self::LabelOverflow
                | Self::UnnamedDemand
                | Self::AmbiguousNamespace
        )
    }

    /// Whether it says that demand cannot be seen, not that demand is held back.
    pub fn is_no_signal(&self) -> bool {
        matches!(self, Self::FlowControlOff | Self::EppNotScraped)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVariant => f.write_str("no variant has this model or alias: neither the modelID of a VariantAutoscaling, nor the annotation llm-d.ai/model-id of a managed ScaledObject or HorizontalPodAutoscaler"),
            Self::WrongNamespace(ns) => write!(
                f,
                "its variant is in namespace {ns}, the EPP in another; put both into one namespace"
            ),
            Self::NameDiffersByCase(name) => {
                write!(f, "a variant says {name}; write its model as requests name it")
            }
            Self::OtherPool(pool) => write!(
                f,
                "its target is behind pool {pool}, the requests wait at another; compare the pools' selectors with the pod template's labels"
            ),
            Self::NoPool => f.write_str(
                "no InferencePool that can be read has a selector contained in the labels of the target's pod template; compare the two",
            ),
            Self::Target(Gone::Missing) => f.write_str("the target that scaleTargetRef names does not exist"),
            Self::Target(Gone::Unreadable) => {
                f.write_str("targets of this kind cannot be read; see the state of the watches and the RBAC rules")
            }
            Self::Target(Gone::Unsupported) => {
                f.write_str("the kind in scaleTargetRef cannot be woken: the API has no /scale for it, or no such kind without an apiVersion")
            }
            Self::Target(Gone::NoTemplate) => {
                f.write_str("the target has no pod template at spec.template, so no pool can select it")
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
            Self::TakenBack(Some(by @ TakenBy::Autoscaler(_))) => write!(
                f,
                "scaled back to 0 by {by}; it is woken again after a wait that grows; a scale-down window there prevents it, or wake.guard"
            ),
            Self::TakenBack(Some(by)) => {
                write!(f, "scaled back to 0 by {by}; it is woken again after a wait that grows")
            }
            Self::TakenBack(None) => f.write_str("scaled back to 0; who did it is being looked up"),
            Self::Manual(by) => write!(
                f,
                "scaled back to 0 by {by}; left alone for wake.manualHold, or until it is scaled up by hand"
            ),
            Self::UnknownRole(role) => write!(
                f,
                "the label llm-d.ai/role of the pod template says {role:?}; write decode, prefill, encode, prefill-decode, encode-prefill or encode-prefill-decode"
            ),
            Self::Incomplete => f.write_str(
                "its variants do not make a serving set: one that prefills and decodes, or a decode with a prefill; see the label llm-d.ai/role of their pod templates",
            ),
            Self::Capped => f.write_str(
                "as many targets are starting as wake.maxStarting or wake.maxStartingPerNamespace allow; the largest queue goes first",
            ),
            Self::Overdue(why) => write!(
                f,
                "what was woken for it does not become ready: {why}; no other set can be woken, or wake.maxEscalations is used up"
            ),
            Self::FlowControlOff => f.write_str(
                "the EPP of its pool is scraped but has no flow control queue; switch it on (featureGates: [flowControl] in its EndpointPickerConfig) and restart its pods",
            ),
            Self::EppNotScraped => f.write_str(
                "Prometheus has no metric of the EPP of its pool; look at its ServiceMonitor and the targets page of Prometheus",
            ),
        }
    }
}
