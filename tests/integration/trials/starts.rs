//! The start: what makes running pointless ends the process with a message that says what to mend;
//! what may still come is waited for.

use serde_json::{Value, json};

use crate::{
    objects::parked,
    program::{self, Program},
    relay::Relay,
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.embedded("bad_starts", bad_starts);
    suite.embedded("no_kubeconfig", no_kubeconfig);
    suite.embedded("api_server_comes_later", api_server_comes_later);
    suite.embedded("prometheus_comes_later", prometheus_comes_later);
    suite.both("token_file_missing", token_file_missing);
    suite.real("query_that_does_not_parse", query_that_does_not_parse);
}

/// Exit status 1, nothing on standard output, and a message with the key, the value and the mend.
async fn bad_starts(world: &World) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let broken = world.dir.path().join("broken.pem").display().to_string();
    std::fs::write(&broken, "no certificate").expect("a file");
    let cases: [(&str, Value, &[&str]); 8] = [
        (
            "misspelt",
            json!({"wake": {"concurency": 3}}),
            &["wake.concurency", "wake.concurrency", "config.yaml"],
        ),
        (
            "wrong-duration",
            json!({"interval": "soon"}),
            &["interval", "soon", "100ms"],
        ),
        ("too-fast", json!({"interval": "1us"}), &["interval", "1us"]),
        (
            "unknown-source",
            json!({"scope": {"sources": ["HPA"]}}),
            &["scope.sources[0]", "HPA", "HorizontalPodAutoscaler"],
        ),
        (
            "two-ways",
            json!({"prometheus": {"urls": ["http://a.example:9090"]}}),
            &["prometheus.url", "prometheus.urls"],
        ),
        (
            "no-ca",
            json!({"prometheus": {"tls": {"caFile": "/nowhere/ca.crt"}}}),
            &["caFile", "/nowhere/ca.crt"],
        ),
        (
            "broken-ca",
            json!({"prometheus": {"url": "https://127.0.0.1:1", "tls": {"caFile": broken}}}),
            &["caFile", &broken],
        ),
        (
            "port-in-use",
            json!({"server": {"address": address}}),
            &["server.address", &address, "free port"],
        ),
    ];
    for (name, config, parts) in cases {
        let end = world.program(name).config(&config).output().await;
        let (out, err) = (
            String::from_utf8_lossy(&end.stdout),
            String::from_utf8_lossy(&end.stderr),
        );
        assert_eq!(end.status.code(), Some(1), "{name}: {err}");
        assert_eq!(out, "", "{name}");
        let message = err.split_once("scale-from-zero: ").map(|(_, message)| message);
        let message = message.unwrap_or_else(|| panic!("{name}: {err}"));
        for part in parts {
            assert!(message.contains(part), "{name}: no {part:?} in: {message}");
        }
    }
    let requests = world.cluster.requests(&world.ns);
    assert!(
        requests.is_empty(),
        "nothing is asked before it is sure: {requests:?}"
    );
}

async fn no_kubeconfig(world: &World) {
    let home = world.dir.path();
    for (name, file) in [("none", None), ("missing", Some(home.join("missing")))] {
        let mut command = program::command();
        command.arg("run").env("HOME", home);
        if let Some(file) = file {
            command.env("KUBECONFIG", file);
        }
        let end = wait::in_time("it ends", command.output())
            .await
            .expect("the program");
        let err = String::from_utf8_lossy(&end.stderr);
        assert_eq!(end.status.code(), Some(1), "{name}: {err}");
        assert!(
            err.contains("KUBECONFIG") && err.contains("ServiceAccount"),
            "{name}: {err}"
        );
    }
}

/// It lives, says once for each kind that it cannot be reached, and works once it can.
async fn api_server_comes_later(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let relay = Relay::closed();
    let kubeconfig = world
        .cluster
        .kube()
        .kubeconfig()
        .replace(world.cluster.kube().url(), &relay.url());
    let program = world.program("a").kubeconfig(kubeconfig).ready().await;
    program
        .until_metric("watch_state", &[("state", "failing")], |n| n == 8.0)
        .await;
    program.ticks(20).await;
    assert_eq!(program.page("/livez").await.expect("an answer").0, 200);
    assert_eq!(failed_watches(&program), 8, "once for each kind");
    relay.open(world.cluster.kube().url()).await;
    world.until_told("llama").await;
    program
        .until_metric("watch_state", &[("state", "synced")], |n| n == 8.0)
        .await;
    assert_eq!(failed_watches(&program), 8);
}

fn failed_watches(program: &Program) -> usize {
    program
        .log
        .all("Watch failed; going on with what is known and trying again")
        .len()
}

/// The same for Prometheus.
async fn prometheus_comes_later(world: &World) {
    let prometheus = world.demand.scripted();
    prometheus.stop();
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let program = world.program("a").ready().await;
    program
        .until_metric("query_errors_total", &[("reason", "connect")], |n| n >= 3.0)
        .await;
    let failed = program
        .log
        .all("Query failed: demand is unknown, nothing is woken until it works");
    assert_eq!(failed.len(), 1);
    let error = failed[0].field("error");
    assert!(error.contains(prometheus.url()), "{error}");
    assert_eq!(
        program.page("/readyz").await.expect("an answer").0,
        200,
        "its host stays in service"
    );
    prometheus.serve().await;
    program.log.said("Prometheus answers again", |_| true).await;
    world.until_told("llama").await;
}

/// A file that is mounted later: it is told, and the process lives.
async fn token_file_missing(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let token = world.dir.path().join("token");
    let config = json!({"prometheus": {"bearerTokenFile": token}});
    let program = world.program("a").config(&config).ready().await;
    program
        .until_metric("query_errors_total", &[("reason", "credentials")], |n| n >= 2.0)
        .await;
    let failed = program
        .log
        .said(
            "Query failed: demand is unknown, nothing is woken until it works",
            |_| true,
        )
        .await;
    assert!(
        failed.field("error").contains(&token.display().to_string()),
        "{failed:?}"
    );
    std::fs::write(&token, "secret").expect("a file");
    world.until_told("llama").await;
    assert!(!program.log.text().contains("secret"));
}

/// Prometheus says what is wrong with it, and so does the log.
async fn query_that_does_not_parse(world: &World) {
    world.create(parked("llama", "llama")).await;
    let config = json!({"query": {"expression": "sum(my_queue_size"}});
    let program = world.program("a").config(&config).ready().await;
    program
        .until_metric("query_errors_total", &[("reason", "bad_query")], |n| n >= 2.0)
        .await;
    let failed = program
        .log
        .said(
            "Query failed: demand is unknown, nothing is woken until it works",
            |_| true,
        )
        .await;
    assert!(failed.field("error").contains("parse error"), "{failed:?}");
    assert_eq!(failed.field("reason"), "bad_query");
}
