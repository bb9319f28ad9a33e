//! Random objects out of few names, so that they collide, refer to each other and match by chance.

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

fn kind() -> impl Strategy<Value = TargetKind> {
    prop_oneof![9 => Just(TargetKind::Deployment), 1 => Just(TargetKind::StatefulSet)]
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

/// A variant of `namespace`; its target is mostly of that namespace, which is all there is in a cluster.
pub fn variant() -> impl Strategy<Value = Variant> {
    let target = prop_oneof![
        20 => target_key().prop_map(TargetRef::Known),
        1 => Just(TargetRef::Unsupported("Job batch/v1".into())),
    ];
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

pub fn target() -> impl Strategy<Value = Target> {
    (observed(), pairs(), seldom(20), seldom(20)).prop_map(|(observed, labels, deleting, excluded)| Target {
        uid: "uid".into(),
        generation: 1,
        observed,
        labels,
        deleting,
        excluded,
        accelerator: None,
        has_template: true,
    })
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
    (namespaces, option::weighted(0.2, Just("blue".to_string()))).prop_map(
        |(namespaces, controller_instance)| ScopeRules {
            namespaces,
            controller_instance,
            ..ScopeRules::default()
        },
    )
}
