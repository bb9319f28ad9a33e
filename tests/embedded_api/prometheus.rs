//! The embedded Prometheus endpoint.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::{Client, Response};
use scale_from_zero::demo::prometheus::{Asked, Epp, Prometheus, Queries, Queue, QueueKey, Trouble};
use serde_json::{Value, json};

use crate::soon;

fn key(model: &str) -> QueueKey {
    QueueKey {
        namespace: "llm".into(),
        pool: "llama-pool".into(),
        target_model: "meta/llama-3.1-8b".into(),
        model: model.into(),
    }
}

fn queue(model: &str, waiting: f64) -> Queue {
    Queue {
        key: key(model),
        waiting,
        epp: Epp::FlowControl,
    }
}

fn queries() -> Queries {
    Queries {
        demand: "demand{a=\"b\"}".into(),
        age: "age".into(),
        signal: "signal".into(),
    }
}

/// A server that scrapes only when it is told to.
async fn start(queues: Vec<Queue>) -> (Prometheus, Arc<Mutex<Vec<Queue>>>) {
    let queues = Arc::new(Mutex::new(queues));
    let source = Arc::clone(&queues);
    let hour = Duration::from_secs(3600);
    let source = move || source.lock().unwrap().clone();
    (Prometheus::start(queries(), hour, source).await.unwrap(), queues)
}

async fn get(prometheus: &Prometheus, query: &str) -> Response {
    let url = format!("{}/api/v1/query", prometheus.url());
    soon(Client::new().get(url).query(&[("query", query)]).send())
        .await
        .unwrap()
}

async fn result(answer: Response) -> Value {
    assert_eq!(answer.status(), 200);
    let mut body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["status"], &body["data"]["resultType"]),
        (&"success".into(), &"vector".into())
    );
    body["data"]["result"].take()
}

#[tokio::test]
async fn answers_what_waits() {
    let (prometheus, queues) = start(vec![queue("meta/llama-3.1-8b", 5.0), queue("idle", 0.0)]).await;
    let rows = result(get(&prometheus, "demand{a=\"b\"}").await).await;
    assert_eq!(rows.as_array().unwrap().len(), 1, "a queue of 0 is no demand");
    assert_eq!(
        rows[0]["metric"],
        json!({
            "__name__": "llm_d_epp_flow_control_queue_size",
            "namespace": "llm",
            "inference_pool": "llama-pool",
            "target_model_name": "meta/llama-3.1-8b",
            "model_name": "meta/llama-3.1-8b",
        })
    );
    assert_eq!(rows[0]["value"][1], "5");
    assert!(rows[0]["value"][0].is_f64());

    // What changes shows with the next scrape, not before.
    *queues.lock().unwrap() = vec![queue("meta/llama-3.1-8b", 6.0)];
    let rows = result(get(&prometheus, "demand{a=\"b\"}").await).await;
    assert_eq!(rows[0]["value"][1], "5");
    prometheus.scrape();
    let rows = result(get(&prometheus, "demand{a=\"b\"}").await).await;
    assert_eq!(rows[0]["value"][1], "6");
    assert_eq!(prometheus.take_told(), [(key("meta/llama-3.1-8b"), 6.0)].into());
    assert_eq!(prometheus.take_told(), [].into());
}

#[tokio::test]
async fn answers_how_old_that_is() {
    let (prometheus, _) = start(vec![queue("chat", 5.0)]).await;
    let rows = result(get(&prometheus, "age").await).await;
    assert_eq!(rows[0]["metric"].get("__name__"), None);
    let age = |rows: Value| rows[0]["value"][1].as_str().unwrap().parse::<f64>().unwrap();
    let first = age(rows);
    prometheus.pause_scrapes(true);
    prometheus.scrape();
    assert!(
        age(result(get(&prometheus, "age").await).await) > first,
        "nothing was scraped in between"
    );
    assert!(first >= 0.0);
}

#[tokio::test]
async fn answers_what_epps_export_while_nobody_waits() {
    let of = |pool: &str, model: &str, epp| Queue {
        key: QueueKey {
            pool: pool.into(),
            ..key(model)
        },
        epp,
        ..queue(model, 0.0)
    };
    let (prometheus, queues) = start(vec![
        of("on", "a", Epp::FlowControl),
        of("on", "b", Epp::FlowControl),
        of("off", "a", Epp::NoFlowControl),
        of("lost", "a", Epp::NotScraped),
    ])
    .await;
    let rows = result(get(&prometheus, "signal").await).await;
    let rows: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["metric"])
        .collect();
    let (saturation, endpoints) = (
        "llm_d_epp_flow_control_pool_saturation",
        "llm_d_epp_ready_endpoints",
    );
    assert_eq!(
        rows,
        [
            &json!({"__name__": saturation, "namespace": "llm", "inference_pool": "on"}),
            &json!({"__name__": endpoints, "namespace": "llm", "name": "off"}),
            &json!({"__name__": endpoints, "namespace": "llm", "name": "on"}),
        ]
    );
    assert_eq!(prometheus.asked().signal, 1);

    // Without flow control there is no queue to be seen.
    for queue in queues.lock().unwrap().iter_mut() {
        queue.waiting = 5.0;
    }
    prometheus.scrape();
    let rows = result(get(&prometheus, "demand{a=\"b\"}").await).await;
    let pools: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["metric"]["inference_pool"])
        .collect();
    assert_eq!(pools, ["on", "on"]);
}

#[tokio::test]
async fn takes_the_query_from_a_form_too() {
    let (prometheus, _) = start(vec![queue("chat", 5.0)]).await;
    let url = format!("{}/api/v1/query", prometheus.url());
    let post = Client::new()
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = post
        .body("timeout=2s&query=demand%7Ba%3D%22b%22%7D")
        .send()
        .await
        .unwrap();
    assert_eq!(result(answer).await.as_array().unwrap().len(), 1);
    let healthy = reqwest::get(format!("{}/-/healthy", prometheus.url()))
        .await
        .unwrap();
    assert_eq!(healthy.text().await.unwrap(), "Prometheus Server is Healthy.\n");
}

#[tokio::test]
async fn any_other_query_is_refused_plainly() {
    let (prometheus, _) = start(Vec::new()).await;
    let answer = get(&prometheus, "up").await;
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["status"], &body["errorType"]),
        (&"error".into(), &"bad_data".into())
    );
    let error = body["error"].as_str().unwrap();
    assert!(
        error.contains("answers the queries it was told") && error.contains("\"up\""),
        "{error}"
    );
    let answer = reqwest::get(format!("{}/api/v1/query", prometheus.url()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(
        prometheus.asked(),
        Asked {
            demand: 0,
            age: 0,
            signal: 0,
            other: 2
        }
    );
}

#[tokio::test]
async fn trouble_on_request() {
    let (prometheus, _) = start(vec![queue("chat", 5.0)]).await;
    let url = format!("{}/api/v1/query?query=age", prometheus.url());
    prometheus.set_trouble(Some(Trouble::Down));
    assert!(soon(reqwest::get(&url)).await.is_err());
    prometheus.set_trouble(Some(Trouble::Answer(503, "<html>busy</html>".into())));
    let answer = get(&prometheus, "age").await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (503, "<html>busy</html>")
    );
    prometheus.set_trouble(Some(Trouble::Warnings(vec!["a store was not reached".into()])));
    let body: Value = get(&prometheus, "age").await.json().await.unwrap();
    assert_eq!(body["warnings"], json!(["a store was not reached"]));
    prometheus.set_trouble(Some(Trouble::Slow(Duration::from_millis(1))));
    assert_eq!(
        result(get(&prometheus, "age").await)
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    prometheus.set_trouble(None);
    result(get(&prometheus, "age").await).await;
    prometheus.shutdown();
    assert!(soon(reqwest::get(&url)).await.is_err());
}

#[tokio::test]
async fn a_hang_answers_nothing() {
    let (prometheus, _) = start(Vec::new()).await;
    prometheus.set_trouble(Some(Trouble::Hang));
    let other = Prometheus::start(queries(), Duration::from_secs(1), Vec::new)
        .await
        .unwrap();
    // Ten answers of another server later there is still none.
    tokio::select! {
        biased;
        answer = get(&prometheus, "age") => panic!("{answer:?}"),
        () = async { for _ in 0..10 { get(&other, "age").await; } } => {}
    }
}
