//! What others choose or send is data: names without end and names that are code, references out of a namespace, and
//! pages that ask under a name of their own. docs/security.md says what holds against each.

use std::{collections::BTreeSet, time::Duration};

use scale_from_zero::demo::kubernetes::Verb;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    cluster::{DEPLOYMENT, POOL},
    demand::{Queue, TODAY},
    objects::{Shape, hpa, managed, parked, pool, scaled_object, targeting, variant},
    servers::free_port,
    suite::Suite,
    wait,
    world::World,
};

/// Returns the names of what it registers, for the table of them.
pub fn register(suite: &mut Suite) -> BTreeSet<String> {
    let before: BTreeSet<String> = suite.names().collect();
    suite.embedded("hostile_names_in_json", hostile_names_in_json);
    suite.embedded("hostile_names_in_text", hostile_names_in_text);
    suite.embedded("names_without_end", names_without_end);
    suite.embedded("tenants_stay_apart", tenants_stay_apart);
    suite.embedded("page_under_a_foreign_name", page_under_a_foreign_name);
    suite.embedded("page_for_requests_too_large", page_for_requests_too_large);
    suite.names().filter(|name| !before.contains(name)).collect()
}

/// Names that end a line, a string, a label or a document, move a cursor, or turn writing round.
const NAMES: [&str; 9] = [
    "a\n2026-01-01T00:00:00.000000Z  INFO scale_from_zero: owned",
    "b\r2026-01-01T00:00:00.000000Z  INFO scale_from_zero: owned",
    "c\u{1b}]0;owned\u{7}\u{1b}[2J",
    "d\u{9b}2J\u{7f}\0",
    "e\",\"message\":\"owned\",\"x\":\"",
    "f\u{202e}denwo\u{200b}\u{2028}owned",
    "g\"} 1\nscale_from_zero_owned 1\nh{x=\"",
    "h\\\" or vector(1) # {{.}} ${x} %s",
    "i\u{e0041}\u{fff9}",
];
const WOKEN: &str = "Successfully scaled up Target Workload";
const HELD: &str = "Requests wait and nothing is woken";

/// Models of these names are parked and asked for, and others of theirs that nobody has.
async fn ask_for_all(world: &World) {
    for (n, name) in NAMES.iter().enumerate() {
        let target = format!("v{n}");
        world.create(parked(&target, name)).await;
        world.ask(&target, name, 1);
        world.ask(name, &format!("nobody's {name}"), 1);
        // Of a namespace that is none of ours: passed over.
        world.ask_in(name, name, name, 1);
    }
    // While one is parked, demand is asked for.
    world.create(parked("parked", "parked")).await;
    for n in 0..NAMES.len() {
        world.until_told(&format!("v{n}")).await;
    }
}

/// A line says nothing but what its writer means.
fn check_line(line: &str) {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}' | '\u{fff9}');
    assert!(!line.contains(|c: char| c.is_control() || turns(c)), "{line:?}");
}

async fn hostile_names_in_json(world: &World) {
    let program = world.program("a").ready().await;
    ask_for_all(world).await;
    for name in NAMES {
        let model = format!("nobody's {name}");
        let labels = [("model", model.as_str()), ("reason", "no_variant")];
        // As a reader of the format reads them.
        program.until_metric("blocked", &labels, |n| n == 1.0).await;
        program.log.said(HELD, |line| line.field("model") == model).await;
        program.log.said(WOKEN, |line| line.field("model") == name).await;
    }
    for line in program.log.text().split('\n') {
        check_line(line);
        let fields: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_ne!(fields["message"], "owned", "{line}");
    }
    let (_, text) = program.page("/metrics").await.expect("the metrics");
    assert!(!text.contains("\nscale_from_zero_owned"), "{text}");
    // And where kubectl shows them.
    let events = world.events().await;
    assert!(events.len() >= 2 * NAMES.len(), "{}", events.len());
    for event in &events {
        check_line(event["note"].as_str().expect("a note"));
    }
}

async fn hostile_names_in_text(world: &World) {
    let address = format!("127.0.0.1:{}", free_port());
    let config = json!({"log": {"format": "text"}, "server": {"address": address}});
    let start = world.program("a").config(&config);
    let (_child, log, _) = start.start().await;
    ask_for_all(world).await;
    let said = |message: &str| log.text().matches(&format!(": {message} ")).count();
    wait::until_true("all of it is told", async || {
        said(WOKEN) == NAMES.len() && said(HELD) >= NAMES.len()
    })
    .await;
    for line in log.text().split('\n') {
        check_line(line);
        let (time, rest) = line.split_once(' ').expect("a time");
        assert!(time.len() == 27 && time.ends_with('Z'), "{line}");
        let source = rest.trim_start().split(' ').nth(1);
        assert!(
            source.is_some_and(|source| source.starts_with("scale_from_zero::")),
            "{line}"
        );
    }
}

/// Clients ask for more names than anything could keep. What is shown stays small, and who waits for a model is served.
async fn names_without_end(world: &World) {
    const COUNT: u16 = 3000;
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").ready().await;
    let long = "x".repeat(400);
    let queue = |n: u16| Queue {
        family: TODAY,
        namespace: world.ns.clone(),
        pool: "llama".into(),
        model: format!("{n}-{long}"),
    };
    let queues = world.demand.queues();
    queues.set_all((0..COUNT).map(|n| (queue(n), 1.0)));
    let reason = [("reason", "no_variant")];
    program
        .until_metric("unmatched_demand_requests", &reason, |n| n == f64::from(COUNT))
        .await;
    let (_, metrics) = program.page("/metrics").await.expect("the metrics");
    let series = metrics.matches("scale_from_zero_blocked{").count();
    assert!(
        series == 500 && metrics.len() < 500_000,
        "{series} series in {} bytes",
        metrics.len()
    );
    let status = program.status().await;
    assert_eq!(status["blocked"].as_array().expect("a list").len(), 1000);
    assert_eq!(status["moreBlocked"], COUNT - 1000);
    let (_, decisions) = program.page("/api/decisions").await.expect("the decisions");
    assert!(decisions.len() < 1_000_000, "{}", decisions.len());

    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    let told = program.log.all(HELD).len();
    assert!(told <= 50, "{told} lines within a minute");
}

/// A tenant writes into all that is his the name of another's target. Nothing of the other's is woken, read or written.
async fn tenants_stay_apart(world: &World) {
    let (victim, tenant) = (world.ns.as_str(), format!("{}-tenant", world.ns));
    world.create_namespace(&tenant).await;
    world.create(parked("llama", "llama")).await;
    let elsewhere = |mut object: Value| {
        object["spec"]["scaleTargetRef"]["namespace"] = victim.into();
        object
    };
    let named = |mut object: Value, name: &str| {
        object["metadata"]["name"] = name.into();
        object
    };
    let path = format!("../../{victim}/deployments/llama");
    let qualified = format!("{victim}/llama");
    let mut theirs = parked("own", "own").to_vec();
    theirs.extend([
        elsewhere(variant("llama", "llama")),
        named(targeting(variant("x", "llama"), DEPLOYMENT, &path), "by-path"),
        named(
            targeting(variant("x", "llama"), DEPLOYMENT, &qualified),
            "qualified",
        ),
        managed(elsewhere(hpa("hpa", "llama", 0, 1)), "llama", "1"),
        managed(
            elsewhere(scaled_object("scaled-object", "llama", 0, 1)),
            "llama",
            "1",
        ),
        pool(POOL, Shape::MatchLabels, "llama", "llama"),
    ]);
    world.create_in(&tenant, theirs).await;
    let config = json!({"scope": {"namespaces": [victim, tenant]}, "wake": {"guard": true}});
    let program = world.program("a").config(&config).ready().await;
    for pool in ["llama", "own", victim, qualified.as_str()] {
        world.ask_in(&tenant, pool, "llama", 5);
    }
    // Nor by what the labels of a series say of a namespace.
    world.ask_in(&format!("{tenant}/{victim}"), "llama", "llama", 5);
    world.ask_in(&tenant, "own", "own", 1);
    wait::until_true("the tenant's own model is woken", async || {
        let own = world.cluster.admin.get(DEPLOYMENT, &tenant, "own").await;
        own.expect("the target")["spec"]["replicas"] == 1
    })
    .await;
    program.ticks(10).await;
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 0);
    assert_eq!(world.patched(&["deployments/scale"]).len(), 1);
    let kube = world.cluster.kube();
    let beyond: Vec<_> = kube
        .requests()
        .into_iter()
        .filter(|request| request.verb != Verb::Watch && request.verb != Verb::List)
        .filter(|request| {
            request.namespace.as_deref() == Some(victim) && !request.query.contains("by=the-trial")
        })
        .collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
    let theirs = [("namespace", tenant.as_str()), ("model", "llama")];
    program.until_metric("blocked", &theirs, |n| n > 0.0).await;
    // The victim's own requests are another matter.
    world.ask("llama", "llama", 1);
    world.until_woken("llama").await;
    world.demand.queues().forget(&tenant);
}

/// A site whose name has come to point at the forwarded port (DNS rebinding), and one that asks across origins.
async fn page_under_a_foreign_name(world: &World) {
    let program = world.program("a").ready().await;
    let client = reqwest::Client::builder().build().expect("a client");
    let ask = async |path: &str, headers: &[(&'static str, &str)]| {
        let mut request = client.get(program.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    };
    for path in [
        "/",
        "/metrics",
        "/api/status",
        "/api/queues",
        "/api/decisions",
        "/nowhere",
    ] {
        for host in [
            "evil.example",
            "evil.example:8085",
            "localhost.evil.example",
            "localhost@evil.example",
            "",
        ] {
            let answer = ask(path, &[("host", host), ("x-forwarded-host", "localhost")]).await;
            assert_eq!(answer.status(), 421, "{path} as {host:?}");
            let text = answer.text().await.expect("text");
            assert!(
                text.contains("answers to localhost") && !text.contains("watches"),
                "{text}"
            );
        }
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(ask(path, &[("host", "probe.example")]).await.status(), 200);
    }
    for host in [
        "localhost",
        "localhost:1234",
        "127.0.0.1:8085",
        "[::1]:8085",
        "10.1.2.3:8085",
    ] {
        let origin = [("host", host), ("origin", "https://evil.example")];
        let answer = ask("/api/status", &origin).await;
        assert_eq!(answer.status(), 200, "{host}");
        let grants = |name: &str| name.starts_with("access-control-");
        assert!(
            !answer.headers().keys().any(|name| grants(name.as_str())),
            "{:?}",
            answer.headers()
        );
    }
    let preflight = client
        .request(reqwest::Method::OPTIONS, program.url("/api/status"))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "GET");
    let answer = preflight.send().await.expect("an answer");
    assert_eq!(answer.status(), 405);
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}

/// Heads without end, bodies that nobody asked for, and words that are no HTTP: the next one is answered.
async fn page_for_requests_too_large(world: &World) {
    /// Bytes of a request, of which next to nothing is kept.
    const LARGE: usize = 10 << 20;
    const MORE_KIB: u64 = 5 * 1024;
    let program = world.program("a").ready().await;
    let head = "GET /livez HTTP/1.1\r\nHost: localhost\r\n";
    let before = program.highest_memory();
    for (wanted, begun) in [
        (
            "HTTP/1.1 431 ",
            format!("GET /{} HTTP/1.1\r\n", "x".repeat(LARGE)),
        ),
        ("HTTP/1.1 431 ", format!("{head}X: {}\r\n\r\n", "x".repeat(LARGE))),
        ("HTTP/1.1 431 ", head.to_owned() + &"X: y\r\n".repeat(LARGE / 6)),
        // Answered without the body, which is not taken in.
        (
            "HTTP/1.1 200 ",
            format!("{head}Content-Length: {}\r\n\r\n{}", u32::MAX, "x".repeat(LARGE)),
        ),
        (
            "HTTP/1.1 200 ",
            format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
                "x".repeat(LARGE)
            ),
        ),
        ("HTTP/1.1 400 ", "\u{16}\u{3}\u{1}".repeat(1 << 20)),
        ("HTTP/1.1 400 ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
    ] {
        let mut stream = TcpStream::connect(program.address()).await.expect("a connection");
        // It may end the connection before all is sent.
        let _ = tokio::time::timeout(Duration::from_secs(2), stream.write_all(begun.as_bytes())).await;
        let mut answer = [0; 64];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
        let read = read.expect("an answer, or the end");
        let said = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]);
        // Nothing is read any more: the end, or the reset that takes an answer with it if more has come.
        assert!(said.is_empty() || said.starts_with(wanted), "{wanted}: {said}");
        drop(stream);
        assert_eq!(program.page("/livez").await, Some((200, "ok\n".into())));
    }
    let more = program.highest_memory() - before;
    assert!(more < MORE_KIB, "{more} KiB more than before");
}
