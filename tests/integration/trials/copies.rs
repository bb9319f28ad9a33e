//! Two copies beside each other, without a lease and with one (rules 14 and 15).

use serde_json::json;

use crate::{
    cluster::{DEPLOYMENT, Rights},
    demand::Demand,
    objects::{parked, ready},
    program::Program,
    suite::Suite,
    world::World,
};

const WOKEN: &str = "Successfully scaled up Target Workload";
const STATUS: &str = "variantautoscalings/status";

pub fn register(suite: &mut Suite) {
    suite.both("two_copies", two_copies);
    suite.real("waker_dies_before_the_status", waker_without_rights_to_report);
    suite.both("somebody_else_wakes", somebody_else_wakes);
    suite.both("leader_election", leader_election);
}

/// Each of many models is woken once and told once, whoever does it.
async fn two_copies(world: &World) {
    const MODELS: [&str; 5] = ["m1", "m2", "m3", "m4", "m5"];
    for name in MODELS {
        world.create(parked(name, name)).await;
        world.ask(name, name, 1);
    }
    let (one, other) = (
        world.program("one").spawn().await,
        world.program("other").spawn().await,
    );
    for name in MODELS {
        world.until_woken(name).await;
        world.until_told(name).await;
    }
    for copy in [&one, &other] {
        // Longer than a witness waits for the waker's report.
        copy.ticks(40).await;
    }
    let accepted = |name: &str, asked: Vec<(String, u16)>| {
        let of = asked.into_iter().filter(|(of, code)| of == name && *code == 200);
        of.count()
    };
    for name in MODELS {
        assert_eq!(
            accepted(name, world.asked("patch", "deployments/scale")),
            1,
            "{name} is scaled once"
        );
        assert_eq!(
            accepted(name, world.asked("patch", STATUS)),
            1,
            "{name} is told once"
        );
        assert_eq!(world.get(DEPLOYMENT, name).await["metadata"]["generation"], 2);
    }
    assert_eq!(world.events().await.len(), 2 * MODELS.len());
    let mut wakes = 0.0;
    for copy in [&one, &other] {
        let metrics = copy.metrics().await;
        wakes += metrics.sum("wakes_total", &[("result", "accepted")]);
        assert_eq!(metrics.sum("reverts_total", &[]), 0.0);
    }
    assert_eq!(wakes, 5.0);
}

/// A copy that may scale and not report dies after its wake; the other one tells of it. That one may
/// not scale, so that it is sure which of the two wakes.
async fn waker_without_rights_to_report(world: &World) {
    world.create(parked("llama", "llama")).await;
    let waker = Rights::NamespacedWithout(&[STATUS, "events"]);
    let mut waker = world.program("waker").rights(waker).ready().await;
    let witness = Rights::NamespacedWithout(&["deployments/scale"]);
    let witness = world.program("witness").rights(witness).ready().await;
    world.ask("llama", "llama", 1);
    waker.log.said(WOKEN, |_| true).await;
    waker.kill().await;
    world.until_told("llama").await;
    let events = world.events().await;
    assert_eq!(events.len(), 2);
    let note = events[0]["note"].as_str().unwrap_or_default();
    assert!(note.contains("who did it has not reported it"), "{note}");
    witness.ticks(20).await;
    let told = world
        .cluster
        .requests(&world.ns)
        .into_iter()
        .filter(|asked| asked.is("patch", STATUS) && asked.code == 200);
    let told: Vec<_> = told.map(|asked| asked.account).collect();
    assert_eq!(told, ["witness"]);
    assert_eq!(world.events().await.len(), 2);
}

/// A person, or WVA's own engine, is faster: no step is made on top, and it is told apart.
async fn somebody_else_wakes(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create(parked("parked", "parked")).await;
    // It sees the demand and may not act on it before the other one does.
    let program = world.program("a").config(&json!({"dryRun": true})).ready().await;
    world.ask("llama", "llama", 1);
    program.log.said("Requests wait for a model", |_| true).await;
    program
        .log
        .said("Dry run: would scale up Target Workload from zero", |_| true)
        .await;
    world
        .patch(DEPLOYMENT, "llama", &json!({"spec": {"replicas": 3}}))
        .await;
    let seen = program
        .log
        .said("Target was scaled up by somebody else", |_| true)
        .await;
    assert!(seen.field("target").contains("llama"));
    world.patch_status(DEPLOYMENT, "llama", &ready(3)).await;
    program.log.said("Target is ready", |_| true).await;
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "other_waker")]), 1.0);
    assert_eq!(metrics.sum("time_to_ready_seconds_count", &[]), 1.0);
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 3);
    assert_eq!(world.asked("patch", "deployments/scale"), []);
}

/// Only the holder of the Lease asks Prometheus; when it ends, or dies, another takes over.
async fn leader_election(world: &World) {
    for name in ["m1", "m2", "m3", "parked"] {
        world.create(parked(name, name)).await;
    }
    let settings = json!({"leaderElection": {"enabled": true, "namespace": world.ns, "leaseDuration": "5s"}});
    let electing = async |name: &str| {
        let copy = world.program(name).config(&settings).rights(Rights::Electing);
        copy.ready().await
    };
    let mut first = electing("first").await;
    leads(&first).await;
    let mut second = electing("second").await;
    only_one_wakes(world, "m1", &first, &second).await;

    assert!(first.terminate().await.success());
    leads(&second).await;
    let third = electing("third").await;
    only_one_wakes(world, "m2", &second, &third).await;

    second.kill().await;
    leads(&third).await;
    world.ask("m3", "m3", 1);
    world.until_told("m3").await;
    third.log.said(WOKEN, |line| line.field("model") == "m3").await;
}

async fn leads(copy: &Program) {
    copy.until_metric("leader", &[], |n| n == 1.0).await;
}

/// A model is woken by the leader, and the other one has never asked Prometheus anything.
async fn only_one_wakes(world: &World, name: &str, leader: &Program, other: &Program) {
    world.ask(name, name, 1);
    leader.log.said(WOKEN, |line| line.field("model") == name).await;
    world.until_told(name).await;
    other.ticks(20).await;
    let metrics = other.metrics().await;
    assert_eq!(
        (metrics.sum("leader", &[]), metrics.sum("queries_total", &[])),
        (0.0, 0.0)
    );
    assert!(other.log.all(WOKEN).is_empty());
    if let Demand::Scripted(prometheus) = &world.demand {
        assert_eq!(prometheus.asked(other.name()), 0);
        assert!(prometheus.asked(leader.name()) > 0);
    }
}
