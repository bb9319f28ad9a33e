//! What the listener says to whom, without a browser.

use serde_json::json;

use crate::{objects::parked, wait, world::World};

/// Nobody can write through it, and browsers are told to keep what they get to themselves.
pub async fn page_is_read_only(world: &World) {
    let program = world.program("a").ready().await;
    let client = reqwest::Client::builder().build().expect("a client");
    for path in [
        "/",
        "/api/status",
        "/api/queues",
        "/api/decisions",
        "/metrics",
        "/readyz",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
            let answer = client.request(method, program.url(path)).body("{}").send().await;
            assert_eq!(answer.expect("an answer").status(), 405, "{path}");
        }
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let answer = client
                .request(method, program.url(path))
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.headers()[name], value, "{path}");
            }
        }
    }
    let answer = client.get(program.url("/")).send().await.expect("an answer");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");

    // The history of queues begins where it is asked to.
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 4);
    let queues = wait::until("a queue in the history", async || {
        let (_, text) = program.page("/api/queues").await?;
        let queues: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (queues["models"][0]["waiting"][0][1] == 4.0).then_some(queues)
    })
    .await;
    assert_eq!(queues["models"][0]["model"], "llama");
    assert_eq!(queues["models"][0]["pool"], "llama");
    let later = queues["last"].as_i64().expect("a step") + 1000;
    let (_, later) = program
        .page(&format!("/api/queues?since={later}"))
        .await
        .expect("an answer");
    let later: serde_json::Value = serde_json::from_str(&later).expect("JSON");
    assert_eq!((&later["models"], &later["answered"]), (&json!([]), &json!([])));
}
