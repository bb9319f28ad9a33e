//! The alerts in a real Prometheus, without their patience, on what two copies export that have every trouble: each fires, and
//! says what it should.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::UNIX_EPOCH,
};

use libtest_mimic::Failed;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{alerts_of, rules, str_of};
use crate::live::{Real, check, export, runtime, until};

/// A name that a client may choose.
const HOSTILE: &str = "{{ $value }}<b>";

pub fn run(prometheus: &Path) -> Result<(), Failed> {
    runtime()?.block_on(async {
        let mut jobs = Vec::new();
        for (namespace, leads) in [("wva", 1), ("other", 0)] {
            let exporter = TcpListener::bind("127.0.0.1:0").await?;
            let target = exporter.local_addr()?.to_string();
            let scrapes = Arc::new(AtomicU32::new(0));
            let body = move || in_trouble(scrapes.fetch_add(1, Ordering::Relaxed), leads);
            tokio::spawn(export(exporter, body));
            let labels = json!({"namespace": namespace, "pod": "a"});
            jobs.push(json!({
                "job_name": format!("{namespace}/scale-from-zero"),
                "honor_labels": true,
                "static_configs": [{"targets": [target], "labels": labels}],
            }));
        }
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": jobs,
        });
        let real = Real::start(prometheus, &config, Some(&impatient())).await?;
        let outcome = trial(&real).await;
        real.end(outcome).await
    })
}

/// The rules, each of which fires at once.
fn impatient() -> Value {
    let mut rules = rules();
    for group in rules["groups"].as_array_mut().unwrap() {
        group["interval"] = json!("1s");
        for rule in group["rules"].as_array_mut().unwrap() {
            rule.as_object_mut().unwrap().remove("for");
        }
    }
    rules
}

/// What a copy shows that has every trouble. There is no `build_info`, so it is also missed.
fn in_trouble(scrape: u32, leads: u32) -> String {
    let errors = scrape * 3;
    let queries = scrape * 10;
    let last_tick = if leads == 1 {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        // A day, 3 hours, 46 minutes and 40 seconds: 20 more are still the same minute.
        now - 100_000
    } else {
        1
    };
    format!(
        r#"scale_from_zero_last_tick_timestamp_seconds {last_tick}
scale_from_zero_last_successful_query_timestamp_seconds 1
scale_from_zero_leader {leads}
scale_from_zero_queries_total {queries}
scale_from_zero_query_errors_total{{reason="partial"}} {errors}
scale_from_zero_reverts_total {errors}
scale_from_zero_blocked{{namespace="llm",model="{HOSTILE}",reason="no_pool"}} 1
scale_from_zero_blocked{{namespace="llm",model="m",reason="manual"}} 1
scale_from_zero_blocked{{namespace="llm",model="m",reason="epp_not_scraped"}} 1
scale_from_zero_blocked{{namespace="llm",model="n",reason="epp_not_scraped"}} 1
scale_from_zero_unmatched_demand_requests{{reason="no_variant"}} 7
scale_from_zero_variants_by_state{{state="overdue"}} 2
scale_from_zero_watch_state{{kind="deployments.apps",namespace="",state="failing"}} 1
scale_from_zero_watch_state{{kind="namespaces",namespace="llm",state="failing"}} 1
scale_from_zero_config_last_reload_successful 0
"#
    )
}

async fn trial(real: &Real) -> Result<(), Failed> {
    let rules = rules();
    let wanted: BTreeSet<_> = alerts_of(&rules).map(|alert| str_of(alert, "alert")).collect();
    let firing = async || {
        let answer = real.get("alerts", &[]).await;
        let alerts = answer["data"]["alerts"].as_array().unwrap().clone();
        let firing = alerts.into_iter().filter(|alert| alert["state"] == "firing");
        firing.collect::<Vec<_>>()
    };
    until("every alert fires", async || {
        let firing = firing().await;
        let firing: BTreeSet<_> = firing
            .iter()
            .map(|alert| str_of(&alert["labels"], "alertname"))
            .collect();
        firing == wanted
    })
    .await?;

    let answer = real.get("rules", &[]).await;
    for group in answer["data"]["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            check("a rule is well", rule["health"] == "ok", rule)?;
        }
    }
    for alert in firing().await {
        for key in ["summary", "description"] {
            let text = str_of(&alert["annotations"], key);
            let whole =
                !text.contains("no value") && !text.contains("error expanding") && !text.contains("  ");
            check("a text is whole", whole, &alert)?;
        }
    }
    // Each alert fires for several namespaces, and not for all of them at once.
    for text in [
        "No copy of scale-from-zero is scraped. If none runs",
        "none of the copies in namespace other leads",
        "No query of any copy in namespace wva has succeeded since the start. Demand",
        "No tick of any copy in namespace other has ended since the start: it cannot finish.",
        "The last tick of any copy in namespace wva ended 1d 3h 46m ",
        "30% of the queries from namespace wva fail with partial.",
        "Requests for {{ $value }}<b> wait and nothing is woken: no_pool",
        "Requests for model {{ $value }}<b> in namespace llm wait at an endpoint picker",
        "Demand for 2 parked models in namespace llm cannot be seen (epp_not_scraped)",
        "7 requests wait for models of which scale-from-zero in namespace wva knows no variant (no_variant).",
        "2 variants that scale-from-zero in namespace wva follows are overdue",
        "cannot follow deployments.apps (failing)",
        "cannot follow namespaces in namespace llm (failing)",
    ] {
        until(text, async || {
            let firing = firing().await;
            let mut annotations = firing.iter().map(|alert| &alert["annotations"]);
            annotations.any(|said| {
                str_of(said, "summary").contains(text) || str_of(said, "description").contains(text)
            })
        })
        .await?;
    }
    Ok(())
}
