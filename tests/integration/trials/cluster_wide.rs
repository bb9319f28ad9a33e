//! All of the cluster, with the ClusterRole; and what a program costs that has nothing to do.

use serde_json::{Value, json};

use crate::{
    cluster::NAMESPACE, exposition::Exposition, objects::parked, program::Program, suite::Suite, wait,
    world::World,
};

/// Models parked in the namespace of the trial.
const PARKED: usize = 20;
/// Ticks that are counted over.
const TICKS: u32 = 60;

pub fn register(suite: &mut Suite) {
    suite.both_alone("cluster_wide", cluster_wide);
}

async fn cluster_wide(world: &World) {
    let names: Vec<_> = (0..PARKED).map(|n| format!("m{n}")).collect();
    for name in &names {
        world.create(parked(name, name)).await;
    }
    let (other, shut) = (format!("{}-other", world.ns), format!("{}-shut", world.ns));
    for namespace in [&other, &shut] {
        world.create_namespace(namespace).await;
        world.create_in(namespace, parked("there", "there")).await;
    }
    let mark = json!({"metadata": {"annotations": {"wva.llmd.ai/exclude": "true"}}});
    world
        .cluster
        .admin
        .patch(NAMESPACE, None, &shut, None, &mark)
        .await;

    let program = world
        .program("a")
        .config(&json!({"scope": Value::Null}))
        .ready()
        .await;
    program
        .until_metric("inactive_variants", &[], |n| n == 21.0)
        .await;
    steady(world, &program).await;

    for name in &names {
        world.ask(name, name, 1);
    }
    world.ask_in(&other, "there", "there", 1);
    world.ask_in(&shut, "there", "there", 1);
    let blocked = [
        ("namespace", shut.as_str()),
        ("reason", "out_of_scope_namespace_excluded_from_wva"),
    ];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
    for name in &names {
        world.until_told(name).await;
    }
    program
        .until_metric("wakes_total", &[("result", "accepted")], |n| n == 21.0)
        .await;
    let there = |namespace: String| async move {
        let target = world
            .cluster
            .admin
            .get(crate::cluster::DEPLOYMENT, &namespace, "there")
            .await;
        target.expect("the target")["spec"]["replicas"].clone()
    };
    assert_eq!(there(other.clone()).await, 1);
    assert_eq!(there(shut.clone()).await, 0);
    world.until_asked("patch", "deployments/scale", PARKED + 1).await;

    // Nothing is parked any more, and so, a moment later, nothing is asked.
    program.until_metric("inactive_variants", &[], |n| n == 0.0).await;
    program
        .until_metric("reports_total", &[("result", "done")], |n| n == 21.0)
        .await;
    wait::until_true("no query while ticks go on", async || {
        over(&program).await.0 == 0.0
    })
    .await;
    for namespace in [&other, &shut] {
        world.demand.queues().forget(namespace);
    }
}

/// With models parked and no demand: one query a tick, and nothing of the API server.
async fn steady(world: &World, program: &Program) {
    let before = (world.cluster.requests(&world.ns), of_server(world).await);
    let (queries, ticks) = over(program).await;
    assert!(
        (queries - ticks).abs() <= 1.0,
        "{queries} queries in {ticks} ticks"
    );
    let after = (world.cluster.requests(&world.ns), of_server(world).await);
    let asked: Vec<_> = after.0[before.0.len()..]
        .iter()
        .filter(|asked| asked.verb != "watch")
        .collect();
    assert!(asked.is_empty(), "{asked:#?}");
    assert_eq!(after.1, before.1, "requests by the server's own count");
}

/// Queries and ticks while so many ticks go by.
async fn over(program: &Program) -> (f64, f64) {
    let counts = |metrics: &Exposition| (metrics.sum("queries_total", &[]), metrics.sum("ticks_total", &[]));
    let before = counts(&program.metrics().await);
    program.ticks(TICKS).await;
    let after = counts(&program.metrics().await);
    (after.0 - before.0, after.1 - before.1)
}

/// Requests for the kinds that only the program and the trial ask for, watches aside, as the real
/// server counts them.
async fn of_server(world: &World) -> Option<f64> {
    const KINDS: [&str; 5] = [
        "variantautoscalings",
        "inferencepools",
        "deployments",
        "statefulsets",
        "events",
    ];
    world.cluster.server()?;
    let text = world.cluster.admin.text("/metrics").await.expect("its metrics");
    let counted = text.lines().filter(|line| {
        let of = |label: &str, value: &str| line.contains(&format!("{label}=\"{value}\""));
        line.starts_with("apiserver_request_total{")
            && !of("verb", "WATCH")
            && KINDS.iter().any(|kind| of("resource", kind))
    });
    let values = counted.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    Some(values.sum())
}
