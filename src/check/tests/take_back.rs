//! Who takes a wake back, or wakes as well.

use serde_json::{Value, json};

use super::given::{Given, access, text, well};
use crate::check::{Need, Severity};

fn hpa(min: i64, behavior: &Value, metric: &str) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "llama", "namespace": "llm"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"}, "minReplicas": min, "maxReplicas": 4,
            "behavior": behavior, "metrics": [{"type": "External", "external": {"metric": {"name": metric}}}]}})
}

fn scaled_object(annotations: &Value, spec: &Value) -> Value {
    let mut object = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": "llama", "namespace": "llm", "annotations": annotations}, "spec": {"scaleTargetRef": {"name": "llama"}}});
    for (name, value) in spec.as_object().unwrap() {
        object["spec"][name] = value.clone();
    }
    object
}

fn keda(given: &mut Given, version: &str) {
    given.add(
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "scaledobjects.keda.sh", "labels": {"app.kubernetes.io/version": version}}}),
    );
}

#[test]
fn an_hpa_with_no_window_may_take_a_wake_back() {
    let window = |seconds: i64| json!({"scaleDown": {"stabilizationWindowSeconds": seconds}});
    for (min, behavior, told) in [
        (0, window(0), true),
        (0, window(59), true),
        (0, window(60), false),
        (0, json!({}), false),
        (1, window(0), false),
        (
            0,
            json!({"scaleDown": {"stabilizationWindowSeconds": 0, "selectPolicy": "Disabled"}}),
            false,
        ),
    ] {
        let mut given = well();
        given.add(hpa(min, &behavior, "wva_desired_replicas"));
        assert_eq!(
            given.codes().contains(&"hpa_takes_back"),
            told,
            "{min} {behavior}"
        );
    }
    let mut given = well();
    given.add(hpa(0, &window(0), "wva_desired_replicas"));
    let problem = given.problem("hpa_takes_back");
    assert!(text(&problem).contains("may still say 0"), "{}", text(&problem));
    assert_eq!(given.first("llama"), Some("hpa_takes_back"));
    given.config.wake.guard = true;
    assert_eq!(given.codes(), [""; 0], "the guard keeps it from that");
}

#[test]
fn keda_takes_a_wake_back_unless_a_guard_or_an_annotation_keeps_it_from_that() {
    for (annotations, spec, told) in [
        (json!({}), json!({}), true),
        (json!({}), json!({"minReplicaCount": 1}), false),
        (
            json!({"autoscaling.keda.sh/paused-scale-in": "true"}),
            json!({}),
            false,
        ),
    ] {
        let mut given = well();
        given.add(scaled_object(&annotations, &spec));
        assert_eq!(
            given.codes().contains(&"keda_takes_back"),
            told,
            "{annotations} {spec}"
        );
    }
    for (version, old) in [("2.17.2", true), ("2.18.0", false)] {
        let mut given = well();
        given.add(scaled_object(&json!({}), &json!({})));
        given.config.wake.guard = true;
        keda(&mut given, version);
        assert_eq!(
            given.codes().contains(&"keda_too_old_for_guard"),
            old,
            "{version}"
        );
    }
}

#[test]
fn a_paused_scaled_object_keeps_its_target_out() {
    let mut given = well();
    given.add(scaled_object(
        &json!({"autoscaling.keda.sh/paused": "true"}),
        &json!({}),
    ));
    assert_eq!(given.first("llama"), Some("out_of_scope_paused"));
    assert_eq!(given.codes(), ["out_of_scope_paused"]);
}

#[test]
fn wvas_own_engine_works_where_its_account_may() {
    let may = |verb, group: &str, resource: &str| access(verb, group, resource, Need::Wva, true);
    let all = || {
        vec![
            may("list", "inference.networking.k8s.io", "inferencepools"),
            may("get", "apps", "deployments/scale"),
            may("update", "apps", "deployments/scale"),
        ]
    };
    let mut given = well();
    given.access.extend(all());
    assert_eq!(given.problem("wva_engine_active").severity, Severity::Warning);
    given.account = Some("kubernetes-admin".into());
    assert_eq!(
        given.codes(),
        [""; 0],
        "a person may do anything, which says nothing of WVA"
    );
    let mut given = well();
    given.access.extend(all().into_iter().skip(1));
    given.access.push(access(
        "list",
        "inference.networking.k8s.io",
        "inferencepools",
        Need::Wva,
        false,
    ));
    assert_eq!(given.codes(), [""; 0]);
}

#[test]
fn tools_that_put_manifests_back_are_worth_a_note() {
    let mut given = well();
    given.set(
        "Deployment",
        "llama",
        &["metadata", "labels"],
        json!({"argocd.argoproj.io/instance": "models"}),
    );
    assert_eq!(given.problem("gitops_may_take_back").severity, Severity::Note);
    assert!(!given.report().has_problems());
}

#[test]
fn without_the_status_wva_goes_on_asking_for_zero() {
    let mut given = well();
    given.config.status.enabled = false;
    assert_eq!(given.first("llama"), Some("status_disabled"));
}
