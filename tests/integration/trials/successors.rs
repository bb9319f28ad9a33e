//! Variants of other sources, and targets of other kinds (rules 7 and 16).

use serde_json::{Value, json};

use crate::{
    cluster::{HPA, LEADER_WORKER_SET, POOL, ROLLOUT, ROLLOUT_V1, Rights, SCALED_OBJECT, VARIANT},
    objects::{
        Shape, annotated, deployment, hpa, leader_worker_set, managed, parked, pool, rollout, scaled_object,
        targeting, variant,
    },
    suite::Suite,
    wait,
    world::World,
};

const DECISION: &str = "scale-from-zero/decision";

pub fn register(suite: &mut Suite) {
    suite.both_alone("hpa_only_cluster", hpa_only_cluster);
    suite.both("all_sources_at_once", all_sources_at_once);
    suite.both("paused_scaled_object", paused_scaled_object);
    suite.both("leader_worker_set", a_leader_worker_set);
    suite.embedded("rollout_found_by_discovery", a_rollout);
    suite.real_alone("rollout_in_another_version", a_rollout_in_another_version);
}

fn llama_pool() -> Value {
    pool(POOL, Shape::MatchLabels, "llama", "llama")
}

/// No VariantAutoscaling is known to this cluster at all: the HPA is the variant, and tells of its wake by annotation.
async fn hpa_only_cluster(world: &World) {
    world.cluster.remove_crd(VARIANT).await;
    world
        .create([deployment("llama", "llama", 0), llama_pool()])
        .await;
    world
        .create([managed(hpa("llama-hpa", "llama", 1, 4), "llama", "5")])
        .await;
    let program = world
        .program("a")
        .rights(Rights::With(&["autoscalers"]))
        .ready()
        .await;
    program.until_metric("inactive_variants", &[], |n| n == 1.0).await;
    world.ask("llama", "llama", 2);
    world.until_woken("llama").await;
    let decision = wait::until("the annotation", async || {
        let hpa = world.get(HPA, "llama-hpa").await;
        let text = hpa["metadata"]["annotations"][DECISION].as_str()?.to_owned();
        Some(serde_json::from_str::<Value>(&text).expect("JSON"))
    })
    .await;
    assert_eq!(
        (&decision["model"], &decision["waiting"]),
        (&json!("llama"), &json!(2.0))
    );
    let events = world.events().await;
    let about: Vec<_> = events
        .iter()
        .map(|event| event["regarding"]["kind"].as_str().unwrap())
        .collect();
    assert!(
        about.contains(&"HorizontalPodAutoscaler") && about.contains(&"Deployment"),
        "{about:?}"
    );
    program.ticks(20).await;
    assert_eq!(
        world.asked("patch", "horizontalpodautoscalers").len(),
        1,
        "told once"
    );
}

/// In a migration all three describe one target: it is woken once, by the first of them, and that they differ is said.
async fn all_sources_at_once(world: &World) {
    world
        .create([
            deployment("llama", "llama", 0),
            variant("llama", "llama"),
            llama_pool(),
        ])
        .await;
    world
        .create([managed(scaled_object("llama-so", "llama", 0, 4), "llama", "99")])
        .await;
    world
        .create([managed(hpa("llama-hpa", "llama", 1, 4), "another", "10.0")])
        .await;
    let program = world.program("a").ready().await;
    let differs = program
        .log
        .said(
            "Variants of one target contradict each other, or one is described twice",
            |line| line.field("conflict").contains("ScaledObject"),
        )
        .await;
    assert!(
        differs.field("conflict").contains("differ in cost"),
        "{differs:?}"
    );
    // What the last of them says counts for nothing, as long as the first is there.
    world.ask("llama", "another", 2);
    program
        .until_metric("blocked", &[("reason", "out_of_scope_outranked")], |n| n == 1.0)
        .await;
    world.ask("llama", "llama", 2);
    world.until_told("llama").await;
    program.ticks(20).await;
    assert_eq!(world.asked("patch", "deployments/scale").len(), 1);
    for outranked in ["llama-so", "llama-hpa"] {
        program
            .until_told_as(outranked, "out_of_scope", "comes first")
            .await;
    }
}

/// A pause on the target's ScaledObject keeps it out, as long as it stands.
async fn paused_scaled_object(world: &World) {
    const PAUSED: &str = "autoscaling.keda.sh/paused";
    world
        .create([
            deployment("llama", "llama", 0),
            variant("llama", "llama"),
            llama_pool(),
        ])
        .await;
    world
        .create([annotated(
            scaled_object("llama-so", "llama", 0, 4),
            PAUSED,
            "true",
        )])
        .await;
    // One stays parked, so that demand is asked for all the while.
    world.create(parked("idle", "idle")).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    program
        .until_metric("blocked", &[("reason", "out_of_scope_paused")], |n| n == 1.0)
        .await;
    program.until_told_as("llama", "out_of_scope", "is paused").await;
    world
        .patch(
            SCALED_OBJECT,
            "llama-so",
            &json!({"metadata": {"annotations": {PAUSED: null}}}),
        )
        .await;
    world.until_woken("llama").await;
}

/// A kind that only discovery knows, with the group that a missing apiVersion stands for.
async fn a_leader_worker_set(world: &World) {
    let mut variant = targeting(variant("llama", "llama"), LEADER_WORKER_SET, "llama");
    variant["spec"]["scaleTargetRef"]
        .as_object_mut()
        .unwrap()
        .remove("apiVersion");
    world
        .create([leader_worker_set("llama", "llama", 0), variant, llama_pool()])
        .await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    world.until_scaled(LEADER_WORKER_SET, "llama").await;
    world.until_told("llama").await;
    assert!(
        world
            .events()
            .await
            .iter()
            .any(|event| event["regarding"]["kind"] == "LeaderWorkerSet")
    );
    program.ticks(10).await;
    assert_eq!(
        world.asked("patch", "leaderworkersets/scale"),
        [("llama".into(), 200)]
    );
    let kind = [
        ("kind", "LeaderWorkerSet.leaderworkerset.x-k8s.io"),
        ("state", "synced"),
    ];
    program.until_metric("watch_state", &kind, |n| n == 1.0).await;
}

/// A kind whose CRD comes after the variant that names it, goes, and comes again.
async fn a_rollout(world: &World) {
    let variant = targeting(variant("llama", "llama"), ROLLOUT, "llama");
    world.create([variant, llama_pool()]).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    program
        .until_metric("blocked", &[("reason", "target_missing")], |n| n == 1.0)
        .await;
    let kind = |state| [("kind", "Rollout.argoproj.io"), ("state", state)];
    program
        .until_metric("watch_state", &kind("absent"), |n| n == 1.0)
        .await;
    world.cluster.install_crd(ROLLOUT).await;
    world.create([rollout("llama", "llama", 0)]).await;
    world.until_scaled(ROLLOUT, "llama").await;
    world.until_told("llama").await;
    world.cluster.remove_crd(ROLLOUT).await;
    program.until_state("llama", "blocked").await;
    world.cluster.install_crd(ROLLOUT).await;
    world.create([rollout("llama", "llama", 0)]).await;
    wait::until_true("woken again", async || {
        world.replicas(ROLLOUT, "llama").await == 1
    })
    .await;
}

/// Its CRD comes back with another version, and then without a scale.
async fn a_rollout_in_another_version(world: &World) {
    let variant = targeting(variant("llama", "llama"), ROLLOUT, "llama");
    world.create([variant, llama_pool()]).await;
    world.cluster.install_crd(ROLLOUT).await;
    world.create([rollout("llama", "llama", 0)]).await;
    // What the manual has users grant for a kind that no manifest knows.
    let rbac = "rbac.authorization.k8s.io";
    world
        .create([
            json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "rollouts"},
                "rules": [
                    {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["get", "list", "watch"]},
                    {"apiGroups": ["argoproj.io"], "resources": ["rollouts/scale"], "verbs": ["patch"]},
                ],
            }),
            json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "rollouts"},
                "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "rollouts"},
                "subjects": [{"kind": "ServiceAccount", "namespace": world.ns, "name": "a"}],
            }),
        ])
        .await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    world.until_scaled(ROLLOUT, "llama").await;
    let server = world.cluster.server().expect("the real server");
    server.remove_crd(ROLLOUT).await;
    program.until_state("llama", "blocked").await;

    server
        .install_crd_as(ROLLOUT, ROLLOUT_V1, |crd| {
            crd["spec"]["versions"][0]["name"] = "v1".into();
        })
        .await;
    let mut today = rollout("llama", "llama", 0);
    today["apiVersion"] = ROLLOUT_V1.api_version.into();
    world.create([today.clone()]).await;
    world.until_scaled(ROLLOUT_V1, "llama").await;

    server.remove_crd(ROLLOUT_V1).await;
    program.until_state("llama", "blocked").await;
    server
        .install_crd_as(ROLLOUT, ROLLOUT, |crd| {
            crd["spec"]["versions"][0]["subresources"]
                .as_object_mut()
                .expect("subresources")
                .remove("scale");
        })
        .await;
    world.create([rollout("llama", "llama", 0)]).await;
    let blocked = [("model", "llama"), ("reason", "target_unsupported")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
}
