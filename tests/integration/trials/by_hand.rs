//! `run --dry-run` and `wake NAMESPACE/NAME`.

use std::process::Output;

use serde_json::json;

use crate::{
    cluster::{DEPLOYMENT, LEADER_WORKER_SET, NAMESPACE, POOL, Rights, SCALED_OBJECT},
    objects::{
        Shape, behind, deployment, excluded, leader_worker_set, managed, parked, pool, ready, scaled_object,
        targeting, variant,
    },
    suite::Suite,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("dry_run", dry_run);
    suite.both("wake_by_hand", wake_by_hand);
    suite.both("wake_by_hand_of_a_scaled_object", wake_by_hand_of_a_scaled_object);
    suite.both("wake_by_hand_refused", wake_by_hand_refused);
    suite.both("wake_by_hand_dry_run", wake_by_hand_dry_run);
}

async fn dry_run(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 4);
    let program = world.program("a").arguments(&["run", "--dry-run"]).ready().await;
    let told = program
        .log
        .said("Dry run: would scale up Target Workload from zero", |_| true)
        .await;
    assert_eq!(
        (told.field("value"), told.field("model")),
        ("4.0".into(), "llama".into())
    );
    program.ticks(20).await;
    assert_eq!(program.log.all(told.message()).len(), 1, "once for the episode");
    assert_eq!(
        program
            .metrics()
            .await
            .sum("wakes_total", &[("result", "dry_run")]),
        1.0
    );
    nothing_written(world, "llama").await;
}

async fn wake_by_hand(world: &World) {
    world.create(parked("llama", "llama")).await;
    let (code, out, err) = wake(world, "a", "llama", &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("from 0 to 1") && out.contains("llama"), "{out}");
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 1);
    assert_eq!(
        world.get(crate::cluster::VARIANT, "llama").await["status"]["desiredOptimizedAlloc"]["numReplicas"],
        1
    );
    assert_eq!(world.events().await.len(), 2);
    assert_eq!(
        world.until_asked("patch", "deployments/scale", 1).await,
        [("llama".into(), 200)]
    );

    let (code, out, _) = wake(world, "again", "llama", &[]).await;
    assert_eq!(code, 0, "what is to be done is done");
    assert!(
        out.contains("at 1 already") && out.contains("nothing to do"),
        "{out}"
    );
    assert_eq!(world.asked("patch", "deployments/scale").len(), 1);
}

/// Without a VariantAutoscaling of that name, the ScaledObject is the variant. Its target is known only by discovery, and the
/// guard goes first, as in the loop.
async fn wake_by_hand_of_a_scaled_object(world: &World) {
    let object = targeting(scaled_object("llama", "llama", 0, 4), LEADER_WORKER_SET, "llama");
    world
        .create([
            leader_worker_set("llama", "llama", 0),
            managed(object, "llama", "5"),
            pool(POOL, Shape::MatchLabels, "llama", "llama"),
        ])
        .await;
    let program = world
        .program("a")
        .arguments(&["wake", &format!("{}/llama", world.ns)])
        .config(&json!({"wake": {"guard": true}}))
        .rights(Rights::With(&["autoscalers"]));
    let output = program.output().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("ScaledObject") && said.contains("from 0 to 1"),
        "{said}"
    );
    assert_eq!(world.replicas(LEADER_WORKER_SET, "llama").await, 1);
    let annotations = world.get(SCALED_OBJECT, "llama").await["metadata"]["annotations"].clone();
    assert_eq!(annotations["autoscaling.keda.sh/paused-scale-in"], "true");
    assert!(
        annotations["scale-from-zero/decision"].is_string(),
        "{annotations}"
    );
    assert_eq!(world.events().await.len(), 2);
}

async fn wake_by_hand_refused(world: &World) {
    let [target, variant_of, pool] = parked("llama", "llama");
    world.create([target, excluded(variant_of), pool]).await;
    world.create([variant("targetless", "targetless")]).await;
    let mut odd = variant("odd", "odd");
    odd["spec"]["scaleTargetRef"] = json!({"apiVersion": "v1", "kind": "Pod", "name": "odd"});
    world.create([odd, deployment("odd", "odd", 0)]).await;
    let mut unknown = variant("unknown", "unknown");
    unknown["spec"]["scaleTargetRef"] =
        json!({"apiVersion": "example.com/v1", "kind": "Gizmo", "name": "unknown"});
    world.create([unknown]).await;
    world.create(behind("up", "up", "up", "1.0", 3)).await;
    world.patch_status(DEPLOYMENT, "up", &ready(2)).await;
    for (name, part) in [
        ("llama", "scale-from-zero/exclude"),
        ("targetless", "does not exist"),
        ("odd", "no /scale"),
        ("unknown", "no kind Gizmo.example.com"),
        ("nobody", "kubectl get va"),
    ] {
        let (code, out, err) = wake(world, name, name, &[]).await;
        assert_eq!((code, out.as_str()), (1, ""), "{name}: {err}");
        assert!(
            err.contains(part) && err.contains(&format!("{}/{name}", world.ns)),
            "{name}: {err}"
        );
    }
    let (code, out, _) = wake(world, "up", "up", &[]).await;
    assert_eq!(code, 0);
    assert!(out.contains("at 3 already, 2 ready"), "{out}");

    let mark = json!({"metadata": {"annotations": {"scale-from-zero/exclude": "true"}}});
    world
        .cluster
        .admin
        .patch(NAMESPACE, None, &world.ns, None, &mark)
        .await;
    world.create(parked("other", "other")).await;
    let (code, _, err) = wake(world, "namespace", "other", &[]).await;
    assert!(
        code == 1 && err.contains("its namespace has the annotation"),
        "{err}"
    );
    nothing_written(world, "llama").await;
}

async fn wake_by_hand_dry_run(world: &World) {
    world.create(parked("llama", "llama")).await;
    let (code, out, err) = wake(world, "a", "llama", &["--dry-run"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("would scale") && out.contains("nothing written"),
        "{out}"
    );
    nothing_written(world, "llama").await;
}

/// Runs `wake` on a variant of the trial: exit status and what it said on either stream.
async fn wake(world: &World, copy: &str, variant: &str, more: &[&str]) -> (i32, String, String) {
    let name = format!("{}/{variant}", world.ns);
    let mut arguments = vec!["wake", &name];
    arguments.extend(more);
    let program = world.program(copy).arguments(&arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = program.output().await;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().expect("an exit status"), text(stdout), text(stderr))
}

async fn nothing_written(world: &World, name: &str) {
    let requests = world.cluster.requests(&world.ns);
    assert!(
        !requests.iter().any(crate::cluster::Asked::writes),
        "{requests:#?}"
    );
    assert_eq!(world.replicas(DEPLOYMENT, name).await, 0);
    assert!(world.events().await.is_empty());
}
