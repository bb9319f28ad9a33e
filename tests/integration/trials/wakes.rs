//! The main job: a parked model with requests waiting is at 1, once, and everybody can see why.

use serde_json::{Value, json};

use crate::{
    cluster::{DEPLOYMENT, POOL, POOL_V1ALPHA2, Rights, STATEFUL_SET, VARIANT},
    demand::{GUIDE, Queue},
    objects::{Shape, annotated, behind, deployment, parked, pool, stateful_set, variant},
    servers::{documents, project},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("guide_example", guide_example);
    suite.embedded("log_as_text", log_as_text);
    suite.both("stateful_set", a_stateful_set);
    suite.both("pools_of_both_groups_and_shapes", pools_of_both_groups_and_shapes);
    suite.both("aliases", aliases);
    suite.both("annotated_variant", annotated_variant);
    suite.both("status_keeps_what_others_wrote", status_keeps_what_others_wrote);
}

/// The three objects of the guide word for word, and five requests in the gauge that it names.
async fn guide_example(world: &World) {
    const FILE: &str = "tests/fixtures/guide-example.yaml";
    const VARIANT_NAME: &str = "llama-8b-autoscaler";
    const TARGET: &str = "llama-8b-deployment";
    const MODEL: &str = "meta/llama-3.1-8b";
    match world.cluster.server() {
        Some(server) => {
            let file = project(FILE).display().to_string();
            server.kubectl(&["apply", "-n", &world.ns, "-f", &file], "").await;
        }
        None => world.create(documents(FILE)).await,
    }
    let program = world.program("a").ready().await;
    program.until_metric("inactive_variants", &[], |n| n == 1.0).await;
    let queue = Queue {
        family: GUIDE,
        namespace: world.ns.clone(),
        pool: String::new(),
        model: MODEL.into(),
    };
    world.demand.queues().set(queue, 5.0);
    world.until_woken(TARGET).await;
    let told = world.until_told(VARIANT_NAME).await;
    check_status(&told);

    if let Some(server) = world.cluster.server() {
        let table = server.kubectl(&["get", "va", "-n", &world.ns], "").await;
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let columns = ["NAME", "TARGET", "MODEL", "OPTIMIZED", "METRICSREADY", "AGE"];
        assert_eq!(lines.next().as_deref(), Some(&columns[..]), "{table}");
        let row = lines.next().expect("a row");
        assert_eq!(row[..5], [VARIANT_NAME, TARGET, MODEL, "1", "True"], "{table}");
    }

    // The messages of the guide, with their fields.
    let found = program
        .log
        .said("Found inactive VariantAutoscaling resources", |line| {
            line.field("count") == "1"
        });
    assert_eq!(found.await.field("level"), "DEBUG");
    let looked = program.log.said("Processing variant", |_| true).await;
    assert_eq!(
        (looked.field("name"), looked.field("level")),
        (VARIANT_NAME.into(), "DEBUG".into())
    );
    let asked = program
        .log
        .said(
            "Target workload has pending requests, scaling up from zero",
            |_| true,
        )
        .await;
    assert_eq!(
        (asked.field("metricName"), asked.field("value")),
        (GUIDE.into(), "5.0".into())
    );
    let woken = program
        .log
        .said("Successfully scaled up Target Workload", |_| true)
        .await;
    assert_eq!(woken.field("variant"), format!("{}/{VARIANT_NAME}", world.ns));
    assert!(woken.field("target").contains(TARGET), "{woken:?}");
    assert_eq!(woken.field("model"), MODEL);

    check_events(world, VARIANT_NAME, TARGET).await;

    // Requests still wait, as they do until the model is up: nothing more comes of them.
    program.ticks(20).await;
    assert_eq!(world.asked("patch", "deployments/scale"), [(TARGET.into(), 200)]);
    assert_eq!(
        world.asked("patch", "variantautoscalings/status"),
        [(VARIANT_NAME.into(), 200)]
    );
    assert_eq!(world.asked("create", "events").len(), 2);
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "accepted")]), 1.0);
    assert_eq!(metrics.sum("wakes_total", &[]), 1.0);
    assert_eq!(metrics.sum("demand_to_scale_seconds_count", &[]), 1.0);
    assert_eq!(
        world.get(DEPLOYMENT, TARGET).await["metadata"]["generation"],
        2,
        "one change"
    );
    for message in [
        "Target workload has pending requests, scaling up from zero",
        "Successfully scaled up Target Workload",
    ] {
        assert_eq!(program.log.all(message).len(), 1, "{message}");
    }
}

/// What WVA and `kubectl get va` read.
fn check_status(variant: &Value) {
    let status = &variant["status"];
    assert_eq!(status["desiredOptimizedAlloc"]["numReplicas"], 1);
    assert_eq!(status["desiredOptimizedAlloc"]["accelerator"], "unknown");
    assert!(status["desiredOptimizedAlloc"]["lastRunTime"].is_string());
    assert_eq!(status["actuation"], json!({"applied": true}));
    let metrics = condition(variant, "MetricsAvailable");
    assert_eq!(metrics["status"], "True");
    assert_eq!(metrics["reason"], "ScaleFromZero");
    assert_eq!(metrics["message"], "Scaled from zero due to pending requests");
    let optimized = condition(variant, "OptimizationReady");
    assert_eq!(optimized["status"], "True");
    assert_eq!(optimized["reason"], "ScaleFromZeroMode");
}

fn condition<'a>(variant: &'a Value, kind: &str) -> &'a Value {
    let mut conditions = variant["status"]["conditions"]
        .as_array()
        .expect("conditions")
        .iter();
    conditions
        .find(|c| c["type"] == kind)
        .unwrap_or_else(|| panic!("no {kind}: {variant}"))
}

/// One Event on the variant and one on the target.
async fn check_events(world: &World, variant: &str, target: &str) {
    let events = world.events().await;
    assert_eq!(events.len(), 2, "{events:#?}");
    for (kind, name) in [(VARIANT, variant), (DEPLOYMENT, target)] {
        let about =
            |event: &&Value| event["regarding"]["kind"] == kind.name && event["regarding"]["name"] == name;
        let event = events
            .iter()
            .find(about)
            .unwrap_or_else(|| panic!("none on {name}: {events:#?}"));
        assert_eq!(
            event["regarding"]["uid"],
            world.get(kind, name).await["metadata"]["uid"]
        );
        assert_eq!(event["type"], "Normal");
        let note = event["note"].as_str().unwrap_or_default();
        for part in [
            "5 requests waiting",
            "meta/llama-3.1-8b",
            "sample",
            "from sample to scale",
        ] {
            assert!(note.contains(part), "{note}");
        }
    }
}

/// The same messages as people read them, each with its fields behind it.
async fn log_as_text(world: &World) {
    world.create(parked("llama", "meta/llama")).await;
    world.ask("llama", "meta/llama", 5);
    let config = json!({"log": {"format": "text"}});
    let (_program, log, _) = world.program("a").config(&config).start().await;
    for line in [
        "Found inactive VariantAutoscaling resources count=1",
        "Processing variant name=\"llama\"",
        "Target workload has pending requests, scaling up from zero metricName=\"llm_d_epp_flow_control_queue_size\" value=5",
        "Successfully scaled up Target Workload variant=log-as-text/llama target=Deployment log-as-text/llama model=\"meta/llama\"",
    ] {
        wait::until_true(line, async || log.text().contains(line)).await;
    }
    assert!(
        !log.text().contains('\u{1b}'),
        "no colours where nobody sees them"
    );
}

/// A StatefulSet is woken as a Deployment is.
async fn a_stateful_set(world: &World) {
    let mut variant = variant("llama", "llama");
    variant["spec"]["scaleTargetRef"]["kind"] = STATEFUL_SET.name.into();
    world.create([stateful_set("llama", "llama", 0), variant]).await;
    world
        .create([pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    world.ask("llama", "llama", 1);
    let program = world.program("a").ready().await;
    world.until_scaled(STATEFUL_SET, "llama").await;
    world.until_told("llama").await;
    let events = world.events().await;
    let kinds = |kind: &str| {
        events
            .iter()
            .filter(|event| event["regarding"]["kind"] == kind)
            .count()
    };
    assert_eq!(
        (kinds("StatefulSet"), kinds("VariantAutoscaling")),
        (1, 1),
        "{events:#?}"
    );
    program.ticks(5).await;
    assert_eq!(
        world.asked("patch", "statefulsets/scale"),
        [("llama".into(), 200)]
    );
}

/// Guides mix the shapes of the two groups; either is read under either.
async fn pools_of_both_groups_and_shapes(world: &World) {
    let pools = [
        ("new", POOL, Shape::MatchLabels),
        ("new-flat", POOL, Shape::Flat),
        ("old", POOL_V1ALPHA2, Shape::Flat),
        ("old-match-labels", POOL_V1ALPHA2, Shape::MatchLabels),
    ];
    for (name, kind, shape) in pools {
        world
            .create([
                deployment(name, name, 0),
                variant(name, name),
                pool(kind, shape, name, name),
            ])
            .await;
        world.ask(name, name, 1);
    }
    let _program = world.program("a").ready().await;
    for (name, ..) in pools {
        world.until_woken(name).await;
        world.until_told(name).await;
    }
}

/// An adapter is served by the variant that names it.
async fn aliases(world: &World) {
    let [target, variant, pool] = parked("llama", "meta/llama-3.1-8b");
    world
        .create([
            target,
            annotated(variant, "scale-from-zero/models", "adapter-a, adapter-b"),
            pool,
        ])
        .await;
    let program = world.program("a").ready().await;
    world.ask("llama", "adapter-b", 3);
    world.until_woken("llama").await;
    let woken = program
        .log
        .said("Successfully scaled up Target Workload", |_| true)
        .await;
    assert_eq!(woken.field("model"), "adapter-b");
}

/// What stands in the status and is not ours stays, and the accelerator is the one that is known.
async fn status_keeps_what_others_wrote(world: &World) {
    let [target, variant] = behind("llama", "llama", "llama", "10.0", 0);
    world
        .create([target, variant, pool(POOL, Shape::MatchLabels, "llama", "llama")])
        .await;
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "reason": "Theirs", "message": "theirs",
               "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let theirs = json!({"status": {
        "desiredOptimizedAlloc": {"numReplicas": 0, "accelerator": "H100", "lastRunTime": "2026-01-01T00:00:00Z"},
        "conditions": [condition("Another", "False"), condition("MetricsAvailable", "False")],
    }});
    world.patch_status(VARIANT, "llama", &theirs).await;
    let _program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    let told = world.until_told("llama").await;
    assert_eq!(told["status"]["desiredOptimizedAlloc"]["accelerator"], "H100");
    assert_eq!(self::condition(&told, "Another"), &condition("Another", "False"));
    let metrics = self::condition(&told, "MetricsAvailable");
    assert_eq!(
        (&metrics["status"], &metrics["reason"]),
        (&json!("True"), &json!("ScaleFromZero"))
    );
    assert_ne!(
        metrics["lastTransitionTime"], "2026-01-01T00:00:00Z",
        "it has changed"
    );
}

/// The decision as an annotation, with the right that this takes.
async fn annotated_variant(world: &World) {
    world.create(parked("llama", "llama")).await;
    let config = json!({"status": {"annotateVariant": true}});
    let program = world
        .program("a")
        .config(&config)
        .rights(Rights::With(&["annotate-variant"]))
        .ready()
        .await;
    world.ask("llama", "llama", 7);
    let decision = wait::until("the annotation", async || {
        let variant = world.get(VARIANT, "llama").await;
        let text = variant["metadata"]["annotations"]["scale-from-zero/decision"]
            .as_str()?
            .to_owned();
        Some(serde_json::from_str::<Value>(&text).expect("JSON"))
    })
    .await;
    assert_eq!(
        (&decision["model"], &decision["waiting"], &decision["replicas"]),
        (&json!("llama"), &json!(7.0), &json!(1))
    );
    program.ticks(10).await;
    assert_eq!(
        world.asked("patch", "variantautoscalings"),
        [("llama".into(), 200)]
    );
}
