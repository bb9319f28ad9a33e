//! Which variants of a model are woken: the cheapest, all, or none (rules 8 to 10 as the user sees them).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    cluster::{DEPLOYMENT, NAMESPACE, POOL, POOL_V1ALPHA2, VARIANT},
    objects::{Shape, annotated, behind, deployment, excluded, old_pool, parked, pool, ready, variant},
    program::Program,
    suite::Suite,
    world::World,
};

const BLOCKED: &str = "Requests wait and nothing is woken";

pub fn register(suite: &mut Suite) {
    suite.both("cheapest_variant", cheapest_variant);
    suite.both("all_variants", all_variants);
    suite.both("serving_sibling", serving_sibling);
    suite.both("unmatched_demand", unmatched_demand);
    suite.both("out_of_scope", out_of_scope);
    suite.both("namespace_excluded", namespace_excluded);
    suite.embedded("missing_namespace_label", missing_namespace_label);
}

/// Three variants of one model: the one in the middle of the alphabet is the cheapest.
async fn three_variants(world: &World) {
    world
        .create([pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    for (name, cost) in [("a", "10.0"), ("b", "5.0"), ("c", "7.5")] {
        world.create(behind("llama", name, "llama", cost, 0)).await;
    }
}

async fn cheapest_variant(world: &World) {
    three_variants(world).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    world.until_woken("b").await;
    world.until_told("b").await;
    program.ticks(20).await;
    assert_eq!(world.asked("patch", "deployments/scale"), [("b".into(), 200)]);
    for other in ["a", "c"] {
        assert_eq!(world.replicas(DEPLOYMENT, other).await, 0);
        assert_eq!(world.get(VARIANT, other).await["status"], Value::Null);
    }
}

async fn all_variants(world: &World) {
    three_variants(world).await;
    let program = world
        .program("a")
        .config(&json!({"wake": {"select": "all"}}))
        .ready()
        .await;
    world.ask("llama", "llama", 2);
    for name in ["a", "b", "c"] {
        world.until_woken(name).await;
        world.until_told(name).await;
    }
    program.ticks(5).await;
    let mut asked = world.until_asked("patch", "deployments/scale", 3).await;
    asked.sort();
    assert_eq!(asked, ["a", "b", "c"].map(|name| (name.into(), 200)));
    assert_eq!(world.events().await.len(), 6);
}

/// The requests are for the one that serves, however dear it is.
async fn serving_sibling(world: &World) {
    world
        .create([pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    world.create(behind("llama", "dear", "llama", "100.0", 1)).await;
    world.create(behind("llama", "cheap", "llama", "1.0", 0)).await;
    world.patch_status(DEPLOYMENT, "dear", &ready(1)).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    program.until_metric("demand_requests", &[], |n| n == 2.0).await;
    program.ticks(20).await;
    assert_eq!(world.replicas(DEPLOYMENT, "cheap").await, 0);
    assert_eq!(writes(world), []);
    assert_eq!(program.metrics().await.sum("blocked", &[]), 0.0, "it is served");
}

/// What nobody asks for changes nothing, and is told once with the nearest reason.
async fn unmatched_demand(world: &World) {
    // Parked, so that anything is asked at all.
    world.create(parked("parked", "parked")).await;
    world
        .create([
            deployment("poolless", "poolless", 0),
            variant("poolless", "poolless"),
        ])
        .await;
    world
        .create([
            variant("targetless", "targetless"),
            old_pool("targetless", "targetless"),
        ])
        .await;
    let program = world.program("a").ready().await;
    let cases = [
        ("parked", "nobody", "no_variant"),
        ("parked", "other", "label_overflow"),
        ("parked", "PARKED", "name_differs_by_case"),
        ("elsewhere", "parked", "other_pool"),
        ("poolless", "poolless", "no_pool"),
        ("targetless", "targetless", "target_missing"),
    ];
    for (pool, model, _) in cases {
        world.ask(pool, model, 3);
    }
    for (_, model, reason) in cases {
        until_blocked(&program, &world.ns, model, reason).await;
        let line = program
            .log
            .said(BLOCKED, |line| line.field("reason") == reason)
            .await;
        assert_eq!(
            (line.field("model"), line.field("waiting")),
            (model.into(), "3.0".into())
        );
        assert!(!line.field("why").is_empty());
    }
    program.ticks(20).await;
    assert_eq!(program.log.all(BLOCKED).len(), cases.len(), "each once");
    let metrics = program.metrics().await;
    assert_eq!(
        metrics.sum("unmatched_demand_requests", &[("reason", "no_variant")]),
        3.0
    );
    assert_eq!(
        metrics.sum("unmatched_demand_requests", &[]),
        15.0,
        "all but that of a known variant"
    );
    // Nothing is written but Events on the variants that the demand is nearest to.
    let written = writes(world);
    assert!(
        written.iter().all(|asked| asked.is("create", "events")),
        "{written:?}"
    );
    let told = world.events_of("NotScaledFromZero").await;
    let told: BTreeSet<_> = told
        .iter()
        .filter_map(|event| event["regarding"]["name"].as_str())
        .collect();
    assert_eq!(told, BTreeSet::from(["parked", "poolless", "targetless"]));
}

/// The annotation works on each kind of object, and only there.
async fn out_of_scope(world: &World) {
    let marked = |name: &str, at: usize| {
        let mut objects = parked(name, name);
        objects[at] = excluded(objects[at].clone());
        objects
    };
    world.create(marked("by-target", 0)).await;
    world.create(marked("by-variant", 1)).await;
    world.create(marked("by-pool", 2)).await;
    world.create(parked("wanted", "wanted")).await;
    // Nobody asks for it, and so the program goes on asking.
    world.create(parked("parked", "parked")).await;
    let program = world.program("a").ready().await;
    for name in ["by-target", "by-variant", "by-pool", "wanted"] {
        world.ask(name, name, 1);
    }
    world.until_woken("wanted").await;
    for (model, reason) in [
        ("by-target", "out_of_scope_target_excluded"),
        ("by-variant", "out_of_scope_variant_excluded"),
        ("by-pool", "out_of_scope_pool_excluded"),
    ] {
        until_blocked(&program, &world.ns, model, reason).await;
    }
    // "false" is no exclusion: a mark taken away is seen, whichever object it was on.
    let mark = json!({"metadata": {"annotations": {"scale-from-zero/exclude": "false"}}});
    world.patch(DEPLOYMENT, "by-target", &mark).await;
    world.patch(VARIANT, "by-variant", &mark).await;
    world.patch(POOL, "by-pool", &mark).await;
    for name in ["by-target", "by-variant", "by-pool"] {
        world.until_woken(name).await;
    }
}

/// The whole namespace is left alone while its annotation says so.
async fn namespace_excluded(world: &World) {
    let mark = |value: &str| json!({"metadata": {"annotations": {"scale-from-zero/exclude": value}}});
    let admin = &world.cluster.admin;
    admin.patch(NAMESPACE, None, &world.ns, None, &mark("true")).await;
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    program.ticks(20).await;
    assert_eq!(program.metrics().await.sum("inactive_variants", &[]), 0.0);
    assert_eq!(writes(world), []);
    admin
        .patch(NAMESPACE, None, &world.ns, None, &mark("false"))
        .await;
    world.until_woken("llama").await;
}

/// Demand without a namespace is for the one namespace that can answer it. Not on the real Prometheus,
/// where it would be demand in every other trial as well.
async fn missing_namespace_label(world: &World) {
    let model = format!("only-in-{}", world.ns);
    world
        .create([
            deployment("llama", "llama", 0),
            pool(POOL_V1ALPHA2, Shape::Flat, "llama", "llama"),
        ])
        .await;
    world
        .create([annotated(
            variant("llama", &model),
            "note",
            "foreign annotations do no harm",
        )])
        .await;
    let _program = world.program("a").ready().await;
    world.ask_in("", "", &model, 1);
    world.until_woken("llama").await;
}

async fn until_blocked(program: &Program, namespace: &str, model: &str, reason: &str) {
    let labels = [("namespace", namespace), ("model", model), ("reason", reason)];
    program.until_metric("blocked", &labels, |n| n == 1.0).await;
}

/// What the program has written.
fn writes(world: &World) -> Vec<crate::cluster::Asked> {
    let mut requests = world.cluster.requests(&world.ns);
    requests.retain(crate::cluster::Asked::writes);
    requests
}
