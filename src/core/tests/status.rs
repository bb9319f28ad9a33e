//! What a wake writes into a variant's status (design, section 5).

use super::world::{V, World, v};
use crate::core::{Condition, Desired, METRICS_AVAILABLE, OPTIMIZATION_READY, StatusUpdate, Wall};

fn update(v: &V) -> StatusUpdate {
    StatusUpdate::new(&v.variant, v.target.as_ref(), "unknown", World::new().now.wall)
}

fn of<'a>(update: &'a StatusUpdate, kind: &str) -> &'a Condition {
    let found: Vec<_> = update.conditions.iter().filter(|c| &*c.kind == kind).collect();
    assert_eq!(found.len(), 1, "{kind} once");
    found[0]
}

#[test]
fn a_status_that_was_empty_gets_all_that_the_crd_wants() {
    let now = World::new().now.wall;
    let update = update(&v("ns/a"));
    assert_eq!(
        (update.replicas, &*update.accelerator, update.last_run),
        (1, "unknown", now)
    );
    assert_eq!(&*update.resource_version, "1");
    assert_eq!(update.conditions.len(), 2);
    for (kind, reason) in [
        (METRICS_AVAILABLE, "ScaleFromZero"),
        (OPTIMIZATION_READY, "ScaleFromZeroMode"),
    ] {
        let expected = Condition {
            kind: kind.into(),
            status: "True".into(),
            reason: reason.into(),
            message: "Scaled from zero due to pending requests".into(),
            since: Some(now),
            observed_generation: Some(3),
        };
        assert_eq!(of(&update, kind), &expected);
    }
}

#[test]
fn conditions_are_merged_by_type_and_others_stay_as_they_were() {
    let before = v("ns/a")
        .condition("Foreign", "False", "Whatever")
        .condition(METRICS_AVAILABLE, "False", "MetricsMissing")
        .condition("TargetResolved", "True", "Found");
    let update = update(&before);
    let kinds: Vec<_> = update.conditions.iter().map(|c| &*c.kind).collect();
    assert_eq!(
        kinds,
        ["Foreign", METRICS_AVAILABLE, "TargetResolved", OPTIMIZATION_READY]
    );
    for kept in ["Foreign", "TargetResolved"] {
        let stood = before.variant.status.condition(kept).expect("a condition");
        assert_eq!(of(&update, kept), stood);
    }
}

#[test]
fn the_transition_time_moves_only_when_the_status_does() {
    let now = World::new().now.wall;
    for (status, since) in [
        ("True", Wall::UNIX_EPOCH),
        ("False", now),
        ("Unknown", now),
        ("", now),
    ] {
        let update = update(&v("ns/a").condition(METRICS_AVAILABLE, status, "Before"));
        let condition = of(&update, METRICS_AVAILABLE);
        assert_eq!(condition.since, Some(since), "{status}");
        assert_eq!(
            (&*condition.status, &*condition.reason),
            ("True", "ScaleFromZero")
        );
    }
    let untimed = v("ns/a")
        .condition(METRICS_AVAILABLE, "True", "Before")
        .but(|a| a.status.conditions[0].since = None);
    assert_eq!(of(&update(&untimed), METRICS_AVAILABLE).since, Some(now));
}

#[test]
fn replicas_asked_for_are_never_lowered() {
    for (asked, written) in [(-1, 1), (0, 1), (1, 1), (4, 4)] {
        assert_eq!(update(&v("ns/a").asks(asked)).replicas, written, "{asked}");
    }
}

#[test]
fn the_accelerator_is_the_label_else_the_status_else_the_templates_else_the_fallback() {
    let cases = [
        (Some("H100"), Some("A100"), Some("L40S"), "H100"),
        (None, Some("A100"), Some("L40S"), "A100"),
        // Our own fallback is not taken for WVA's word.
        (None, Some("unknown"), Some("L40S"), "L40S"),
        (None, None, Some("L40S"), "L40S"),
        (None, Some("unknown"), None, "unknown"),
        (None, None, None, "unknown"),
        // The CRD wants two characters.
        (Some("H"), Some("A"), Some("L40S"), "L40S"),
        (Some(""), Some(""), Some(""), "unknown"),
        (Some("é"), None, None, "unknown"),
    ];
    for (label, status, template, expected) in cases {
        let variant = v("ns/a").but(|a| {
            a.accelerator = label.map(Into::into);
            a.status.desired = Some(Desired {
                replicas: 0,
                accelerator: status.map(Into::into),
                last_run: None,
            });
        });
        let variant = variant.edit(|t| t.accelerator = template.map(Into::into));
        assert_eq!(
            &*update(&variant).accelerator,
            expected,
            "{label:?} {status:?} {template:?}"
        );
    }
    assert_eq!(&*update(&v("ns/a").shared()).accelerator, "unknown");
}
