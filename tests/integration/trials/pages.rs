//! `/livez`, `/readyz` and `/metrics`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use scale_from_zero::demo::kubernetes::{Effect, Match, Resource, Verb};
use serde_json::json;

use crate::{
    objects::{behind, hpa, parked},
    servers::project,
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.embedded("readyz_before_the_first_list", readyz_before_the_first_list);
    suite.both("pages", pages);
    suite.embedded("metrics_as_documented", metrics_as_documented);
}

/// 503 until each kind has been listed, 200 from then on.
async fn readyz_before_the_first_list(world: &World) {
    let slow = Match::verb(Verb::List).on(Resource::Deployments);
    world
        .cluster
        .kube()
        .fail_once(slow, Effect::Delay(Duration::from_secs(2)));
    let program = world.program("a").spawn().await;
    let (code, text) = wait::until("/readyz tells of the watches", async || {
        program
            .page("/readyz")
            .await
            .filter(|(_, text)| text != "not started\n")
    })
    .await;
    assert_eq!(code, 503, "{text}");
    assert!(text.starts_with("not ready\n"), "{text}");
    let state = format!("deployments.apps in {}: starting\n", world.ns);
    assert!(text.contains(&state), "{text}");
    program.until_ready().await;
}

async fn pages(world: &World) {
    let program = world.program("a").ready().await;
    let text = program.until_ready().await;
    let mut lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.remove(0), "ready");
    let kinds = [
        "variantautoscalings.llmd.ai",
        "deployments.apps",
        "statefulsets.apps",
        "inferencepools.inference.networking.k8s.io",
        "inferencepools.inference.networking.x-k8s.io",
        "scaledobjects.keda.sh",
        "horizontalpodautoscalers.autoscaling",
        "namespaces",
    ];
    let expected: BTreeSet<_> = kinds
        .iter()
        .map(|kind| format!("{kind} in {}: synced", world.ns))
        .collect();
    assert_eq!(
        lines.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(),
        expected
    );
    assert_eq!(program.page("/livez").await, Some((200, "ok\n".into())));
    assert_eq!(program.page("/nowhere").await.expect("an answer").0, 404);
    // It is ready before its first tick has ended.
    program.ticks(2).await;
    let metrics = program.metrics().await;
    for kind in kinds {
        let labels = [("kind", kind), ("namespace", world.ns.as_str())];
        assert_eq!(metrics.sum("watch_state", &labels), 1.0, "one state of {kind}");
        assert!(
            metrics.sum("watch_last_news_timestamp_seconds", &labels) > 1e9,
            "{kind}"
        );
    }
    assert_eq!(
        metrics.sum("build_info", &[("version", env!("CARGO_PKG_VERSION"))]),
        1.0
    );
    assert_eq!(metrics.sum("leader", &[]), 1.0);
    assert_eq!(
        metrics.sum("queries_total", &[]),
        1.0,
        "nothing is parked, and Prometheus is tried once"
    );
    assert!(metrics.sum("last_tick_timestamp_seconds", &[]) > 1e9);
}

/// The table in docs/metrics.md names what is exported, with its type and labels, and nothing else.
async fn metrics_as_documented(world: &World) {
    let documented = documented();
    // Everything that can be counted happens once: a failed query, a wake with a guard, one in its place, demand that
    // nobody answers, a bad configuration.
    let prometheus = world.demand.scripted();
    prometheus.stop();
    world.create(parked("llama", "llama")).await;
    world.create(behind("llama", "dearer", "llama", "99.0", 0)).await;
    world.create([hpa("llama", "llama", 0, 1)]).await;
    world.create(parked("parked", "parked")).await;
    world.ask("llama", "llama", 1);
    world.ask("llama", "nobody", 1);
    let config = json!({"wake": {"guard": true, "readyTimeout": "1s"}});
    let program = world.program("a").config(&config).ready().await;
    program
        .until_metric("query_errors_total", &[], |n| n >= 1.0)
        .await;
    prometheus.serve().await;
    world.until_told("llama").await;
    world.until_told("dearer").await;
    program.rewrite(&json!({"nonsense": true}));
    program
        .until_metric("config_reloads_total", &[], |n| n == 1.0)
        .await;
    program
        .until_metric("unmatched_demand_requests", &[], |n| n == 1.0)
        .await;
    let metrics = program.metrics().await;
    let exported: BTreeMap<_, _> = metrics.described().collect();
    assert_eq!(exported, documented);
}

/// Name to type and labels, from the first table of the document.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = std::fs::read_to_string(project("docs/metrics.md")).expect("docs/metrics.md");
    let rows = text.lines().take_while(|line| !line.starts_with("## "));
    let rows = rows.filter(|line| line.starts_with("| `scale_from_zero_"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let plain = |cell: &str| cell.trim_matches('`').to_owned();
        let labels = cells[3]
            .split(',')
            .map(|label| plain(label.trim()))
            .filter(|label| !label.is_empty());
        (plain(cells[1]), (cells[2].to_owned(), labels.collect()))
    })
    .collect()
}
