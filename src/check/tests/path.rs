//! Configuration, permissions, Prometheus, demand, and becoming ready.

use std::time::Duration;

use serde_json::json;

use super::given::{access, text, waiting, well};
use crate::check::{Concerns, Need, Severity, Unread};

#[test]
fn requests_under_a_name_that_is_nearly_that_of_a_variant() {
    for (asked, code, says) in [
        ("Meta/llama-8b", "name_differs_by_case", "meta/llama-8b"),
        (
            "meta/llama-8",
            "no_variant",
            r#"the nearest model that a variant serves is "meta/llama-8b""#,
        ),
        ("gpt", "no_variant", "create a variant for it"),
        ("other", "label_overflow", "kubectl rollout restart"),
    ] {
        let mut given = well();
        given.asked(&[waiting("llama", asked, 3.0)]);
        let problem = given.problem(code);
        assert!(text(&problem).contains(says), "{asked}: {}", text(&problem));
        assert!(text(&problem).contains("3 waiting in namespace llm at pool llama"));
        assert!(given.report().has_problems());
    }
}

#[test]
fn requests_that_wait_for_a_model_that_can_be_woken_are_no_problem() {
    let mut given = well();
    given.asked(&[waiting("llama", "meta/llama-8b", 3.0)]);
    let report = given.report();
    assert_eq!(given.codes(), [""; 0]);
    assert_eq!(
        (report.variants[0].state, report.variants[0].waiting),
        ("asked", Some(3.0))
    );
}

#[test]
fn samples_that_are_too_old() {
    let mut given = well();
    given.asked(&[waiting("llama", "meta/llama-8b", 3.0)]);
    for age in given.prometheus.ages.as_mut().unwrap() {
        age.value = 600.0;
    }
    assert_eq!(given.first("llama"), Some("stale_demand"));
}

#[test]
fn prometheus_that_does_not_answer_is_the_first_line_of_all() {
    let mut given = well();
    given.set(
        "Deployment",
        "llama",
        &["spec", "template", "metadata", "labels"],
        json!({"app": "x"}),
    );
    given.prometheus.demand = Some(Err(
        "connect: cannot connect: refused; check prometheus.url".into()
    ));
    assert_eq!(given.first("llama"), Some("prometheus_failing"));
    assert!(text(&given.problem("prometheus_failing")).contains("refused"));
    assert_eq!(given.report().variants[0].waiting, None);
}

#[test]
fn prometheus_that_answers_slowly() {
    for (latency, severity) in [
        (20, None),
        (200, Some(Severity::Note)),
        (1500, Some(Severity::Warning)),
    ] {
        let mut given = well();
        given.prometheus.latency = Some(Duration::from_millis(latency));
        let report = given.report();
        let found = report
            .problems
            .iter()
            .find(|problem| problem.code == "prometheus_slow");
        assert_eq!(found.map(|problem| problem.severity), severity, "{latency} ms");
    }
}

#[test]
fn a_permission_that_lacks_concerns_whom_it_keeps_from_waking() {
    let mut given = well();
    given.access = vec![access("patch", "apps", "statefulsets/scale", Need::Wake, false)];
    assert_eq!(given.first("llama"), None, "its target is a Deployment");
    given.access = vec![access("patch", "apps", "deployments/scale", Need::Wake, false)];
    assert_eq!(given.first("llama"), Some("permission_missing"));
    let problem = given.problem("permission_missing");
    assert!(text(&problem).contains("kubectl auth can-i patch deployments/scale.apps --all-namespaces --as system:serviceaccount:wva:wva"), "{}", text(&problem));
    given.access = vec![access(
        "list",
        "llmd.ai",
        "variantautoscalings",
        Need::Wake,
        false,
    )];
    assert_eq!(given.problem("permission_missing").concerns, Concerns::All);
    given.access = vec![access(
        "list",
        "",
        "pods",
        Need::Option("pods are not seen"),
        false,
    )];
    assert_eq!(
        given.problem("permission_missing_option").severity,
        Severity::Warning
    );
}

#[test]
fn kinds_that_the_api_server_does_not_have() {
    let absent = |group: &str, kind: &str| Unread {
        group: group.into(),
        kind: kind.into(),
        namespace: None,
        why: "no such kind".into(),
        absent: true,
    };
    let mut given = well();
    given.without("InferencePool", "llama");
    given.unread = vec![absent("inference.networking.k8s.io", "InferencePool")];
    assert_eq!(
        given.first("llama"),
        Some("no_pool"),
        "the other group may be there"
    );
    given
        .unread
        .push(absent("inference.networking.x-k8s.io", "InferencePool"));
    assert_eq!(given.first("llama"), Some("no_pool_api"));
    let mut given = well();
    given.without("VariantAutoscaling", "llama");
    given.unread = vec![absent("llmd.ai", "VariantAutoscaling")];
    assert!(text(&given.problem("no_variants")).contains("no kind VariantAutoscaling"));
}

#[test]
fn a_dry_run_and_a_namespace_that_is_not_there() {
    let mut given = well();
    given.config.dry_run = true;
    assert_eq!(given.problem("dry_run").concerns, Concerns::All);
    let mut given = well();
    given.config.scope.namespaces = vec!["llm".into(), "lml".into()];
    assert!(text(&given.problem("scope_namespace_missing")).contains("write llm in scope.namespaces"));
}

#[test]
fn the_fallback_accelerator_is_told_of() {
    let mut given = well();
    given.set("VariantAutoscaling", "llama", &["metadata", "labels"], json!({}));
    assert_eq!(given.problem("fallback_accelerator").severity, Severity::Note);
    given.set(
        "Deployment",
        "llama",
        &["spec", "template", "spec"],
        json!({"nodeSelector": {"nvidia.com/gpu.product": "H100"}}),
    );
    assert_eq!(given.codes(), [""; 0]);
}

#[test]
fn what_was_woken_and_does_not_become_ready() {
    let pod = |status: serde_json::Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "llama-1", "namespace": "llm", "labels": {"app": "llama"}}, "status": status});
    let unschedulable = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: no GPU"}]});
    let crashing = json!({"containerStatuses": [{"name": "vllm", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}]});
    let pulling = json!({"containerStatuses": [{"name": "vllm", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
    for (status, code) in [
        (unschedulable, Some("unschedulable")),
        (crashing, Some("pods_failing")),
        (pulling, None),
    ] {
        let mut given = well();
        given
            .set("Deployment", "llama", &["spec", "replicas"], json!(1))
            .add(pod(status));
        assert_eq!(given.first("llama"), code);
        given.set("Deployment", "llama", &["spec", "replicas"], json!(0));
        assert_eq!(given.first("llama"), None, "nothing was woken");
    }
    let mut given = well();
    given.set("Deployment", "llama", &["spec", "replicas"], json!(1)).set(
        "Deployment",
        "llama",
        &["status"],
        json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}),
    );
    assert_eq!(given.first("llama"), Some("replica_failure"));
    assert!(text(&given.problem("replica_failure")).contains("exceeded quota"));
}
