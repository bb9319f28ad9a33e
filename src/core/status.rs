//! What a wake writes into the status of a VariantAutoscaling (design, section 5).

use super::{Condition, Target, Variant, Wall};

/// Condition that `kubectl get va` shows as METRICSREADY.
pub const METRICS_AVAILABLE: &str = "MetricsAvailable";
/// Condition that says whether the optimiser has decided.
pub const OPTIMIZATION_READY: &str = "OptimizationReady";
/// Reason of [`OPTIMIZATION_READY`] after a wake.
pub const SCALE_FROM_ZERO_MODE: &str = "ScaleFromZeroMode";
const SCALE_FROM_ZERO: &str = "ScaleFromZero";
const MESSAGE: &str = "Scaled from zero due to pending requests";

/// The status after a wake, as far as it differs from what stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusUpdate {
    /// `metadata.resourceVersion` that it was made from: the conditions replace those of that version.
    pub resource_version: Box<str>,
    /// `desiredOptimizedAlloc.numReplicas`: 1, or more where more is asked for already.
    pub replicas: i64,
    /// `desiredOptimizedAlloc.accelerator`.
    pub accelerator: Box<str>,
    /// `desiredOptimizedAlloc.lastRunTime`.
    pub last_run: Wall,
    /// `conditions`, whole: ours merged by type into those that stood there.
    pub conditions: Vec<Condition>,
}

impl StatusUpdate {
    /// Builds it from what the cache holds of the variant and its target.
    pub fn new(variant: &Variant, target: Option<&Target>, fallback: &str, now: Wall) -> Self {
        let mut conditions = variant.status.conditions.to_vec();
        set(
            &mut conditions,
            METRICS_AVAILABLE,
            SCALE_FROM_ZERO,
            variant.generation,
            now,
        );
        set(
            &mut conditions,
            OPTIMIZATION_READY,
            SCALE_FROM_ZERO_MODE,
            variant.generation,
            now,
        );
        Self {
            resource_version: variant.resource_version.clone(),
            replicas: variant.status.desired_replicas().max(1),
            accelerator: accelerator(variant, target, fallback).into(),
            last_run: now,
            conditions,
        }
    }
}

/// Sets a condition to True. Its transition time moves only if it was not True before.
fn set(conditions: &mut Vec<Condition>, kind: &str, reason: &str, generation: i64, now: Wall) {
    let before = conditions.iter().position(|c| &*c.kind == kind);
    let since = before
        .map(|at| &conditions[at])
        .filter(|c| &*c.status == "True")
        .and_then(|c| c.since);
    let condition = Condition {
        kind: kind.into(),
        status: "True".into(),
        reason: reason.into(),
        message: MESSAGE.into(),
        since: Some(since.unwrap_or(now)),
        observed_generation: Some(generation),
    };
    match before {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
}

impl StatusUpdate {
    /// Whether the accelerator of a variant can only be the fallback.
    pub fn falls_back(variant: &Variant, target: Option<&Target>, fallback: &str) -> bool {
        accelerator(variant, target, fallback) == fallback
    }
}

/// The accelerator: the variant's label; else its status, unless that is our own fallback, which WVA
/// keeps for good; else what the pod template asks for; else the fallback. The CRD wants at least
/// two characters.
fn accelerator<'a>(variant: &'a Variant, target: Option<&'a Target>, fallback: &'a str) -> &'a str {
    let from_status = variant
        .status
        .desired
        .as_ref()
        .and_then(|d| d.accelerator.as_deref());
    [
        variant.accelerator.as_deref(),
        from_status.filter(|a| *a != fallback),
        target.and_then(|t| t.accelerator.as_deref()),
    ]
    .into_iter()
    .flatten()
    .find(|name| name.chars().count() >= 2)
    .unwrap_or(fallback)
}
