//! Who takes a wake back, and what follows (rule 12): an autoscaler is told by name and woken against with growing waits,
//! a person is left alone.

use serde_json::json;

use crate::{
    autoscaler::Autoscaler,
    cluster::{DEPLOYMENT, Write},
    objects::{hpa, parked, ready},
    suite::Suite,
    wait,
    world::World,
};

const BACK: &str = "ScaledBackToZero";

pub fn register(suite: &mut Suite) {
    suite.both("taken_back_by_an_hpa", by_an_hpa);
    suite.both("taken_back_by_a_person", by_a_person);
    suite.both("taken_back_by_gitops", by_gitops);
    suite.both("taken_back_without_demand", without_demand);
}

/// An HPA that follows a gauge at 0 undoes each wake: the waits grow, and the Event names the HPA.
async fn by_an_hpa(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let config = json!({"wake": {"backoff": {"initial": "100ms", "max": "1m"}}});
    let program = world.program("a").config(&config).ready().await;
    let _hpa = Autoscaler::of_hpa(world, "llama-hpa", "llama");
    world.ask("llama", "llama", 3);
    program.until_metric("reverts_total", &[], |n| n >= 4.0).await;
    let told = program
        .log
        .said("Target was scaled back to 0 before it had served for long; if requests wait it is woken again in 1 s", |_| true)
        .await;
    assert!(told.field("by").contains("HorizontalPodAutoscaler"), "{told:?}");
    let events = world.events_of(BACK).await;
    assert!(events.len() >= 2, "on the variant and on the target: {events:#?}");
    for event in &events {
        let note = event["note"].as_str().unwrap_or_default();
        assert_eq!(event["type"], "Warning");
        assert!(note.contains("llama-hpa"), "{note}");
    }
    program
        .until_metric("blocked", &[("reason", "taken_back")], |n| n == 1.0)
        .await;
    let state = program.until_state("llama", "reverted").await;
    assert!(state["reason"].as_str().unwrap().contains("llama-hpa"), "{state}");
    // Four reverts mean four wakes: at 0, 100, 200 and 400 ms. The next is 800 ms away.
    let asked = world.asked("patch", "deployments/scale").len();
    assert!(asked <= 6, "the waits grow: {asked}");
}

/// Nothing scales it by itself, so whoever uses `/scale` is a person: held, not fought, until the hold is over or they scale
/// it up themselves.
async fn by_a_person(world: &World) {
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    let scale = |replicas: u32| json!({"spec": {"replicas": replicas}});
    let at = DEPLOYMENT.path(Some(&world.ns), Some("llama"), Some("scale"));
    world
        .cluster
        .admin
        .write(Write::Merge, "kubectl", &at, &scale(0))
        .await;
    program
        .until_metric("blocked", &[("reason", "manual")], |n| n == 1.0)
        .await;
    let state = program.until_state("llama", "reverted").await;
    assert!(state["reason"].as_str().unwrap().contains("a person"), "{state}");
    wait::until_true("the Events", async || world.events_of(BACK).await.len() == 2).await;
    program.ticks(40).await;
    assert_eq!(
        world.replicas(DEPLOYMENT, "llama").await,
        0,
        "a person is not fought"
    );
    assert_eq!(world.asked("patch", "deployments/scale").len(), 1);
    // Scaled up by hand: it goes on as if nothing had been.
    world
        .cluster
        .admin
        .write(Write::Merge, "kubectl", &at, &scale(1))
        .await;
    program.until_state("llama", "starting").await;
    program
        .until_metric("blocked", &[("reason", "manual")], |n| n == 0.0)
        .await;
    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    program.until_state("llama", "serving").await;
}

/// A direct write leaves its author's name on the object: one that is no person's tool is told, and woken against.
async fn by_gitops(world: &World) {
    world.create(parked("llama", "llama")).await;
    let config = json!({"wake": {"backoff": {"initial": "100ms", "max": "1s"}}});
    let program = world.program("a").config(&config).ready().await;
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    let at = DEPLOYMENT.path(Some(&world.ns), Some("llama"), None);
    let zero = json!({"spec": {"replicas": 0}});
    world
        .cluster
        .admin
        .write(Write::Merge, "argocd-controller", &at, &zero)
        .await;
    let events = wait::until("the Events", async || {
        Some(world.events_of(BACK).await).filter(|events| events.len() == 2)
    })
    .await;
    for event in events {
        assert!(
            event["note"].as_str().unwrap().contains("argocd-controller"),
            "{event}"
        );
    }
    world.until_woken("llama").await;
    program
        .until_metric("wakes_total", &[("result", "accepted")], |n| n == 2.0)
        .await;
    let decisions = program.decisions().await;
    let told: Vec<_> = decisions
        .iter()
        .map(|d| d["decision"].as_str().unwrap())
        .collect();
    for decision in ["waking", "woken", "reverted"] {
        assert!(told.contains(&decision), "{told:?}");
    }
    // The same by a person's tool is held.
    world
        .cluster
        .admin
        .write(Write::Merge, "kubectl-edit", &at, &zero)
        .await;
    program
        .until_metric("blocked", &[("reason", "manual")], |n| n == 1.0)
        .await;
    let state = program.until_state("llama", "reverted").await;
    assert!(
        state["reason"].as_str().unwrap().contains("kubectl-edit"),
        "{state}"
    );
}

/// The EPP drops what waits long before the target is up; when an HPA takes it back after that, that is told all the same,
/// and nothing is woken until somebody asks again.
async fn without_demand(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let config = json!({"wake": {"backoff": {"initial": "100ms", "max": "1s"}}});
    let program = world.program("a").config(&config).ready().await;
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    world.ask("llama", "llama", 0);
    program.until_metric("demand_requests", &[], |n| n == 0.0).await;
    let hpa = Autoscaler::of_hpa(world, "llama-hpa", "llama");
    program.until_metric("reverts_total", &[], |n| n == 1.0).await;
    wait::until_true("the Events", async || world.events_of(BACK).await.len() == 2).await;
    drop(hpa);
    program.ticks(40).await;
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 0);
    world.ask("llama", "llama", 1);
    world.until_woken("llama").await;
}
