//! What the program reads off the API, tried without it: the embedded API answers as the real one does.

mod discovery;
mod owners;

use serde_json::{Value, json};

use crate::{
    cluster::{HPA, LEADER_WORKER_SET, POD, SCALED_OBJECT, Write},
    objects::{hpa, leader_worker_set, managed, pod, scaled_object, targeting, unschedulable},
    suite::Suite,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both_alone("api_owner_of_replicas", owners::owner_of_replicas);
    suite.both_alone("api_discovery", discovery::discovery);
    suite.both("api_autoscalers_refused", autoscalers_refused);
    suite.both("api_autoscalers_written", autoscalers_written);
    suite.both("api_scales_of_custom_kinds", scales_of_custom_kinds);
    suite.both("api_pods", pods);
}

/// HPAs, down to zero, and ScaledObjects: what they must have.
async fn autoscalers_refused(world: &World) {
    let (from_one, from_zero) = (hpa("refused", "a", 1, 3), hpa("refused", "a", 0, 3));
    let object = scaled_object("refused", "a", 0, 3);
    let none = json!({});
    for (of, at, value, expected) in [
        (
            &from_one,
            "/spec/maxReplicas",
            json!(0),
            "spec.maxReplicas FieldValueInvalid, spec.maxReplicas FieldValueRequired",
        ),
        (
            &from_zero,
            "/spec/scaleTargetRef",
            none.clone(),
            "spec.scaleTargetRef.apiVersion FieldValueInvalid, spec.scaleTargetRef.kind FieldValueRequired, \
             spec.scaleTargetRef.name FieldValueRequired",
        ),
        (
            &from_zero,
            "/spec/minReplicas",
            json!(4),
            "spec.maxReplicas FieldValueInvalid",
        ),
        (
            &from_zero,
            "/spec/minReplicas",
            json!(-1),
            "spec.minReplicas FieldValueInvalid",
        ),
        // Zero needs a metric that is there without pods.
        (
            &from_zero,
            "/spec/metrics",
            json!([]),
            "spec.metrics FieldValueForbidden",
        ),
        (&object, "/spec", Value::Null, "spec FieldValueRequired"),
        (
            &object,
            "/spec",
            none,
            "spec.scaleTargetRef FieldValueRequired, spec.triggers FieldValueRequired",
        ),
        (
            &object,
            "/spec/triggers",
            json!([]),
            "spec.triggers FieldValueInvalid",
        ),
        (
            &object,
            "/spec/triggers/0/metadata",
            json!({"threshold": 1}),
            "spec.triggers[0].metadata.threshold FieldValueTypeInvalid",
        ),
    ] {
        let mut object = of.clone();
        object["metadata"]["namespace"] = world.ns.as_str().into();
        *object.pointer_mut(at).expect("a field") = value;
        let refusal = world.cluster.admin.try_create(&object).await.expect_err(expected);
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (422, "Invalid"),
            "{refusal:?}"
        );
        let causes = refusal.details.expect("details").causes;
        let mut causes: Vec<_> = causes
            .iter()
            .map(|cause| format!("{} {}", cause.field, cause.reason))
            .collect();
        causes.sort_unstable();
        assert_eq!(causes.join(", "), expected);
    }
}

/// HPAs and ScaledObjects: what they are given, and what comes of a guard and of their controllers' writes.
async fn autoscalers_written(world: &World) {
    let mut plain = hpa("plain", "a", 0, 3);
    for field in ["minReplicas", "metrics"] {
        plain["spec"].as_object_mut().expect("a spec").remove(field);
    }
    world
        .create([
            plain,
            hpa("zero", "a", 0, 3),
            managed(scaled_object("so", "a", 0, 3), "llama", "5"),
            targeting(hpa("set", "a", 1, 3), LEADER_WORKER_SET, "b"),
        ])
        .await;
    let plain = world.get(HPA, "plain").await;
    assert_eq!(
        (&plain["spec"]["minReplicas"], &plain["metadata"]["generation"]),
        (&1.into(), &1.into())
    );
    let metric = &plain["spec"]["metrics"][0]["resource"];
    assert_eq!(metric["target"]["averageUtilization"], 80);
    assert_eq!(world.get(HPA, "zero").await["spec"]["minReplicas"], 0);
    assert_eq!(
        world.get(HPA, "set").await["spec"]["scaleTargetRef"]["kind"],
        "LeaderWorkerSet"
    );

    let annotated = json!({"metadata": {"annotations": {"a": "b"}}});
    world.patch(SCALED_OBJECT, "so", &annotated).await;
    let mut guard = annotated;
    guard["spec"] = json!({"minReplicas": 1});
    world.patch(HPA, "zero", &guard).await;
    let acted = json!({"spec": {"minReplicas": 0}, "status": {"lastScaleTime": "2026-01-01T00:00:00Z"}});
    world.patch_status(HPA, "zero", &acted).await;
    let named = json!({"status": {"hpaName": "keda-hpa-so"}});
    world.patch_status(SCALED_OBJECT, "so", &named).await;
    let guarded = world.get(HPA, "zero").await;
    assert_eq!(
        (
            &guarded["spec"]["minReplicas"],
            &guarded["metadata"]["generation"]
        ),
        (&1.into(), &2.into())
    );
    assert_eq!(guarded["status"]["lastScaleTime"], "2026-01-01T00:00:00Z");
    let so = world.get(SCALED_OBJECT, "so").await;
    assert_eq!(so["metadata"]["annotations"]["llm-d.ai/model-id"], "llama");
    assert_eq!(
        (&so["status"]["hpaName"], &so["metadata"]["generation"]),
        (&"keda-hpa-so".into(), &1.into())
    );
    // And back, as a guard ends.
    world
        .patch(HPA, "zero", &json!({"spec": {"minReplicas": 0}}))
        .await;
    assert_eq!(world.get(HPA, "zero").await["metadata"]["generation"], 3);
}

/// The scale of a LeaderWorkerSet as the CRD has it.
async fn scales_of_custom_kinds(world: &World) {
    let admin = &world.cluster.admin;
    let mut set = leader_worker_set("a", "a", 0);
    set["spec"].as_object_mut().expect("a spec").remove("replicas");
    world.create([set]).await;
    assert_eq!(world.replicas(LEADER_WORKER_SET, "a").await, 1, "the default");
    let path = LEADER_WORKER_SET.path(Some(&world.ns), Some("a"), Some("scale"));
    let status = json!({"status": {"replicas": 2, "readyReplicas": 1, "hpaPodSelector": "app=a"}});
    world.patch_status(LEADER_WORKER_SET, "a", &status).await;
    let scale = admin.look(&path).await.expect("its scale");
    assert_eq!(
        (&scale["kind"], &scale["spec"]),
        (&"Scale".into(), &json!({"replicas": 1}))
    );
    assert_eq!(scale["status"], json!({"replicas": 2, "selector": "app=a"}));
    let down = admin
        .write(Write::Merge, "m", &path, &json!({"spec": {"replicas": 0}}))
        .await;
    assert_eq!(down["spec"], json!({}), "at zero it does not say so");
    let set = world.get(LEADER_WORKER_SET, "a").await;
    assert_eq!(
        (&set["spec"]["replicas"], &set["metadata"]["generation"]),
        (&0.into(), &2.into())
    );
    let none = LEADER_WORKER_SET.path(Some(&world.ns), Some("none"), Some("scale"));
    assert_eq!(admin.look(&none).await.expect_err("no such set").code, 404);
    let mut bare = leader_worker_set("bare", "a", 0);
    bare["metadata"]["namespace"] = world.ns.as_str().into();
    bare["spec"]["leaderWorkerTemplate"] = json!({});
    let refusal = admin.try_create(&bare).await.expect_err("to be refused");
    assert_eq!(
        refusal.details.expect("details").causes[0].field,
        "spec.leaderWorkerTemplate.workerTemplate"
    );
}

/// Pods are found by their labels, and say for how long no node has taken them.
async fn pods(world: &World) {
    let mut other = pod("b", "a");
    other["metadata"]["labels"]["pod-template-hash"] = "1".into();
    world.create([pod("a", "a"), other, pod("c", "c")]).await;
    let admin = &world.cluster.admin;
    let names = async |selector: &str| {
        let path = format!(
            "{}?labelSelector={selector}",
            POD.path(Some(&world.ns), None, None)
        );
        let list = admin.look(&path).await.expect("a list");
        let items = list["items"].as_array().cloned().expect("items");
        items
            .iter()
            .map(|item| item["metadata"]["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("app%3Da").await, ["a", "b"]);
    assert_eq!(names("app%3Da%2Cpod-template-hash%3D1").await, ["b"]);
    assert_eq!(names("app%3Dnone").await, Vec::<Value>::new());
    assert_eq!(world.get(POD, "a").await["status"]["phase"], "Pending");
    world
        .patch_status(POD, "a", &unschedulable("2026-01-01T00:00:00Z"))
        .await;
    let stuck = world.get(POD, "a").await;
    let condition = &stuck["status"]["conditions"][0];
    assert_eq!(
        (&condition["reason"], &stuck["status"]["phase"]),
        (&"Unschedulable".into(), &"Pending".into())
    );
}
