//! The guard (rule 17): what scales a woken target back is kept from it for the time of the episode, and nothing is left
//! behind when that ends.

use serde_json::{Value, json};

use crate::{
    autoscaler::Autoscaler,
    cluster::{DEPLOYMENT, HPA, Kind, Rights, SCALED_OBJECT},
    objects::{annotated, hpa, parked, ready, scaled_object},
    suite::Suite,
    wait,
    world::World,
};

const GUARD: &str = "scale-from-zero/guard";
const PAUSED: &str = "autoscaling.keda.sh/paused-scale-in";

pub fn register(suite: &mut Suite) {
    suite.both("guard_against_an_hpa", guard_against_an_hpa);
    suite.both("guard_against_keda", guard_against_keda);
    suite.both("guard_of_two_copies_and_a_restart", two_copies_and_a_restart);
    suite.both("guard_that_somebody_undoes", somebody_undoes);
    suite.both("guard_turned_off", turned_off);
    suite.real("guard_without_the_right", without_the_right);
}

fn config() -> Value {
    json!({"wake": {"guard": true, "settle": "1s", "backoff": {"initial": "100ms", "max": "1s"}}})
}

const RIGHTS: Rights = Rights::With(&["autoscalers"]);

fn stands(object: &Value) -> bool {
    object["metadata"]["annotations"][GUARD].is_string()
}

async fn until_gone(world: &World, kind: Kind, name: &str) -> Value {
    wait::until(&format!("no guard on {name}"), async || {
        Some(world.get(kind, name).await).filter(|object| !stands(object))
    })
    .await
}

/// Without the guard the HPA would undo the wake at once; with it the model comes to serve, and then all is as it was.
async fn guard_against_an_hpa(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let program = world.program("a").config(&config()).rights(RIGHTS).ready().await;
    let _hpa = Autoscaler::of_hpa(world, "llama-hpa", "llama");
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    let guarded = world.get(HPA, "llama-hpa").await;
    assert_eq!(guarded["spec"]["minReplicas"], 1);
    let guard: Value =
        serde_json::from_str(guarded["metadata"]["annotations"][GUARD].as_str().unwrap()).unwrap();
    assert_eq!(
        (&guard["before"], &guard["ours"], &guard["model"]),
        (&json!("0"), &json!("1"), &json!("llama"))
    );
    program.ticks(40).await;
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 1);
    // The guard went first.
    let writes = world.patched(&["horizontalpodautoscalers", "deployments/scale"]);
    assert_eq!(writes, ["horizontalpodautoscalers", "deployments/scale"]);
    // It serves, the requests go, and with the episode the guard.
    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    world.ask("llama", "llama", 0);
    let hpa = until_gone(world, HPA, "llama-hpa").await;
    assert_eq!(hpa["spec"]["minReplicas"], 0);
    assert_eq!(program.metrics().await.sum("reverts_total", &[]), 0.0);
    // And the HPA parks it, which is no revert.
    wait::until_true("it is parked", async || {
        world.replicas(DEPLOYMENT, "llama").await == 0
    })
    .await;
    program.ticks(20).await;
    assert_eq!(program.metrics().await.sum("reverts_total", &[]), 0.0);
}

/// The same with KEDA, whose own HPA is left to it; what the user had set before comes back.
async fn guard_against_keda(world: &World) {
    world.create(parked("llama", "llama")).await;
    let object = annotated(scaled_object("llama-so", "llama", 0, 4), PAUSED, "false");
    let mut child = hpa("keda-hpa-llama-so", "llama", 0, 4);
    child["metadata"]["labels"]["scaledobject.keda.sh/name"] = "llama-so".into();
    world.create([object, child]).await;
    let _program = world.program("a").config(&config()).rights(RIGHTS).ready().await;
    let _keda = Autoscaler::of_scaled_object(world, "llama-so", "llama");
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    let guarded = world.get(SCALED_OBJECT, "llama-so").await;
    assert_eq!(guarded["metadata"]["annotations"][PAUSED], "true");
    assert_eq!(
        world.get(HPA, "keda-hpa-llama-so").await["spec"]["minReplicas"],
        0
    );
    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    world.ask("llama", "llama", 0);
    let object = until_gone(world, SCALED_OBJECT, "llama-so").await;
    assert_eq!(object["metadata"]["annotations"][PAUSED], "false");
}

/// One of two copies is killed in the middle of the episode, and another starts: the guard stands all the while, and goes.
async fn two_copies_and_a_restart(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let mut one = world
        .program("one")
        .config(&config())
        .rights(RIGHTS)
        .ready()
        .await;
    let two = world
        .program("two")
        .config(&config())
        .rights(RIGHTS)
        .ready()
        .await;
    let _hpa = Autoscaler::of_hpa(world, "llama-hpa", "llama");
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    one.kill().await;
    world.ask("llama", "llama", 0);
    drop(two);
    // Both are gone. Who comes next knows of the episode from what stands in the cluster.
    let next = world
        .program("next")
        .config(&config())
        .rights(RIGHTS)
        .ready()
        .await;
    next.log
        .said(
            "Going on with what another copy, or this one before its restart, has woken",
            |_| true,
        )
        .await;
    next.ticks(40).await;
    assert!(stands(&world.get(HPA, "llama-hpa").await));
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 1);
    assert_eq!(next.metrics().await.sum("episodes", &[]), 1.0);
    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    let hpa = until_gone(world, HPA, "llama-hpa").await;
    assert_eq!(hpa["spec"]["minReplicas"], 0);
    next.ticks(20).await;
    assert!(
        !stands(&world.get(HPA, "llama-hpa").await),
        "nobody puts it up again"
    );
}

/// Who writes another value meanwhile wants it so: it stays, and only our annotation goes.
async fn somebody_undoes(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let program = world.program("a").config(&config()).rights(RIGHTS).ready().await;
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    world
        .patch(HPA, "llama-hpa", &json!({"spec": {"minReplicas": 2}}))
        .await;
    let hpa = until_gone(world, HPA, "llama-hpa").await;
    assert_eq!(hpa["spec"]["minReplicas"], 2);
    program
        .log
        .said(
            "Somebody has changed what the guard had set; it is left as it is now",
            |_| true,
        )
        .await;
    program.ticks(20).await;
    assert_eq!(world.get(HPA, "llama-hpa").await["spec"]["minReplicas"], 2);
}

/// Turned off in the file, while it stands: it goes, without a restart and without forgetting the episode.
async fn turned_off(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let program = world.program("a").config(&config()).rights(RIGHTS).ready().await;
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    program.rewrite(&json!({"wake": {"guard": false}}));
    let hpa = until_gone(world, HPA, "llama-hpa").await;
    assert_eq!(hpa["spec"]["minReplicas"], 0);
    assert_eq!(program.metrics().await.sum("episodes", &[]), 1.0);
}

/// Without the right to patch them the wake goes through all the same, and that is said.
async fn without_the_right(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([hpa("llama-hpa", "llama", 0, 4)]).await;
    let program = world.program("a").config(&config()).ready().await;
    world.ask("llama", "llama", 3);
    world.until_told("llama").await;
    program
        .log
        .said("Could not write a guard; trying again", |line| {
            line.field("reason") == "forbidden"
        })
        .await;
    assert_eq!(world.get(HPA, "llama-hpa").await["spec"]["minReplicas"], 0);
}
