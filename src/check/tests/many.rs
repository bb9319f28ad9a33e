//! Many variants, each with a pool and an EPP of its own, or with none.

use std::time::Instant;

use serde_json::json;

use super::given::{Given, well};
use crate::check::{Verdict, judge};

/// So many models in a namespace, beside the first.
const IN_NAMESPACE: usize = 1_000;

fn namespace(n: usize) -> String {
    match n / IN_NAMESPACE {
        0 => "llm".to_owned(),
        other => format!("llm-{other}"),
    }
}

/// So many models beside the first.
fn many(count: usize) -> Given {
    let mut given = well();
    for n in 0..count {
        given.model_in(&namespace(n), &format!("model-{n}"), &format!("meta/model-{n}"));
    }
    given
}

/// So many models whose pods no pool selects, beside pools that differ by one label.
fn without_pools(count: usize) -> Given {
    let mut given = many(count);
    for n in 0..count {
        let name = format!("model-{n}");
        given.add(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace(n), "uid": name, "resourceVersion": "1"},
            "spec": {"replicas": 0, "template": {"metadata": {"labels": {"app": format!("{name}-x")}}}}}));
    }
    given
}

#[test]
fn each_of_many_epps_is_found_by_its_own_labels() {
    let mut given = many(30);
    assert_eq!(given.codes(), [""; 0]);
    given.without("Pod", "model-7-epp-1");
    assert_eq!(given.codes(), ["epp_no_pods"]);
    assert_eq!(given.first("model-7"), Some("epp_no_pods"));
    assert_eq!(given.first("model-8"), None);
}

/// `cargo test --lib check::tests::many -- --ignored --nocapture`
#[test]
#[ignore = "measures: it takes its time, and asserts nothing of it"]
fn what_a_check_of_many_variants_takes() {
    for count in [1_000, 10_000] {
        for (what, given) in [("with pools", many(count)), ("without", without_pools(count))] {
            let facts = given.facts();
            let begun = Instant::now();
            let report = judge(&Verdict::of(&facts));
            let took = begun.elapsed();
            assert_eq!(report.variants.len(), count + 1);
            println!(
                "{count} variants {what}: {took:?}, {} problems",
                report.problems.len()
            );
        }
    }
}
