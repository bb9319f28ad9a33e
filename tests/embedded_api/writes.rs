//! Writes: what they change, and what they are refused for.

use k8s_openapi::api::{authorization::v1::SelfSubjectAccessReview, events::v1::Event};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, PostParams},
};
use scale_from_zero::demo::kubernetes::{Effect, Match, Resource, Verb};
use serde_json::{Value, json};

use crate::{deployment, deployments, merge, refusal, start, variant, variants};

#[tokio::test]
async fn a_stale_version_is_a_conflict_everywhere() {
    let (kube, client) = start().await;
    let old = kube.apply(deployment("default", "llama", 0)).unwrap();
    kube.update(Resource::Deployments, "default", "llama", |object| {
        object["spec"]["replicas"] = 1.into();
    })
    .unwrap();
    let api = deployments(&client, "default");
    let version = &old["metadata"]["resourceVersion"];
    let (how, patch) = merge(json!({"metadata": {"resourceVersion": version, "labels": {"a": "b"}}}));
    assert_eq!(refusal(api.patch("llama", &how, &patch).await).reason, "Conflict");
    assert_eq!(
        refusal(api.patch_status("llama", &how, &patch).await).reason,
        "Conflict"
    );
    let stale = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(
        refusal(api.replace("llama", &PostParams::default(), &stale).await).reason,
        "Conflict"
    );
    let mut fresh = stale.clone();
    fresh.metadata.resource_version = None;
    api.replace("llama", &PostParams::default(), &fresh)
        .await
        .unwrap();
}

#[tokio::test]
async fn versions_and_generations() {
    let (kube, client) = start().await;
    let old = kube.apply(deployment("default", "llama", 0)).unwrap();
    let api = deployments(&client, "default");
    let step = async |patch: Value| {
        let (how, patch) = merge(patch);
        let object = api.patch("llama", &how, &patch).await.unwrap();
        (
            object.metadata.resource_version.unwrap(),
            object.metadata.generation.unwrap(),
        )
    };
    let first = old["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    assert_eq!(
        step(json!({"spec": {"replicas": 0}})).await,
        (first.clone(), 1),
        "no change, no version"
    );
    // Status is not this resource's to change.
    assert_eq!(
        step(json!({"status": {"readyReplicas": 1}})).await,
        (first.clone(), 1)
    );
    let (labelled, generation) = step(json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_ne!((labelled, generation), (first, 1));
    assert_eq!(generation, 1, "labels make no generation");
    assert_eq!(
        step(json!({"metadata": {"annotations": {"a": "b"}}})).await.1,
        2,
        "annotations of Deployments do"
    );
    assert_eq!(step(json!({"spec": {"replicas": 1}})).await.1, 3);
    assert_eq!(
        step(json!({"spec": {"replicas": null}})).await.1,
        3,
        "one is the default"
    );
}

#[tokio::test]
async fn the_status_of_a_target_has_its_own_way_in() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    let (how, patch) = merge(json!({
        "metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}},
        "spec": {"replicas": 7},
        "status": {"replicas": 1, "readyReplicas": 1},
    }));
    let object = deployments(&client, "default")
        .patch_status("llama", &how, &patch)
        .await
        .unwrap();
    assert_eq!(object.status.unwrap().ready_replicas, Some(1));
    assert_eq!(object.spec.unwrap().replicas, Some(0));
    // As the real server has it: through the status of a Deployment annotations change, labels do not.
    assert_eq!(
        (object.metadata.labels, object.metadata.annotations.unwrap().len()),
        (None, 1)
    );
    assert_eq!(object.metadata.generation, Some(1));
}

fn woken() -> Value {
    json!({
        "desiredOptimizedAlloc": {"numReplicas": 1, "accelerator": "H100", "lastRunTime": "2026-01-01T00:00:00Z"},
        "actuation": {"applied": true},
        "conditions": [{
            "type": "MetricsAvailable", "status": "True", "reason": "ScaleFromZero",
            "message": "Scaled from zero due to pending requests", "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    })
}

#[tokio::test]
async fn the_status_of_a_variant() {
    let (kube, client) = start().await;
    let mut manifest = variant("default", "llama");
    manifest["status"] = json!({"actuation": {"applied": false}});
    let api = variants(&client, "default");
    let posted: DynamicObject = serde_json::from_value(manifest).unwrap();
    let created = api.create(&PostParams::default(), &posted).await.unwrap();
    assert_eq!(created.data.get("status"), None, "a new object has no status");
    assert_eq!(created.data["spec"]["variantCost"], "10.0", "the CRD's default");

    let (how, patch) = merge(json!({
        "metadata": {"labels": {"a": "b"}}, "spec": {"modelID": "other"}, "status": woken(),
    }));
    let object = api.patch_status("llama", &how, &patch).await.unwrap();
    assert_eq!(object.data["status"], woken());
    assert_eq!(object.data["spec"]["modelID"], "meta/llama-3.1-8b");
    assert_eq!(
        (object.metadata.labels, object.metadata.generation),
        (None, Some(1))
    );

    // Merged by key; what the CRD does not know is gone.
    let (how, patch) = merge(json!({"status": {"actuation": {"applied": false}, "unknown": 1}}));
    let object = api.patch_status("llama", &how, &patch).await.unwrap();
    let mut expected = woken();
    expected["actuation"]["applied"] = false.into();
    assert_eq!(object.data["status"], expected);
    assert!(
        kube.get(Resource::VariantAutoscalings, "default", "llama")
            .is_some()
    );
}

#[tokio::test]
async fn a_status_that_the_crd_refuses() {
    let (kube, client) = start().await;
    kube.apply(variant("default", "llama")).unwrap();
    let api = variants(&client, "default");
    for (status, field) in [
        (
            json!({"desiredOptimizedAlloc": {"numReplicas": 1}}),
            "status.desiredOptimizedAlloc.accelerator",
        ),
        (
            json!({"desiredOptimizedAlloc": {"accelerator": "H100"}}),
            "status.desiredOptimizedAlloc.numReplicas",
        ),
        (
            json!({"desiredOptimizedAlloc": {"numReplicas": 1, "accelerator": "H"}}),
            "status.desiredOptimizedAlloc.accelerator",
        ),
        (
            json!({"desiredOptimizedAlloc": {"numReplicas": -1, "accelerator": "H100"}}),
            "status.desiredOptimizedAlloc.numReplicas",
        ),
        (
            json!({"desiredOptimizedAlloc": {"numReplicas": "1", "accelerator": "H100"}}),
            "status.desiredOptimizedAlloc.numReplicas",
        ),
        (
            json!({"desiredOptimizedAlloc": {"numReplicas": 1, "accelerator": "H100", "lastRunTime": "now"}}),
            "status.desiredOptimizedAlloc.lastRunTime",
        ),
        (json!({"actuation": {}}), "status.actuation.applied"),
        (json!({"conditions": {}}), "status.conditions"),
    ] {
        let (how, patch) = merge(json!({"status": status}));
        let refusal = refusal(api.patch_status("llama", &how, &patch).await);
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (422, "Invalid"),
            "{status}"
        );
        assert_eq!(refusal.details.unwrap().causes[0].field, field, "{status}");
    }
    for (key, value) in [
        ("type", Value::Null),
        ("status", Value::Null),
        ("reason", Value::Null),
        ("message", Value::Null),
        ("lastTransitionTime", Value::Null),
        ("status", "true".into()),
        ("reason", "".into()),
        ("reason", "two words".into()),
        ("lastTransitionTime", "yesterday".into()),
    ] {
        let mut condition = woken()["conditions"][0].clone();
        condition[key] = value;
        let (how, patch) = merge(json!({"status": {"conditions": [condition]}}));
        let refusal = refusal(api.patch_status("llama", &how, &patch).await);
        assert_eq!(
            refusal.details.unwrap().causes[0].field,
            format!("status.conditions[0].{key}")
        );
    }
    let twice = json!([woken()["conditions"][0], woken()["conditions"][0]]);
    let (how, patch) = merge(json!({"status": {"conditions": twice}}));
    assert_eq!(refusal(api.patch_status("llama", &how, &patch).await).code, 422);
}

#[tokio::test]
async fn a_create_is_once() {
    let (_kube, client) = start().await;
    let api = deployments(&client, "default");
    let object = serde_json::from_value(deployment("default", "llama", 0)).unwrap();
    let created = api.create(&PostParams::default(), &object).await.unwrap();
    assert!(created.metadata.uid.is_some() && created.metadata.creation_timestamp.is_some());
    let status = refusal(api.create(&PostParams::default(), &object).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(status.message, "deployments.apps \"llama\" already exists");
    let elsewhere = serde_json::from_value(deployment("nowhere", "llama", 0)).unwrap();
    let status = refusal(
        deployments(&client, "nowhere")
            .create(&PostParams::default(), &elsewhere)
            .await,
    );
    assert_eq!(
        (status.code, status.message.as_str()),
        (404, "namespaces \"nowhere\" not found")
    );
    api.delete("llama", &DeleteParams::default()).await.unwrap();
    assert_eq!(
        refusal(api.delete("llama", &DeleteParams::default()).await).code,
        404
    );
}

#[tokio::test]
async fn events_are_created_once_by_name() {
    let (kube, client) = start().await;
    let event = |name: &str| {
        json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"},
            "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "action": "Wake",
            "reason": "ScaledFromZero", "note": "5 requests waiting",
            "reportingController": "scale-from-zero", "reportingInstance": "scale-from-zero-0",
            "regarding": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama", "namespace": "default"},
        })
    };
    let api: Api<Event> = Api::default_namespaced(client);
    let create = async |event: Value| {
        api.create(&PostParams::default(), &serde_json::from_value(event).unwrap())
            .await
    };
    create(event("llama.1")).await.unwrap();
    let status = refusal(create(event("llama.1")).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(kube.list(Resource::Events).len(), 1);

    for (field, value) in [
        ("eventTime", Value::Null),
        ("reportingController", Value::Null),
        ("reportingController", "no name".into()),
        ("reportingInstance", Value::Null),
        ("action", Value::Null),
        ("reason", "x".repeat(129).into()),
        ("note", "x".repeat(1025).into()),
        ("type", "Info".into()),
        ("regarding", json!({"kind": "Deployment", "name": "llama"})),
    ] {
        let mut bad = event("llama.2");
        bad[field] = value;
        bad["metadata"]["namespace"] = "default".into();
        // What has no namespace may be reported in `default`.
        let code = create(bad)
            .await
            .map_or_else(|error| refusal::<()>(Err(error)).code, |_| 201);
        assert_eq!(code, if field == "regarding" { 201 } else { 422 }, "{field}");
    }
    assert_eq!(
        refusal(create(event("Llama_8B")).await).code,
        422,
        "a name is a DNS name"
    );
}

#[tokio::test]
async fn access_reviews_tell_what_is_forbidden() {
    let (kube, client) = start().await;
    kube.fail(
        Match::verb(Verb::List).on(Resource::Namespaces),
        Effect::Forbidden,
    );
    let api: Api<SelfSubjectAccessReview> = Api::all(client);
    for (resource, group, allowed) in [("namespaces", "", false), ("deployments", "apps", true)] {
        let review =
            json!({"spec": {"resourceAttributes": {"verb": "list", "group": group, "resource": resource}}});
        let review = serde_json::from_value(review).unwrap();
        let answer = api.create(&PostParams::default(), &review).await.unwrap();
        assert_eq!(answer.status.unwrap().allowed, allowed, "{resource}");
    }
}
