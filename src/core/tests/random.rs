//! Random objects out of few names, so that they collide, refer to each other and match by chance.

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::given::labels;
use crate::core::*;

/// Namespaces.
pub const NAMESPACES: [&str; 2] = ["one", "two"];
/// Names of variants, targets and pools.
pub const NAMES: [&str; 3] = ["a", "b", "c"];
/// Models and aliases. Some differ by case; one is what an EPP calls what it has no room for.
pub const MODELS: [&str; 4] = ["m", "M", "n", "other"];
/// Labels of pods.
pub const LABELS: [&str; 6] = ["", "app=x", "app=y", "tier=1", "app=x,tier=1", "app=x,tier=2"];

pub fn namespace() -> impl Strategy<Value = &'static str> {
    select(&NAMESPACES)
}

pub fn object() -> impl Strategy<Value = ObjectName> {
    (namespace(), select(&NAMES)).prop_map(|(namespace, name)| ObjectName::new(namespace, name))
}

/// The kinds of target: the two that are watched in any case, and one of those that discovery finds.
pub fn kind() -> impl Strategy<Value = TargetKind> {
    let found = TargetKind::of(None, "LeaderWorkerSet").expect("a well-known kind");
    prop_oneof![
        9 => Just(TargetKind::Deployment),
        1 => Just(TargetKind::StatefulSet),
        1 => Just(found),
    ]
}

/// A kind that discovery finds, or does not.
pub fn other_kind() -> impl Strategy<Value = Arc<OtherKind>> {
    kind().prop_filter_map("found by discovery", |kind| match kind {
        TargetKind::Other(other) => Some(other),
        _ => None,
    })
}

/// What is watched.
pub fn watched() -> impl Strategy<Value = Kind> {
    prop_oneof![select(&Kind::STANDING), kind().prop_map(Kind::Target)]
}

pub fn target_key() -> impl Strategy<Value = TargetKey> {
    (kind(), object()).prop_map(|(kind, name)| TargetKey { kind, name })
}

pub fn pool_key() -> impl Strategy<Value = PoolKey> {
    let group = select(&[PoolGroup::Stable, PoolGroup::Experimental]);
    (group, object()).prop_map(|(group, name)| PoolKey { group, name })
}

/// Labels or a selector, mostly such that the one contains the other.
fn pairs() -> impl Strategy<Value = Labels> {
    prop_oneof![2 => Just("app=x"), 1 => select(&LABELS)].prop_map(labels)
}

/// True once in so many times.
fn seldom(one_in: u32) -> impl Strategy<Value = bool> {
    prop::bool::weighted(1.0 / f64::from(one_in))
}

/// A status as WVA, a wake or nobody has written it.
fn status() -> impl Strategy<Value = VariantStatus> {
    let reason = select(&["", SCALE_FROM_ZERO_MODE, "OptimizationSucceeded"]);
    (option::of(0_i64..3), reason).prop_map(|(replicas, reason)| VariantStatus {
        desired: replicas.map(|replicas| Desired {
            replicas,
            accelerator: None,
            last_run: None,
        }),
        conditions: (!reason.is_empty())
            .then(|| Condition {
                kind: OPTIMIZATION_READY.into(),
                status: "True".into(),
                reason: reason.into(),
                message: "".into(),
                since: None,
                observed_generation: None,
            })
            .into_iter()
            .collect(),
    })
}

/// What a `scaleTargetRef` names.
fn target_ref() -> impl Strategy<Value = TargetRef> {
    prop_oneof![
        20 => target_key().prop_map(TargetRef::Known),
        1 => Just(TargetRef::Unsupported("Job batch/v1".into())),
    ]
}

/// What describes a variant, as any source may say it.
pub fn variant() -> impl Strategy<Value = Variant> {
    let target = target_ref();
    let model = || prop_oneof![2 => Just("m"), 2 => select(&MODELS)].prop_map(Into::into);
    let cost = select(&["1", "5", "10", "-0", "0", "cheap", ""]);
    let marks = (
        seldom(12),
        seldom(8),
        prop_oneof![8 => Just(None), 1 => Just(Some(0)), 1 => Just(Some(4))],
    );
    let instance = option::weighted(0.8, select(&["blue", "green"]));
    (
        target,
        model(),
        vec(model(), 0..3),
        cost,
        marks,
        instance,
        status(),
    )
        .prop_map(
            |(target, model, aliases, cost, (deleting, excluded, max_replicas), instance, status)| Variant {
                uid: "uid".into(),
                resource_version: "1".into(),
                generation: 1,
                target,
                model,
                aliases: aliases.into(),
                cost: Cost::parse(Some(cost)),
                max_replicas,
                deleting,
                excluded,
                controller_instance: instance.map(Into::into),
                accelerator: None,
                status,
                annotated: None,
            },
        )
}

pub fn observed() -> impl Strategy<Value = Observed> {
    let version = (1_u32..5).prop_map(|v| v.to_string());
    (0_i64..8, 0_i64..2, version).prop_map(|(n, ready, version)| {
        // Mostly at 0, since that is what all of it is about.
        Observed::new(Some((n - 5).max(0)), Some(ready), &version)
    })
}

/// Values of the label `llm-d.ai/role`, one of which is no role.
pub const ROLES: [&str; 8] = [
    "decode",
    "decode",
    "prefill",
    "prefill",
    "encode",
    "encode-prefill",
    "prefill-decode",
    "chef",
];

pub fn target() -> impl Strategy<Value = Target> {
    let role = option::weighted(0.5, select(&ROLES));
    (observed(), pairs(), role, seldom(20), seldom(20), seldom(20)).prop_map(
        |(observed, labels, role, deleting, excluded, bare)| {
            let labels: Vec<_> = labels.iter().chain(role.map(|role| (ROLE, role))).collect();
            Target {
                uid: "uid".into(),
                generation: 1,
                observed,
                // Labels are those of the pod template.
                labels: labels.into_iter().filter(|_| !bare).collect(),
                deleting,
                excluded,
                accelerator: None,
                has_template: !bare,
            }
        },
    )
}

pub fn scaler_key() -> impl Strategy<Value = ScalerKey> {
    (select(&ScalerKind::ALL), object()).prop_map(|(kind, name)| ScalerKey { kind, name })
}

fn guard() -> impl Strategy<Value = Guard> {
    (namespace(), select(&NAMES), select(&["0", "1", "true"])).prop_map(|(namespace, pool, ours)| Guard {
        before: None,
        ours: ours.into(),
        until: Wall::UNIX_EPOCH,
        model: ModelKey {
            namespace: namespace.into(),
            pool: pool.into(),
            model: "m".into(),
        },
    })
}

/// An HPA or ScaledObject of a kind; some are variants. Only KEDA pauses, and only HPAs are a ScaledObject's child.
pub fn scaler(kind: ScalerKind) -> impl Strategy<Value = Scaler> {
    let is_keda = kind == ScalerKind::ScaledObject;
    (
        target_ref(),
        0_i64..2,
        option::weighted(0.2, select(&Pause::ALL)),
        seldom(5),
        seldom(20),
        option::weighted(0.2, guard()),
        option::weighted(0.4, variant()),
    )
        .prop_map(
            move |(target, min_replicas, paused, is_child, deleting, guard, variant)| Scaler {
                resource_version: "1".into(),
                min_replicas,
                paused: paused.filter(|_| is_keda),
                paused_scale_in: None,
                is_child: is_child && !is_keda,
                deleting,
                last_scale: None,
                guard,
                variant: variant.filter(|_| is_keda || !is_child).map(|variant| Variant {
                    target: target.clone(),
                    ..variant
                }),
                target,
            },
        )
}

/// An HPA or ScaledObject with its key.
pub fn keyed_scaler() -> impl Strategy<Value = (ScalerKey, Scaler)> {
    scaler_key().prop_flat_map(|key| (Just(key.clone()), scaler(key.kind)))
}

pub fn pool() -> impl Strategy<Value = Pool> {
    (pairs(), seldom(6)).prop_map(|(selector, excluded)| Pool { selector, excluded })
}

pub fn marks() -> impl Strategy<Value = Namespace> {
    (seldom(6), seldom(6)).prop_map(|(excluded, excluded_from_wva)| Namespace {
        excluded,
        excluded_from_wva,
    })
}

pub fn scope_rules() -> impl Strategy<Value = ScopeRules> {
    let namespaces = prop_oneof![
        9 => Just(vec![]),
        1 => Just(vec!["one".to_string()]),
        1 => Just(vec!["two".to_string(), "one".to_string()]),
        1 => Just(vec!["three".to_string()]),
    ];
    let sources = prop_oneof![
        9 => Just(Source::ALL.to_vec()),
        1 => Just(vec![Source::VariantAutoscaling]),
        1 => Just(vec![Source::ScaledObject, Source::HorizontalPodAutoscaler]),
    ];
    let instance = option::weighted(0.2, Just("blue".to_string()));
    (namespaces, instance, sources).prop_map(|(namespaces, controller_instance, sources)| ScopeRules {
        namespaces,
        controller_instance,
        sources: sources.into_iter().collect(),
    })
}
