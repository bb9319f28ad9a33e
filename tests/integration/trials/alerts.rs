//! The alerts of `manifests/monitoring` on what the program really exports, in a real Prometheus. What each of them is for is
//! tried in `tests/promql`.

use serde_json::{Value, json};

use crate::{
    objects::{deployment, parked, variant},
    servers::{PrometheusServer, documents},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.with_servers("real::alerts", async |servers, logs| {
        let world = World::real("alerts", &servers, servers.shared.clone(), logs).await;
        let program = world.program("a").ready().await;
        let job = json!({
            "job_name": "wva/scale-from-zero",
            "honor_labels": true,
            "static_configs": [{
                "targets": [program.address()],
                "labels": {"namespace": "wva", "pod": "a"},
            }],
        });
        let config = json!({
            "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [job],
        });
        let prometheus = PrometheusServer::configured(&servers.assets, &config, Some(&impatient())).await;
        alerts(&world, &prometheus.expect("a Prometheus")).await;
    });
}

/// The rules, each of which fires at once and ends at once.
fn impatient() -> Value {
    let mut rules = documents("manifests/monitoring/prometheusrule.yaml").remove(0)["spec"].take();
    for group in rules["groups"].as_array_mut().expect("groups") {
        group["interval"] = json!("500ms");
        for rule in group["rules"].as_array_mut().expect("rules") {
            let rule = rule.as_object_mut().expect("a rule");
            rule.remove("for");
            rule.remove("keep_firing_for");
        }
    }
    rules
}

/// One model wakes as it should, and one cannot: that is told, nothing else is, and it ends with the demand.
async fn alerts(world: &World, prometheus: &PrometheusServer) {
    world.create(parked("llama", "llama")).await;
    world
        .create([deployment("lost", "lost", 0), variant("lost", "lost")])
        .await;
    // Before the first scrape all of it is missing.
    until_firing(prometheus, &[]).await;
    world.ask("llama", "llama", 1);
    world.ask("llama", "lost", 1);
    world.until_told("llama").await;
    let expected = json!({
        "alertname": "ScaleFromZeroDemandNotWoken",
        "severity": "warning",
        "namespace": world.ns,
        "model": "lost",
        "reason": "no_pool",
    });
    until_firing(prometheus, &[expected]).await;
    let rules = prometheus.api("rules").await.expect("an answer");
    for rule in rules["data"]["groups"][0]["rules"].as_array().expect("rules") {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    world.ask("llama", "lost", 0);
    until_firing(prometheus, &[]).await;
}

/// Waits until these alerts fire and no others, by all rules that are evaluated then.
async fn until_firing(prometheus: &PrometheusServer, expected: &[Value]) {
    wait::until_true(&format!("{expected:?} fires, and nothing else"), async || {
        let Some(rules) = prometheus.api("rules").await else {
            return false;
        };
        let all = rules["data"]["groups"][0]["rules"].as_array();
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let evaluated = |rule: &Value| rule["health"] == "ok";
        let alerts = all.iter().filter_map(|rule| rule["alerts"].as_array()).flatten();
        let labels: Vec<_> = alerts.map(|alert| &alert["labels"]).collect();
        !all.is_empty() && all.iter().all(evaluated) && labels == expected.iter().collect::<Vec<_>>()
    })
    .await;
}
