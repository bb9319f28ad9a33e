//! A set that does not become ready (rule 11), and sets of more than one variant (rule 8).

use serde_json::{Value, json};

use crate::{
    cluster::{DEPLOYMENT, POD, POOL, Rights, Write},
    objects::{Shape, behind, pod, pool, ready, unschedulable},
    program::Program,
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("unschedulable_cheapest", unschedulable_cheapest);
    suite.both("replica_failure", replica_failure);
    suite.both("ready_timeout_without_demand", ready_timeout_without_demand);
    suite.both("prefill_and_decode", prefill_and_decode);
}

/// Three variants of one model at 5, 10 and 20.
async fn three(world: &World) {
    world
        .create([pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    for (name, cost) in [("a", "5"), ("b", "10"), ("c", "20")] {
        world.create(behind("llama", name, "llama", cost, 0)).await;
    }
}

async fn replicas(world: &World) -> [u64; 3] {
    let mut all = [0; 3];
    for (replicas, name) in all.iter_mut().zip(["a", "b", "c"]) {
        *replicas = world.replicas(DEPLOYMENT, name).await;
    }
    all
}

/// What the ReplicaSet controller and the scheduler do where there is no GPU.
async fn hang(world: &World, name: &str) {
    let mut pod = pod(&format!("{name}-0"), "llama");
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-5d4f"), "uid": "1",
    }]);
    world.create([pod]).await;
    let status = unschedulable(&jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    world.patch_status(POD, &format!("{name}-0"), &status).await;
}

async fn until_escalated(program: &Program, times: f64) {
    program
        .until_metric("escalations_total", &[], |n| n == times)
        .await;
}

/// The cheapest hangs for want of a node: the second takes its place, the third never does, and what hangs is left as it is.
async fn unschedulable_cheapest(world: &World) {
    three(world).await;
    let config = json!({"wake": {"unschedulableAfter": "1s"}});
    let rights = Rights::With(&["pods"]);
    let program = world.program("a").config(&config).rights(rights).ready().await;
    world.ask("llama", "llama", 4);
    world.until_woken("a").await;
    assert_eq!(replicas(world).await, [1, 0, 0]);
    hang(world, "a").await;
    world.until_woken("b").await;
    until_escalated(&program, 1.0).await;
    program
        .until_told_as("a", "surplus", "Insufficient nvidia.com/gpu")
        .await;
    let events = wait::until("the Event", async || {
        Some(world.events_of("OverdueFromZero").await).filter(|events| events.len() == 1)
    })
    .await;
    assert_eq!(events[0]["regarding"]["name"], "a");
    assert!(world.until_told("b").await.is_object());

    // The second hangs as well: maxEscalations is 1.
    hang(world, "b").await;
    program.until_state("b", "overdue").await;
    for state in ["overdue", "surplus"] {
        program
            .until_metric("variants_by_state", &[("state", state)], |n| n == 1.0)
            .await;
    }
    program.ticks(20).await;
    assert_eq!(replicas(world).await, [1, 1, 0]);
    assert_eq!(program.metrics().await.sum("escalations_total", &[]), 1.0);
    // At last the first gets its node: it serves, whatever was thought of it.
    world.patch_status(DEPLOYMENT, "a", &ready(1)).await;
    program.until_state("a", "serving").await;
}

/// Quota or admission refuse the pods: the Deployment says so itself, and that takes no further right.
async fn replica_failure(world: &World) {
    three(world).await;
    // What it said long before the wake says nothing about it.
    let failing = |since: &str| {
        json!({"status": {"conditions": [{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: gpus",
            "lastTransitionTime": since, "lastUpdateTime": since,
        }]}})
    };
    world
        .patch_status(DEPLOYMENT, "a", &failing("2026-01-01T00:00:00Z"))
        .await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 4);
    world.until_woken("a").await;
    program.ticks(20).await;
    assert_eq!(replicas(world).await, [1, 0, 0]);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    world.patch_status(DEPLOYMENT, "a", &failing(&now)).await;
    world.until_woken("b").await;
    program
        .until_metric("escalations_total", &[("reason", "replica_failure")], |n| {
            n == 1.0
        })
        .await;
    assert_eq!(replicas(world).await, [1, 1, 0]);
}

/// Not ready in time: the next set is woken, though the EPP has long dropped the requests.
async fn ready_timeout_without_demand(world: &World) {
    three(world).await;
    let config = json!({"wake": {"readyTimeout": "3s", "maxEscalations": 2}});
    let program = world.program("a").config(&config).ready().await;
    world.ask("llama", "llama", 4);
    world.until_woken("a").await;
    world.ask("llama", "llama", 0);
    world.until_woken("b").await;
    world.until_woken("c").await;
    program
        .until_metric("escalations_total", &[("reason", "not_ready")], |n| n == 2.0)
        .await;
    let decisions = program.decisions().await;
    let escalated = decisions.iter().filter(|d| d["decision"] == "escalated");
    assert_eq!(escalated.count(), 2, "{decisions:#?}");
    let woken = |name: &str| {
        let of = format!("{}/{name}", world.ns);
        decisions
            .iter()
            .find(|d| d["decision"] == "waking" && d["variant"] == of.as_str())
            .cloned()
    };
    let of_b: Value = woken("b").expect("a decision");
    assert!(of_b["text"].as_str().unwrap().contains("in place of"), "{of_b}");
}

/// A decode and a prefill are one set, cheaper together than the one that does both; the prefill of another role is not woken.
async fn prefill_and_decode(world: &World) {
    world
        .create([pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    let of_role = |name: &str, cost: &str, role: Option<&str>| {
        let [mut target, variant] = behind("llama", name, "llama", cost, 0);
        if let Some(role) = role {
            target["spec"]["template"]["metadata"]["labels"]["llm-d.ai/role"] = role.into();
        }
        [target, variant]
    };
    world.create(of_role("decode", "3", Some("decode"))).await;
    world.create(of_role("prefill", "4", Some("prefill"))).await;
    world.create(of_role("prefill-dear", "5", Some("prefill"))).await;
    world.create(of_role("both", "8", None)).await;
    world.create(of_role("odd", "1", Some("decodes"))).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 2);
    for name in ["decode", "prefill"] {
        world.until_woken(name).await;
        world.until_told(name).await;
    }
    program.ticks(20).await;
    for name in ["prefill-dear", "both", "odd"] {
        assert_eq!(world.replicas(DEPLOYMENT, name).await, 0, "{name}");
    }
    assert_eq!(world.asked("patch", "deployments/scale").len(), 2);
    // The decode serves, the prefill is taken back: it alone is woken again, since it completes the set.
    world.patch_status(DEPLOYMENT, "decode", &ready(1)).await;
    program.until_state("decode", "serving").await;
    let at = DEPLOYMENT.path(Some(&world.ns), Some("prefill"), None);
    let zero = json!({"spec": {"replicas": 0}});
    let admin = &world.cluster.admin;
    admin.write(Write::Merge, "argocd-controller", &at, &zero).await;
    world.until_woken("prefill").await;
    let asked = world.until_asked("patch", "deployments/scale", 3).await;
    let names: Vec<_> = asked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[2..], ["prefill"], "{asked:?}");
    for name in ["prefill-dear", "both", "odd"] {
        assert_eq!(world.replicas(DEPLOYMENT, name).await, 0, "{name}");
    }
}
