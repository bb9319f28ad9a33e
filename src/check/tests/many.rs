//! Many variants, each with a pool and an EPP of its own, or with none.

use std::time::Instant;

use serde_json::json;

use super::given::{Given, well};
use crate::check::judge;

/// So many models beside the first.
fn many(count: usize) -> Given {
    let mut given = well();
    for n in 0..count {
        given.model(&format!("model-{n}"), &format!("meta/model-{n}"));
    }
    given
}

/// So many models whose pods no pool selects, beside pools that differ by one label.
fn without_pools(count: usize) -> Given {
    let mut given = many(count);
    for n in 0..count {
        let labels = json!({"app": format!("model-{n}-x")});
        let path = ["spec", "template", "metadata", "labels"];
        given.set("Deployment", &format!("model-{n}"), &path, labels);
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
            let report = judge(&facts);
            let took = begun.elapsed();
            assert_eq!(report.variants.len(), count + 1);
            println!(
                "{count} variants {what}: {took:?}, {} problems",
                report.problems.len()
            );
        }
    }
}
