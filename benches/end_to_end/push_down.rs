//! What the query for demand costs a real Prometheus with many queues, and what it would cost if it named the models
//! that are parked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use scale_from_zero::{config, prometheus::query};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    demand::{GUIDE, TODAY},
    http,
    servers::{Assets, PrometheusServer},
};

/// Models that requests have asked for. Each has a queue in both families, as today's EPPs export them.
const MODELS: usize = 5000;
/// Models of one namespace, with a pool and an EPP of their own.
const PER_POOL: usize = 10;
/// Models parked, and so named by a query.
const PARKED: [usize; 3] = [1, 10, 100];
/// Queries of a kind in a row, so that their CPU can be told apart.
const IN_A_ROW: usize = 20;
/// Turns of each kind.
const TURNS: usize = 10;
/// How often Prometheus scrapes: seldom, since that costs CPU too.
const SCRAPE: &str = "10s";
/// How long the queues may take to be there.
const THERE_WITHIN: Duration = Duration::from_secs(60);

/// A way to ask, and what it has cost.
struct Way {
    label: String,
    query: String,
    cpu_seconds: f64,
    seconds: Vec<f64>,
    rows: usize,
}

/// Measures both cases, and prints a table.
pub async fn run(assets: &Assets) {
    println!("| queues | query | bytes | rows | CPU of Prometheus, ms | p50, ms | max, ms |");
    println!("|---|---|---|---|---|---|---|");
    for (case, waiting) in [("empty", 0), ("3 wait for each, none of them parked here", 3)] {
        let mut ways = ways();
        measure(assets, waiting, &mut ways).await;
        for way in &mut ways {
            way.seconds.sort_unstable_by(f64::total_cmp);
            let count = f64::from(u32::try_from(way.seconds.len()).unwrap_or(u32::MAX));
            println!(
                "| {case} | {} | {} | {} | {:.2} | {:.1} | {:.1} |",
                way.label,
                way.query.len(),
                way.rows,
                way.cpu_seconds / count * 1e3,
                way.seconds[way.seconds.len() / 2] * 1e3,
                way.seconds.last().unwrap_or(&f64::NAN) * 1e3,
            );
        }
    }
}

/// The ways to ask.
fn ways() -> Vec<Way> {
    let way = |label: &str, query: String| Way {
        label: label.to_owned(),
        query,
        cpu_seconds: 0.0,
        seconds: Vec::new(),
        rows: 0,
    };
    let today = query::demand(&config::Query::default());
    let with = |queues: &str| today.replace(&format!("({TODAY} or {GUIDE}) > 0"), queues);
    let early = with(&format!("({TODAY} > 0) or (({GUIDE} > 0) unless {TODAY})"));
    let mut ways = vec![
        way("nothing: `vector(0)`", "vector(0)".to_owned()),
        way("as it is", today.clone()),
        way("`> 0` before `or`", early),
    ];
    for parked in PARKED {
        // Models beyond those that an EPP keeps apart go by the name `other`.
        let names: Vec<_> = (0..parked)
            .map(|n| model(n).replace('.', "\\\\."))
            .chain(["other".to_owned()])
            .collect();
        let names = names.join("|");
        // Rows without any model's name belong to whatever is parked alone; no index finds them.
        for (unnamed, label) in [("|", "or nothing"), ("", "and nothing else")] {
            let queues: Vec<_> = [TODAY, GUIDE]
                .iter()
                .flat_map(|family| {
                    [
                        format!("{family}{{target_model_name=~\"{names}\"}}"),
                        format!("{family}{{target_model_name=\"\",model_name=~\"{unnamed}{names}\"}}"),
                    ]
                })
                .collect();
            ways.push(way(
                &format!("names {parked} models {label}"),
                with(&format!("({}) > 0", queues.join(" or "))),
            ));
        }
    }
    ways
}

/// A model's name. The first ones are parked.
fn model(number: usize) -> String {
    format!("meta/llama-3.1-{number}")
}

/// What is scraped: so many requests wait for each model that is not parked.
fn exposed(waiting: u32) -> String {
    let parked = PARKED.into_iter().max().unwrap_or_default();
    let mut text = String::new();
    for family in [TODAY, GUIDE] {
        let _ = writeln!(text, "# TYPE {family} gauge");
        for number in 0..MODELS {
            let (pool, model) = (number / PER_POOL, model(number));
            let waiting = if number < parked { 0 } else { waiting };
            let _ = writeln!(
                text,
                "{family}{{namespace=\"team-{pool}\",pod=\"epp-{pool}-7d4b9c-x2x\",instance=\"10.0.{pool}.1:9090\",\
                 service=\"epp-{pool}\",fairness_id=\"default-flow\",priority=\"0\",inference_pool=\"pool-{pool}\",\
                 model_name=\"{model}\",target_model_name=\"{model}\"}} {waiting}"
            );
        }
    }
    text
}

/// Asks in all ways in turn, of a Prometheus with these queues.
async fn measure(assets: &Assets, waiting: u32, ways: &mut [Way]) {
    let text = exposed(waiting);
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("its address");
    let router = Router::new().route("/metrics", get(async || text));
    let exporter = tokio::spawn(async move { axum::serve(socket, router).await });
    let config = json!({
        "global": {"scrape_interval": SCRAPE},
        "scrape_configs": [{
            "job_name": "epp",
            "honor_labels": true,
            "static_configs": [{"targets": [address]}],
        }],
    });
    let prometheus = PrometheusServer::configured(assets, &config, None).await;
    let prometheus = prometheus.expect("Prometheus");
    let deadline = Instant::now() + THERE_WITHIN;
    while scraped(&prometheus).await != Some(2 * MODELS) {
        assert!(Instant::now() < deadline, "the queues are not there");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let client = reqwest::Client::builder().build().expect("a client");
    let url = format!("{}/api/v1/query", prometheus.url());
    for turn in 0..=TURNS {
        for way in &mut *ways {
            let before = cpu_seconds(&prometheus).await;
            for _ in 0..IN_A_ROW {
                let began = Instant::now();
                let request = client.get(&url).query(&[("query", &way.query)]);
                let answer = request.send().await.expect("an answer");
                let body = answer.bytes().await.expect("a whole answer");
                let took = began.elapsed().as_secs_f64();
                let answer: Value = serde_json::from_slice(&body).expect("JSON");
                assert_eq!(answer["status"], "success", "{}: {answer}", way.query);
                way.rows = answer["data"]["result"].as_array().map_or(0, Vec::len);
                // The first turn is for the caches.
                if turn > 0 {
                    way.seconds.push(took);
                }
            }
            if turn > 0 {
                way.cpu_seconds += cpu_seconds(&prometheus).await - before;
            }
        }
    }
    exporter.abort();
    let same: BTreeMap<_, _> = ways.iter().map(|way| (way.label.as_str(), way.rows)).collect();
    assert_eq!(same["as it is"], same["`> 0` before `or`"], "they ask the same");
}

/// Queues that Prometheus has.
async fn scraped(prometheus: &PrometheusServer) -> Option<usize> {
    let answer = prometheus
        .api(&format!(
            "query?query=count(%7B__name__=~%22{TODAY}%7C{GUIDE}%22%7D)"
        ))
        .await?;
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

/// CPU that it has used so far.
async fn cpu_seconds(prometheus: &PrometheusServer) -> f64 {
    let (_, text) = http::get(&format!("{}/metrics", prometheus.url()))
        .await
        .expect("metrics");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}
