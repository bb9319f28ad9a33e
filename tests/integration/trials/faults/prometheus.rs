//! A Prometheus that fails, lies or comes back empty: nothing is woken by mistake, nothing is forgotten, and what
//! waits is woken by the second good answer at the latest.

use serde_json::{Value, json};

use crate::{
    cluster::DEPLOYMENT,
    demand::{Queue, Scripted, TODAY, Trouble},
    objects::parked,
    program::Program,
    suite::Suite,
    world::World,
};

/// The body of an answer that is no Prometheus'.
const PAGE: &str = "<html><title>502 Bad Gateway</title></html>";
/// Larger than what is ever read of an answer, 32 MiB.
const GIGANTIC: usize = 100 * 1024 * 1024;
/// What the process may take at its highest, in KiB: the answer as far as it is read, and itself, not optimised.
const HIGHEST_KIB: u64 = 150 * 1024;

pub fn register(suite: &mut Suite) {
    let failing: [(&str, Trouble, &str, &str); 10] = [
        (
            "hangs_midway",
            Trouble::HangsMidway,
            "timeout",
            "no whole answer within",
        ),
        ("breaks_off", Trouble::BreaksOff, "connect", "broke off"),
        (
            "bad_request",
            Trouble::Answers(400, None, "what?"),
            "http_status",
            "400",
        ),
        (
            "unauthorized",
            Trouble::Answers(401, None, ""),
            "unauthorized",
            "401",
        ),
        (
            "throttled",
            Trouble::Answers(429, Some(1), "slow down"),
            "throttled",
            "429",
        ),
        (
            "error",
            Trouble::Answers(500, None, "out of memory"),
            "http_status",
            "500",
        ),
        (
            "malformed",
            Trouble::Answers(200, None, PAGE),
            "decode",
            "not JSON",
        ),
        (
            "cut_json",
            Trouble::Answers(200, None, r#"{"status":"succ"#),
            "decode",
            "not JSON",
        ),
        ("gigantic", Trouble::Gigantic(GIGANTIC), "too_large", "32 MiB"),
        ("partial", Trouble::Partial, "partial", "out of reach"),
    ];
    for (name, trouble, reason, says) in failing {
        suite.embedded(&format!("prometheus_{name}"), async move |world| {
            fails_and_heals(world, &trouble, reason, says).await;
        });
    }
    suite.embedded("prometheus_goes_down", goes_down);
    suite.embedded("prometheus_odd_rows", odd_rows);
    suite.embedded("prometheus_clock_off", clock_off);
    suite.embedded("prometheus_stale", stale);
    suite.embedded("prometheus_restarted_empty", restarted_empty);
    suite.embedded("prometheus_failover", failover);
}

/// Every query fails; then two queries for demand are answered well, and no more.
async fn fails_and_heals(world: &World, trouble: &Trouble, reason: &str, says: &str) {
    let prometheus = world.demand.scripted();
    prometheus.troubles().begin(trouble.clone());
    for name in ["llama", "parked"] {
        world.create(parked(name, name)).await;
    }
    world.ask("llama", "llama", 1);
    // There are two good answers and no more: neither may be late on a busy machine.
    let timeout = if reason == "timeout" { "2s" } else { "10s" };
    let config = json!({"prometheus": {"timeout": timeout}});
    let program = world.program("a").config(&config).ready().await;
    program
        .until_metric("query_errors_total", &[("reason", reason)], |n| n >= 2.0)
        .await;
    assert_eq!(world.asked("patch", "deployments/scale"), []);
    let told = failed(&program);
    assert_eq!(told.len(), 1, "once, however often it fails");
    assert_eq!(told[0].field("reason"), reason);
    let error = told[0].field("error");
    assert!(
        error.contains(says) && error.contains(prometheus.url()),
        "{error}"
    );
    lives(&program).await;
    if matches!(trouble, Trouble::Gigantic(_)) {
        let highest = program.highest_memory();
        println!("an answer of 100 MB: {highest} KiB at the highest");
        assert!(highest < HIGHEST_KIB, "{highest} KiB");
    }

    prometheus.troubles().pause(2);
    world.until_told("llama").await;
    program.log.said("Prometheus answers again", |_| true).await;
    prometheus.troubles().end();
    program.ticks(10).await;
    assert_eq!(world.asked("patch", "deployments/scale"), [("llama".into(), 200)]);
    assert_eq!(world.replicas(DEPLOYMENT, "parked").await, 0);
}

fn failed(program: &Program) -> Vec<crate::log::Line> {
    program
        .log
        .all("Query failed: demand is unknown, nothing is woken until it works")
}

/// The process ticks, and says that it does.
pub(super) async fn lives(program: &Program) {
    program.ticks(2).await;
    assert_eq!(program.page("/livez").await.expect("an answer").0, 200);
}

/// It dies in the middle of an episode and comes back: the episode goes on, the next model is woken.
async fn goes_down(world: &World) {
    let prometheus = world.demand.scripted();
    for name in ["first", "second", "parked"] {
        world.create(parked(name, name)).await;
    }
    let program = world.program("a").ready().await;
    world.ask("first", "first", 1);
    world.until_told("first").await;
    prometheus.troubles().begin(Trouble::BreaksOff);
    program
        .until_metric("query_errors_total", &[], |n| n >= 2.0)
        .await;
    world.ask("second", "second", 1);
    lives(&program).await;
    assert_eq!(program.metrics().await.sum("episodes", &[]), 1.0);
    prometheus.troubles().end();
    world.until_told("second").await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("first".into(), 200), ("second".into(), 200)]
    );
}

fn row(world: &World, model: Option<&str>, pool: Option<&str>, value: &str) -> Value {
    let mut metric = json!({"__name__": TODAY, "namespace": world.ns});
    if let Some(model) = model {
        metric["target_model_name"] = model.into();
    }
    if let Some(pool) = pool {
        metric["inference_pool"] = pool.into();
    }
    json!({"metric": metric, "value": [1_700_000_000.0, value]})
}

/// Values that are no number of requests wake nothing and spoil nothing; rows that come twice or lack labels are
/// still demand, where it is clear whose.
async fn odd_rows(world: &World) {
    let odd = ["nan", "minus", "minus-inf", "zero"];
    let woken = ["inf", "twice", "no-pool", "no-model"];
    for name in odd.iter().chain(&woken) {
        world.create(parked(name, name)).await;
    }
    let of = |name, value| row(world, Some(name), Some(name), value);
    let rows = vec![
        of("nan", "NaN"),
        of("minus", "-5"),
        of("minus-inf", "-Inf"),
        of("zero", "0"),
        of("inf", "+Inf"),
        of("twice", "2"),
        of("twice", "2"),
        row(world, Some("no-pool"), None, "1"),
        row(world, None, Some("no-model"), "1"),
        row(world, None, None, "1"),
        row(world, Some("nobodys"), Some("twice"), "1"),
    ];
    world.demand.scripted().troubles().begin(Trouble::Rows(rows));
    let program = world.program("a").ready().await;
    for name in woken {
        world.until_told(name).await;
    }
    let unnamed = [("reason", "unnamed_demand")];
    program
        .until_metric("unmatched_demand_requests", &unnamed, |n| n == 1.0)
        .await;
    program.ticks(10).await;
    for name in odd {
        assert_eq!(world.replicas(DEPLOYMENT, name).await, 0, "{name}");
    }
    assert_eq!(world.asked("patch", "deployments/scale").len(), woken.len());
}

/// Its clock is minutes off, either way: ages are by its own clock, so that a wake comes, and says how old its sample was.
async fn clock_off(world: &World) {
    for (name, ahead) in [("ahead", 600.0), ("behind", -600.0)] {
        world.create(parked(name, name)).await;
        world
            .demand
            .scripted()
            .troubles()
            .begin(Trouble::ClockAhead(ahead));
        world.ask(name, name, 1);
        let mut program = world.program(name).ready().await;
        world.until_told(name).await;
        let woken = "Successfully scaled up Target Workload";
        program.log.said(woken, |line| line.field("model") == name).await;
        // Five minutes would be a bucket that only a wrong clock can reach.
        let slow = program.metrics().await.sum("demand_to_scale_seconds_sum", &[]);
        assert!((0.0..300.0).contains(&slow), "{slow}");
        program.terminate().await;
    }
    assert_eq!(world.asked("patch", "deployments/scale").len(), 2);
}

/// Samples of a scrape that has stopped wake nothing and are told of; a fresh one wakes.
async fn stale(world: &World) {
    let troubles = world.demand.scripted().troubles();
    troubles.begin(Trouble::Stale(300.0));
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let program = world.program("a").ready().await;
    let blocked = [("model", "llama"), ("reason", "stale_demand")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
    program.ticks(5).await;
    assert_eq!(world.asked("patch", "deployments/scale"), []);
    troubles.end();
    world.until_told("llama").await;
}

/// It comes back with nothing stored: what was woken is left alone, and the next scrape wakes the next model.
async fn restarted_empty(world: &World) {
    for name in ["first", "second", "parked"] {
        world.create(parked(name, name)).await;
    }
    let program = world.program("a").ready().await;
    world.ask("first", "first", 1);
    world.until_told("first").await;
    let troubles = world.demand.scripted().troubles();
    troubles.begin(Trouble::Empty);
    program.ticks(20).await;
    let metrics = program.metrics().await;
    assert_eq!(
        (metrics.sum("episodes", &[]), metrics.sum("reverts_total", &[])),
        (1.0, 0.0)
    );
    world.ask("second", "second", 1);
    troubles.end();
    world.until_told("second").await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("first".into(), 200), ("second".into(), 200)]
    );
    assert_eq!(world.replicas(DEPLOYMENT, "first").await, 1);
}

/// Two servers that do not hold the same: the one that answers is believed, and the change from one to the other
/// wakes nothing twice and takes nothing back.
async fn failover(world: &World) {
    let (one, other) = (world.demand.scripted(), Scripted::start().await);
    for name in ["on-one", "on-other", "parked"] {
        world.create(parked(name, name)).await;
    }
    let ask = |server: &Scripted, name: &str| {
        let queue = Queue {
            family: TODAY,
            namespace: world.ns.clone(),
            pool: name.to_owned(),
            model: name.to_owned(),
        };
        server.queues().set(queue, 1.0);
    };
    ask(one, "on-one");
    ask(&other, "on-other");
    let config = json!({"prometheus": {"url": null, "urls": [one.url(), other.url()]}});
    let program = world.program("a").config(&config).ready().await;
    world.until_told("on-one").await;
    program.ticks(10).await;
    assert_eq!(
        world.replicas(DEPLOYMENT, "on-other").await,
        0,
        "the second is not asked while the first answers"
    );
    one.troubles().begin(Trouble::Answers(503, None, "starting"));
    world.until_told("on-other").await;
    assert_eq!(failed(&program).len(), 0, "demand was known all the time");
    // And back, since the second fails in its turn.
    one.troubles().end();
    other.troubles().begin(Trouble::BreaksOff);
    program.ticks(10).await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("on-one".into(), 200), ("on-other".into(), 200)]
    );
    for name in ["on-one", "on-other"] {
        assert_eq!(world.replicas(DEPLOYMENT, name).await, 1);
    }
}
