//! What is kept of each object: the few fields the decision reads.

use std::sync::Arc;

use super::super::{Labels, ROLE, Role, TargetKey, Wall};

/// What describes a variant: a VariantAutoscaling (`llmd.ai/v1alpha1`), or another source (rule 16).
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// `metadata.uid`.
    pub uid: Box<str>,
    /// `metadata.resourceVersion`, for compare-and-swap of its status.
    pub resource_version: Box<str>,
    /// `metadata.generation`.
    pub generation: i64,
    /// What `spec.scaleTargetRef` names.
    pub target: TargetRef,
    /// `spec.modelID`.
    pub model: Arc<str>,
    /// Further models it serves: annotation `scale-from-zero/models`, split at commas.
    pub aliases: Box<[Arc<str>]>,
    /// `spec.variantCost`.
    pub cost: Cost,
    /// `spec.maxReplicas` of newer versions.
    pub max_replicas: Option<i64>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Annotation `scale-from-zero/exclude: "true"`.
    pub excluded: bool,
    /// Label `wva.llmd.ai/controller-instance`.
    pub controller_instance: Option<Box<str>>,
    /// Label `inference.optimization/acceleratorName`.
    pub accelerator: Option<Box<str>>,
    /// Its status, as far as we write it. Empty for what is no VariantAutoscaling.
    pub status: VariantStatus,
    /// When our annotation with the last decision was written, where it stands.
    pub annotated: Option<Wall>,
}

impl Variant {
    /// A name as it stands here, if it is the model's or an alias; else a copy.
    pub(in super::super) fn shared(&self, name: &str) -> Arc<str> {
        let mut names = std::iter::once(&self.model).chain(&self.aliases);
        let known = names.find(|known| ***known == *name);
        known.map_or_else(|| name.into(), Arc::clone)
    }

    /// Whether another is the same, read at any resourceVersion.
    pub(super) fn is_but_for_version(&self, other: &Self) -> bool {
        let resource_version = self.resource_version.clone();
        *self
            == Self {
                resource_version,
                ..other.clone()
            }
    }

    /// When a wake was last told of on it: by the status, as long as nobody has decided otherwise since, or by the
    /// annotation. Memory is rebuilt from this (rule 15).
    pub fn told_at(&self) -> Option<Wall> {
        let status = self
            .status
            .is_from_a_wake()
            .then(|| self.status.desired.as_ref()?.last_run);
        status.flatten().max(self.annotated)
    }
}

/// What a variant scales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetRef {
    /// A kind that can be woken.
    Known(TargetKey),
    /// A kind that cannot: `kind` with its `apiVersion`, as written there.
    Unsupported(Box<str>),
}

/// The part of a VariantAutoscaling's status that a wake writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariantStatus {
    /// `status.desiredOptimizedAlloc`.
    pub desired: Option<Desired>,
    /// `status.conditions`, whole, since a merge patch replaces the list.
    pub conditions: Box<[Condition]>,
}

impl VariantStatus {
    /// The condition of a type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| &*c.kind == kind)
    }

    /// Whether a wake has written it last, ours or that of WVA's own engine. WVA replaces the reason as soon as it
    /// decides for itself.
    pub fn is_from_a_wake(&self) -> bool {
        self.condition(super::super::OPTIMIZATION_READY)
            .is_some_and(|c| &*c.reason == super::super::SCALE_FROM_ZERO_MODE)
    }

    /// `desiredOptimizedAlloc.numReplicas`, 0 where nothing is said.
    pub fn desired_replicas(&self) -> i64 {
        self.desired.as_ref().map_or(0, |d| d.replicas)
    }
}

/// `desiredOptimizedAlloc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// `numReplicas`.
    pub replicas: i64,
    /// `accelerator`.
    pub accelerator: Option<Box<str>>,
    /// `lastRunTime`.
    pub last_run: Option<Wall>,
}

/// A Kubernetes condition, kept whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// `type`.
    pub kind: Box<str>,
    /// `status`: `True`, `False` or `Unknown`.
    pub status: Box<str>,
    /// `reason`.
    pub reason: Box<str>,
    /// `message`.
    pub message: Box<str>,
    /// `lastTransitionTime`.
    pub since: Option<Wall>,
    /// `observedGeneration`.
    pub observed_generation: Option<i64>,
}

/// `variantCost`: a decimal number as text; 10.0 where it is missing or no number (WVA's default).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost(f64);

impl Cost {
    /// Reads the field. Infinite, negative and unreadable costs fall back to the default, so that
    /// costs can always be compared.
    pub fn parse(text: Option<&str>) -> Self {
        let cost = text.and_then(|t| t.trim().parse::<f64>().ok());
        let cost = cost.filter(|c| c.is_finite() && *c >= 0.0);
        // Adding 0 makes 0 of -0, which would be the cheaper of the two.
        Self(cost.map_or(10.0, |c| c + 0.0))
    }

    /// The cost per replica, finite and not negative.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// A scale target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// `metadata.uid`.
    pub uid: Arc<str>,
    /// `metadata.generation`: counts changes of the spec.
    pub generation: i64,
    /// How many replicas are asked for and ready.
    pub observed: Observed,
    /// `spec.template.metadata.labels`, what pools select by.
    pub labels: Labels,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Annotation `scale-from-zero/exclude: "true"`.
    pub excluded: bool,
    /// The accelerator that its pod template asks for by nodeSelector or nodeAffinity.
    pub accelerator: Option<Box<str>>,
    /// Whether it has a pod template: without one, pools cannot select it.
    pub has_template: bool,
}

impl Target {
    /// What it does for its model, by the label of its pod template.
    pub fn role(&self) -> Role {
        Role::of(self.role_label())
    }

    /// That label's value, where it stands.
    pub fn role_label(&self) -> Option<&str> {
        self.labels.get(ROLE)
    }
}

/// How a target stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// `spec.replicas` is 0: inactive.
    Zero(Parked),
    /// More than 0: starting, or serving once one is ready.
    Scaled {
        /// `spec.replicas`, at least 1.
        replicas: i64,
        /// `status.readyReplicas`.
        ready: i64,
        /// What its conditions say keeps it from becoming ready.
        stuck: Option<Box<Stuck>>,
    },
}

impl Observed {
    /// Reads `spec.replicas` (1 where it is missing, the API's default), `status.readyReplicas`
    /// and the resourceVersion that both were read at.
    pub fn new(replicas: Option<i64>, ready: Option<i64>, resource_version: &str) -> Self {
        match replicas.unwrap_or(1) {
            n if n <= 0 => Self::Zero(Parked {
                resource_version: resource_version.into(),
            }),
            n => Self::Scaled {
                replicas: n,
                ready: ready.unwrap_or(0).max(0),
                stuck: None,
            },
        }
    }

    /// The same, with what its conditions say. At 0 they say nothing.
    #[must_use]
    pub fn with(mut self, found: Option<Stuck>) -> Self {
        if let Self::Scaled { stuck, .. } = &mut self {
            *stuck = found.map(Box::new);
        }
        self
    }
}

/// A condition of a target that keeps it from becoming ready (rule 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Which.
    pub by: StuckBy,
    /// `lastTransitionTime`.
    pub since: Wall,
    /// Its message.
    pub message: Box<str>,
}

/// The condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StuckBy {
    /// `ReplicaFailure` is True: quota or admission refuse its pods.
    ReplicaFailure,
    /// `Progressing` is False: its `progressDeadlineSeconds` are over.
    NotProgressing,
}

/// Proof that a target was seen at 0, and the resourceVersion at which. Nothing else can be woken,
/// and the write that wakes it holds only while nobody has written it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    resource_version: Arc<str>,
}

impl Parked {
    /// The resourceVersion to compare and swap by.
    pub fn resource_version(&self) -> &str {
        &self.resource_version
    }

    /// Whether this was seen at a later version than `other`. Versions are decimal numbers that grow
    /// (Kubernetes promises so since 1.35); of others it is only known whether they differ.
    pub fn is_later_than(&self, other: &Self) -> bool {
        let numbers = (
            self.resource_version.parse::<u128>(),
            other.resource_version.parse::<u128>(),
        );
        match numbers {
            (Ok(this), Ok(that)) => this > that,
            _ => self != other,
        }
    }
}

/// An InferencePool of either group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Labels of the pods behind it.
    pub selector: Labels,
    /// Annotation `scale-from-zero/exclude: "true"`.
    pub excluded: bool,
}

/// What a Namespace's annotations say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// `scale-from-zero/exclude: "true"`.
    pub excluded: bool,
    /// `wva.llmd.ai/exclude: "true"`.
    pub excluded_from_wva: bool,
}

#[cfg(test)]
mod tests {
    use super::Cost;

    #[test]
    fn a_cost_that_cannot_be_compared_is_the_default() {
        for (text, cost) in [
            (Some("5"), 5.0),
            (Some(" 7.25 "), 7.25),
            (Some("0"), 0.0),
            (Some("-0"), 0.0),
            (None, 10.0),
            (Some("cheap"), 10.0),
            (Some("NaN"), 10.0),
            (Some("inf"), 10.0),
            (Some("-3"), 10.0),
        ] {
            assert_eq!(
                Cost::parse(text).value().to_bits(),
                f64::to_bits(cost),
                "{text:?}"
            );
        }
    }
}
