//! KEDA: ScaledObjects that take a wake back, and the version that a guard on them needs.

use std::collections::BTreeSet;

use crate::{
    check::{Concerns, Facts, Link, Problem, Severity, Verdict},
    cluster::{KEDA_GUARDS_SINCE, keda_version},
    core::{ScalerKind, TargetRef, VariantKey},
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut guarded: BTreeSet<VariantKey> = BTreeSet::new();
    for object in facts.objects.all("keda.sh", "ScaledObject") {
        let key = crate::core::ScalerKey {
            kind: ScalerKind::ScaledObject,
            name: crate::core::ObjectName::new(object.namespace.as_str(), object.name.as_str()),
        };
        let Some(scaler) = facts.inventory.scaler(&key) else {
            continue;
        };
        let TargetRef::Known(target) = &scaler.target else {
            continue;
        };
        let variants = super::take_back::in_scope(facts, target);
        if variants.is_empty() || scaler.min_replicas > 0 || scaler.paused.is_some() {
            continue;
        }
        let paused_scale_in = scaler.paused_scale_in.as_deref() == Some("true");
        if facts.config.wake.guard {
            guarded.extend(variants);
        } else if !paused_scale_in {
            problems.push(
                Problem::new(
                    "keda_takes_back",
                    Severity::Warning,
                    Link::TakeBack,
                    format!("KEDA scales {target} back to 0 after a wake, unless a trigger of its own is active then"),
                )
                .about(object.named())
                .concerning(Concerns::Variants(variants))
                .seen(format!("minReplicaCount or idleReplicaCount is {}, and wake.guard is false", scaler.min_replicas))
                .mend("let a guard keep it from that while the model is asked for (KEDA 2.18 and newer)")
                .mend("wake: {guard: true}"),
            );
        }
    }
    problems.extend(version(facts, guarded));
    problems
}

/// With guards, KEDA must know their annotation.
fn version(facts: &Facts, guarded: BTreeSet<VariantKey>) -> Option<Problem> {
    if guarded.is_empty() {
        return None;
    }
    let crd = facts.objects.get(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "",
        "scaledobjects.keda.sh",
    )?;
    let version = keda_version(&crd.json)?;
    let (major, minor) = version;
    let (since_major, since_minor) = KEDA_GUARDS_SINCE;
    (version < KEDA_GUARDS_SINCE).then(|| {
        Problem::new(
            "keda_too_old_for_guard",
            Severity::Warning,
            Link::TakeBack,
            format!("wake.guard has no effect on ScaledObjects: KEDA {major}.{minor} does not know the annotation {}", crate::core::PAUSED_SCALE_IN),
        )
        .about(crd.named())
        .concerning(Concerns::Variants(guarded))
        .mend(format!("update KEDA to {since_major}.{since_minor} or newer"))
    })
}
