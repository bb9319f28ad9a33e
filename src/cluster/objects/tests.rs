use super::*;

fn target(api_version: &str, kind: &str) -> TargetRef {
    let reference = ScaleTargetRef {
        api_version: Some(api_version.into()),
        kind: Some(kind.into()),
        name: Some("llama".into()),
    };
    reference.target(&"llm".into())
}

#[test]
fn only_what_can_be_a_group_and_a_kind_is_asked_of_the_server() {
    for (api_version, kind) in [
        ("", "Deployment"),
        ("v1", "ReplicationController"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("x-1.example.com/v1", "Model2"),
    ] {
        let known = target(api_version, kind);
        assert!(
            matches!(known, TargetRef::Known(_)),
            "{api_version} {kind}: {known:?}"
        );
    }
    for (api_version, kind) in [
        ("?x/v1", "Rollout"),
        ("../../api/v1", "Rollout"),
        ("example..com/v1", "Rollout"),
        ("-x.com/v1", "Rollout"),
        ("Example.com/v1", "Rollout"),
        ("argoproj.io/v1alpha1", "Roll out"),
        ("argoproj.io/v1alpha1", "2"),
        ("argoproj.io/v1alpha1", ""),
    ] {
        let known = target(api_version, kind);
        assert!(
            matches!(known, TargetRef::Unsupported(_)),
            "{api_version} {kind}: {known:?}"
        );
    }
    assert_eq!(
        target("a/v1", &format!("x\n{}", "y".repeat(1000))),
        TargetRef::Unsupported(format!("a/v1 x {}…", "y".repeat(493)).into()),
        "fit for a log line"
    );
}

#[test]
fn what_a_condition_says_is_made_fit_for_a_log_line() {
    let target: TargetObject = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "llama"},
        "spec": {"replicas": 1},
        "status": {"conditions": [{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
            "message": format!("a\u{1b}[2J\n{}", "b".repeat(10_000)), "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]},
    }))
    .unwrap();
    let Observed::Scaled {
        stuck: Some(stuck), ..
    } = target.record(&TargetKind::Deployment).observed
    else {
        panic!("{target:?}");
    };
    assert!(
        stuck.message.starts_with("FailedCreate: a<U+001B>[2J b"),
        "{stuck:?}"
    );
    assert!(stuck.message.chars().count() <= 510);
}
