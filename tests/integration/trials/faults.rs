//! Writes that go wrong: lost races, lost answers, missing rights, an API server that asks for
//! patience (rules 13 and 14), and a death between two writes (rule 15).

mod api;
mod burst;
mod process;
mod prometheus;
mod soak;

use std::{collections::BTreeSet, time::Duration};

use scale_from_zero::demo::kubernetes::{Effect, Fault, Match, Resource, Subresource, Verb};
use serde_json::json;

use crate::{
    cluster::DEPLOYMENT,
    demand::{Queue, TODAY},
    objects::parked,
    suite::Suite,
    wait,
    world::World,
};

const WOKEN: &str = "Successfully scaled up Target Workload";
const FAILED: &str = "Could not scale up Target Workload; trying again while requests wait";

/// Returns the names of what it registers, for the table of them.
pub fn register(suite: &mut Suite) -> BTreeSet<String> {
    let before: BTreeSet<String> = suite.names().collect();
    // The longest first.
    soak::register(suite);
    api::register(suite);
    burst::register(suite);
    process::register(suite);
    prometheus::register(suite);
    suite.embedded("lost_race", lost_race);
    suite.embedded("lost_answer", lost_answer);
    suite.embedded("one_target_forbidden", one_target_forbidden);
    suite.embedded("throttled", throttled);
    suite.real(
        "throttled_by_priority_and_fairness",
        throttled_by_priority_and_fairness,
    );
    suite.embedded("report_fails_at_first", report_fails_at_first);
    suite.embedded("waker_dies_before_the_status", waker_dies_before_the_status);
    suite.embedded("waker_dies_before_any_report", waker_dies_before_any_report);
    suite.embedded("lone_waker_dies", lone_waker_dies);
    suite.names().filter(|name| !before.contains(name)).collect()
}

fn scale() -> Match {
    Match::verb(Verb::Patch)
        .on(Resource::Deployments)
        .part(Subresource::Scale)
}

fn status() -> Match {
    Match::verb(Verb::Patch)
        .on(Resource::VariantAutoscalings)
        .part(Subresource::Status)
}

fn events() -> Match {
    Match::verb(Verb::Create).on(Resource::Events)
}

/// Somebody writes the target between the tick and the PATCH: 409, and the next tick decides afresh.
async fn lost_race(world: &World) {
    let kube = world.cluster.kube();
    world.create(parked("llama", "llama")).await;
    kube.fail_once(scale(), Effect::Delay(Duration::from_secs(1)));
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    wait::in_time(
        "the PATCH is on its way",
        kube.until(|kube| kube.requests_like(&scale()).pop()),
    )
    .await;
    world
        .patch(
            DEPLOYMENT,
            "llama",
            &json!({"metadata": {"labels": {"changed": "meanwhile"}}}),
        )
        .await;
    world.until_told("llama").await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("llama".into(), 409), ("llama".into(), 200)]
    );
    let lost = "Somebody else wrote the target first; deciding afresh";
    let lost = program.log.said(lost, |_| true).await;
    assert_eq!(lost.field("target"), format!("Deployment {}/llama", world.ns));
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "conflict")]), 1.0);
    assert_eq!(metrics.sum("wakes_total", &[("result", "accepted")]), 1.0);
    assert_eq!(
        world.get(DEPLOYMENT, "llama").await["metadata"]["generation"],
        2,
        "one step"
    );
}

/// The write is done and its answer lost: it counts as ours, is told once, and never done twice.
async fn lost_answer(world: &World) {
    let kube = world.cluster.kube();
    world.create(parked("llama", "llama")).await;
    world.create(parked("parked", "parked")).await;
    kube.fail_once(scale(), Effect::ApplyThenDrop);
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    program.ticks(20).await;
    assert_eq!(world.replicas(DEPLOYMENT, "llama").await, 1);
    assert_eq!(world.asked("patch", "deployments/scale").len(), 1);
    assert_eq!(
        world.asked("patch", "variantautoscalings/status"),
        [("llama".into(), 200)]
    );
    assert_eq!(world.events().await.len(), 2);
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "no_answer")]), 1.0);
    assert_eq!(
        metrics.sum("wakes_total", &[("result", "other_waker")]),
        0.0,
        "it was us"
    );
    assert!(
        program
            .log
            .all("Target was scaled up by somebody else")
            .is_empty()
    );
}

/// One target may not be scaled: the others are, and this one is blocked until it may (rule 18).
async fn one_target_forbidden(world: &World) {
    let kube = world.cluster.kube();
    let forbidden = kube.fail(scale().named("m2"), Effect::Forbidden);
    for name in ["m1", "m2", "m3"] {
        world.create(parked(name, name)).await;
        world.ask(name, name, 1);
    }
    let backoff = json!({"wake": {"backoff": {"initial": "100ms", "max": "1s"}}});
    let program = world.program("a").config(&backoff).ready().await;
    world.until_told("m1").await;
    world.until_told("m3").await;
    let blocked = [("model", "m2"), ("reason", "wake_failed")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
    let failed = program.log.said(FAILED, |_| true).await;
    assert_eq!(failed.field("reason"), "forbidden");
    for part in ["patch deployments/scale", "m2", "is forbidden"] {
        assert!(failed.field("error").contains(part), "{failed:?}");
    }
    // Again and again, but not at each tick.
    wait::until_true("a second try", async || {
        world.asked("patch", "deployments/scale").len() >= 4
    })
    .await;
    kube.remove_fault(forbidden);
    world.until_told("m2").await;
    program.until_metric("blocked", &[], |n| n == 0.0).await;
}

/// The API server asks for patience, and has it.
async fn throttled(world: &World) {
    let kube = world.cluster.kube();
    let refusal = |retry_after| Effect::Status {
        code: 429,
        reason: "TooManyRequests".into(),
        retry_after,
    };
    kube.fail_once(scale().named("soon"), refusal(Some(1)));
    kube.fail(scale().named("never"), refusal(Some(3600)));
    for name in ["soon", "never"] {
        world.create(parked(name, name)).await;
        world.ask(name, name, 1);
    }
    let backoff = json!({"wake": {"backoff": {"initial": "10ms", "max": "10ms"}}});
    let program = world.program("a").config(&backoff).ready().await;
    world.until_told("soon").await;
    program.ticks(20).await;
    let of = |name: &str| {
        let asked = world.asked("patch", "deployments/scale").into_iter();
        asked
            .filter(|(of, _)| of == name)
            .map(|(_, code)| code)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("soon"), [429, 200]);
    assert_eq!(of("never"), [429], "an hour is not over");
    assert_eq!(
        program
            .metrics()
            .await
            .sum("wakes_total", &[("result", "throttled")]),
        2.0
    );
}

/// The API server's own priority and fairness lets three wakes through at once, of the sixteen that come: it is slower
/// then, and each is done, once.
async fn throttled_by_priority_and_fairness(world: &World) {
    const MODELS: usize = 40;
    const GROUP: &str = "/apis/flowcontrol.apiserver.k8s.io/v1";
    let names: Vec<String> = (0..MODELS).map(|number| format!("m{number}")).collect();
    for name in &names {
        world.create(parked(name, name)).await;
    }
    let backoff = json!({"wake": {"concurrency": 16, "backoff": {"initial": "100ms", "max": "1s"}}});
    let program = world.program("a").config(&backoff).ready().await;
    let admin = &world.cluster.admin;
    // One share of some 250 is three of the 600 requests that the server takes at once.
    let level = json!({
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
        "metadata": {"name": world.ns},
        "spec": {"type": "Limited", "limited": {
            "nominalConcurrencyShares": 1, "lendablePercent": 0, "borrowingLimitPercent": 0,
            "limitResponse": {"type": "Reject"},
        }},
    });
    let schema = json!({
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema",
        "metadata": {"name": world.ns},
        "spec": {
            "matchingPrecedence": 100,
            "priorityLevelConfiguration": {"name": world.ns},
            "rules": [{
                "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"namespace": world.ns, "name": "a"}}],
                "resourceRules": [{
                    "verbs": ["patch"], "apiGroups": ["apps"], "resources": ["deployments/scale"], "namespaces": ["*"],
                }],
            }],
        },
    });
    admin
        .post(&format!("{GROUP}/prioritylevelconfigurations"), &level)
        .await;
    admin.post(&format!("{GROUP}/flowschemas"), &schema).await;
    wait::until_true("the server has taken them in", async || {
        let schema = admin.look(&format!("{GROUP}/flowschemas/{}", world.ns)).await;
        schema.is_ok_and(|schema| schema["status"]["conditions"][0]["status"] == "False")
    })
    .await;
    let queues = names.iter().map(|name| {
        let queue = Queue {
            family: TODAY,
            namespace: world.ns.clone(),
            pool: name.clone(),
            model: name.clone(),
        };
        (queue, 1.0)
    });
    world.demand.queues().set_all(queues);
    for name in &names {
        world.until_told(name).await;
    }
    program
        .until_metric("wakes_total", &[("result", "accepted")], |n| n == 40.0)
        .await;
    let metrics = program.metrics().await;
    let throttled = metrics.sum("wakes_total", &[("result", "throttled")]);
    println!("{MODELS} wakes, {throttled} times 429");
    assert!(throttled > 0.0);
    assert_eq!(
        metrics.sum("wakes_total", &[]),
        40.0 + throttled,
        "nothing failed"
    );
    program.until_metric("blocked", &[], |n| n == 0.0).await;
    for name in &names {
        assert_eq!(world.get(DEPLOYMENT, name).await["metadata"]["generation"], 2);
    }
}

/// Reports are tried again, and none is written twice.
async fn report_fails_at_first(world: &World) {
    let kube = world.cluster.kube();
    let refusal = Effect::Status {
        code: 500,
        reason: "InternalError".into(),
        retry_after: None,
    };
    kube.fail_once(status(), refusal.clone());
    kube.fail_once(events(), refusal);
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let backoff = json!({"wake": {"backoff": {"initial": "100ms", "max": "1s"}}});
    let program = world.program("a").config(&backoff).ready().await;
    world.until_told("llama").await;
    program
        .until_metric("reports_total", &[("result", "done")], |n| n == 1.0)
        .await;
    program.ticks(20).await;
    let done = |asked: Vec<(String, u16)>| {
        asked
            .into_iter()
            .filter(|(_, code)| (200..300).contains(code))
            .count()
    };
    assert_eq!(done(world.asked("patch", "variantautoscalings/status")), 1);
    assert_eq!(world.events().await.len(), 2);
    program
        .log
        .said("Could not report a wake; trying again", |line| {
            line.field("what") == "status"
        })
        .await;
}

/// The copy that wakes dies when only the status is left to write; the other one writes it.
async fn waker_dies_before_the_status(world: &World) {
    world.cluster.kube().fail_once(status(), Effect::Hang);
    waker_dies_at(world, status()).await;
}

/// The copy that wakes dies before it has told anything; the other one tells it all.
async fn waker_dies_before_any_report(world: &World) {
    let both_events = Fault {
        matches: events(),
        times: Some(2),
        effect: Effect::Hang,
    };
    world.cluster.kube().add_fault(both_events);
    waker_dies_at(world, events()).await;
}

/// There is only one copy, and its next start tells of what it did before it died.
async fn lone_waker_dies(world: &World) {
    world.cluster.kube().add_fault(Fault {
        matches: events(),
        times: Some(2),
        effect: Effect::Hang,
    });
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let mut first = world.program("first").ready().await;
    world.until_asked("create", "events", 2).await;
    first.kill().await;
    let again = world.program("again").ready().await;
    world.until_told("llama").await;
    again
        .until_metric("reports_total", &[("result", "done")], |n| n == 1.0)
        .await;
    assert_eq!(world.events().await.len(), 2);
    assert_eq!(world.asked("patch", "deployments/scale"), [("llama".into(), 200)]);
}

/// The waker's next write hangs, and it dies with it.
async fn waker_dies_at(world: &World, stuck: Match) {
    let kube = world.cluster.kube();
    world.create(parked("llama", "llama")).await;
    let mut copies = [
        world.program("one").ready().await,
        world.program("other").ready().await,
    ];
    world.ask("llama", "llama", 1);
    wait::in_time("it is stuck", kube.until(|kube| kube.requests_like(&stuck).pop())).await;
    let waker = wait::until("one of the two has woken it", async || {
        copies.iter().position(|copy| !copy.log.all(WOKEN).is_empty())
    })
    .await;
    copies[waker].kill().await;
    world.until_told("llama").await;
    let left = &copies[1 - waker];
    left.until_metric("reports_total", &[("result", "done")], |n| n == 1.0)
        .await;
    left.ticks(20).await;
    assert!(left.log.all(WOKEN).is_empty());
    assert_eq!(world.events().await.len(), 2);
    let accepted = |asked: Vec<(String, u16)>| asked.iter().filter(|(_, code)| *code == 200).count();
    assert_eq!(accepted(world.asked("patch", "variantautoscalings/status")), 1);
    assert_eq!(accepted(world.asked("patch", "deployments/scale")), 1);
}
