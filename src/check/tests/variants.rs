//! Variants and pools.

use serde_json::json;

use super::given::{text, waiting, well};
use crate::check::{Concerns, Severity};

#[test]
fn nothing_is_wrong_where_all_is_well() {
    let given = well();
    assert_eq!(given.codes(), [""; 0]);
    let report = given.report();
    assert!(!report.has_problems());
    let row = &report.variants[0];
    assert_eq!(
        (row.state, row.first, row.replicas, row.waiting),
        ("parked", None, Some((0, 0)), Some(0.0))
    );
    assert_eq!(row.pools, ["llama"]);
}

#[test]
fn a_target_that_is_not_there() {
    let mut given = well();
    given.set(
        "VariantAutoscaling",
        "llama",
        &["spec", "scaleTargetRef", "name"],
        json!("lama"),
    );
    assert_eq!(given.first("llama"), Some("target_missing"));
    let problem = given.problem("target_missing");
    assert!(
        text(&problem).contains("the nearest name there is llama"),
        "{}",
        text(&problem)
    );
    assert!(
        problem
            .mend
            .last()
            .unwrap()
            .contains(r#"-p '{"spec":{"scaleTargetRef":{"name":"llama"}}}'"#)
    );
}

#[test]
fn a_target_of_a_kind_that_cannot_be_woken() {
    let mut given = well();
    given.set(
        "VariantAutoscaling",
        "llama",
        &["spec", "scaleTargetRef", "kind"],
        json!("Cronjob"),
    );
    assert_eq!(given.first("llama"), Some("target_unsupported"));
    assert!(text(&given.problem("target_unsupported")).contains("Cronjob"));
}

#[test]
fn labels_that_no_pool_selects_name_the_nearest_pool_and_the_difference() {
    let mut given = well();
    given.model("qwen", "qwen/qwen");
    given.set(
        "Deployment",
        "llama",
        &["spec", "template", "metadata", "labels"],
        json!({"app": "llama3"}),
    );
    assert_eq!(given.first("llama"), Some("no_pool"));
    let problem = given.problem("no_pool");
    let told = text(&problem);
    assert!(told.contains("the nearest is InferencePool llm/llama"), "{told}");
    assert!(
        told.contains(r#"label app: the pool wants "llama", the pod template has "llama3""#),
        "{told}"
    );
    assert!(
        told.contains(r#"-p '{"spec":{"template":{"metadata":{"labels":{"app":"llama"}}}}}'"#),
        "{told}"
    );
    assert_eq!(given.first("qwen"), None);
}

#[test]
fn no_pool_at_all_in_the_namespace() {
    let mut given = well();
    given.without("InferencePool", "llama");
    assert_eq!(given.first("llama"), Some("no_pool"));
    assert!(text(&given.problem("no_pool")).contains("there is no InferencePool in namespace llm"));
}

#[test]
fn an_empty_selector_selects_nothing() {
    let mut given = well();
    given.set(
        "InferencePool",
        "llama",
        &["spec", "selector"],
        json!({"matchLabels": {}}),
    );
    assert_eq!(given.first("llama"), Some("no_pool"));
    assert_eq!(given.problem("pool_selects_nothing").severity, Severity::Warning);
}

#[test]
fn several_models_behind_one_pool() {
    let mut given = well();
    given.model("qwen", "qwen/qwen").without("InferencePool", "qwen");
    given.set(
        "Deployment",
        "qwen",
        &["spec", "template", "metadata", "labels"],
        json!({"app": "llama"}),
    );
    let problem = given.problem("models_share_pool");
    assert!(matches!(&problem.concerns, Concerns::Variants(both) if both.len() == 2));
    assert!(text(&problem).contains("qwen/qwen: qwen"));
}

#[test]
fn two_variants_on_one_target_are_said_to_be_one_wake() {
    let mut given = well();
    given.model("second", "meta/llama-8b");
    given.set(
        "VariantAutoscaling",
        "second",
        &["spec", "scaleTargetRef", "name"],
        json!("llama"),
    );
    assert!(text(&given.problem("several_on_one_target")).contains("woken as one"));
}

#[test]
fn names_that_differ_in_case_or_slashes() {
    for (other, alike) in [
        ("Meta/Llama-8B", true),
        ("meta//llama-8b", true),
        ("meta/llama-70b", false),
        ("meta/llama-8b", false),
    ] {
        let mut given = well();
        given.model("second", other);
        assert_eq!(given.codes().contains(&"model_names_alike"), alike, "{other}");
    }
}

#[test]
fn what_is_left_alone_says_why_and_how_to_change_it() {
    let mut given = well();
    given.set(
        "VariantAutoscaling",
        "llama",
        &["metadata", "annotations"],
        json!({"scale-from-zero/exclude": "true"}),
    );
    assert_eq!(given.first("llama"), Some("out_of_scope_variant_excluded"));
    assert!(!given.report().has_problems(), "somebody wrote it on purpose");
    let mut given = well();
    given.config.scope.controller_instance = Some("a".into());
    assert_eq!(given.first("llama"), Some("out_of_scope_instance"));
    assert!(given.report().has_problems());
    assert!(text(&given.problem("out_of_scope_instance")).contains("wva.llmd.ai/controller-instance=a"));
}

#[test]
fn objects_that_say_too_little_to_be_variants() {
    let mut given = well();
    given.add(json!({"apiVersion": "llmd.ai/v1alpha1", "kind": "VariantAutoscaling", "metadata": {"name": "x", "namespace": "llm"}, "spec": {"variantCost": "cheap"}}));
    given.add(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "y", "namespace": "llm", "annotations": {"llm-d.ai/managed": "true", "llm-d.ai/variant-cost": "-1"}}, "spec": {}}));
    assert_eq!(
        given.problem("variant_without_model").object,
        "VariantAutoscaling llm/x"
    );
    assert_eq!(
        given.problem("managed_without_model").object,
        "HorizontalPodAutoscaler llm/y"
    );
    let costs = given
        .codes()
        .into_iter()
        .filter(|code| *code == "cost_unreadable")
        .count();
    assert_eq!(costs, 2);
}

#[test]
fn a_role_that_is_none_and_a_set_that_lacks_its_decode() {
    let mut given = well();
    let labels = |role: &str| json!({"app": "llama", "llm-d.ai/role": role});
    given.set(
        "Deployment",
        "llama",
        &["spec", "template", "metadata", "labels"],
        labels("decoder"),
    );
    assert_eq!(given.first("llama"), Some("unknown_role"));
    given.set(
        "Deployment",
        "llama",
        &["spec", "template", "metadata", "labels"],
        labels("prefill"),
    );
    assert_eq!(
        given.first("llama"),
        Some("incomplete_set"),
        "told before the first request"
    );
    given.asked(&[waiting("llama", "meta/llama-8b", 2.0)]);
    assert!(text(&given.problem("incomplete_set")).contains("2 waiting in namespace llm at pool llama"));
}
