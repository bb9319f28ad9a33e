//! `/scale`: what it shows, what a write of it does, and what it is refused for.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use scale_from_zero::demo::kubernetes::Resource;
use serde_json::json;

use crate::{deployment, deployments, merge, raw_json, refusal, start};

const SCALE: &str = "/apis/apps/v1/namespaces/default/deployments/llama/scale";

#[tokio::test]
async fn a_scale_from_zero() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    let api = deployments(&client, "default");
    let at_zero = raw_json(&client, SCALE).await;
    assert_eq!(at_zero["spec"], json!({}), "at zero there is no spec.replicas");
    assert_eq!(at_zero["status"], json!({"replicas": 0, "selector": "app=llama"}));
    let version = at_zero["metadata"]["resourceVersion"].as_str().unwrap();

    let (how, patch) = merge(json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": 1}}));
    let scale = api.patch_scale("llama", &how, &patch).await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
    assert_ne!(scale.metadata.resource_version.as_deref(), Some(version));
    let woken = api.get("llama").await.unwrap();
    assert_eq!(
        (woken.spec.unwrap().replicas, woken.metadata.generation),
        (Some(1), Some(2))
    );

    // The same again is a lost race, even though it would change nothing.
    let status = refusal(api.patch_scale("llama", &how, &patch).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        status.message,
        "Operation cannot be fulfilled on deployments.apps \"llama\": the object has been modified; \
         please apply your changes to the latest version and try again"
    );
    let details = status.details.unwrap();
    assert_eq!(
        (
            details.kind.as_str(),
            details.group.as_str(),
            details.name.as_str()
        ),
        ("deployments", "apps", "llama")
    );

    // Without a version it is not compared.
    let (how, patch) = merge(json!({"spec": {"replicas": 3}}));
    api.patch_scale("llama", &how, &patch).await.unwrap();
    assert_eq!(api.get("llama").await.unwrap().spec.unwrap().replicas, Some(3));
    let (how, patch) = merge(json!({"spec": {"replicas": -1}}));
    assert_eq!(refusal(api.patch_scale("llama", &how, &patch).await).code, 422);
    assert_eq!(refusal(api.patch_scale("mixtral", &how, &patch).await).code, 404);
}

#[tokio::test]
async fn a_stateful_set_scales_too() {
    let (kube, client) = start().await;
    let mut set = deployment("default", "qwen", 0);
    set["kind"] = "StatefulSet".into();
    kube.apply(set).unwrap();
    let api: Api<StatefulSet> = Api::default_namespaced(client);
    let version = api.get("qwen").await.unwrap().metadata.resource_version;
    let (how, patch) = merge(json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": 1}}));
    api.patch_scale("qwen", &how, &patch).await.unwrap();
    let status = refusal(api.patch_scale("qwen", &how, &patch).await);
    assert!(
        status
            .message
            .starts_with("Operation cannot be fulfilled on statefulsets.apps \"qwen\"")
    );
}

#[tokio::test]
async fn a_custom_kind_scales_too() {
    let (kube, client) = start().await;
    let mut rollout = deployment("default", "llama", 0);
    rollout["apiVersion"] = "argoproj.io/v1alpha1".into();
    rollout["kind"] = "Rollout".into();
    rollout["spec"].as_object_mut().unwrap().remove("replicas");
    kube.apply(rollout).unwrap();
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout");
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
    // The CRD gives no default: without replicas there is no Scale to see, but one to write.
    let status = refusal(api.get_scale("llama").await);
    assert_eq!((status.code, status.reason.as_str()), (500, "InternalError"));
    assert_eq!(
        status.message,
        "Internal error occurred: the spec replicas field \".spec.replicas\" does not exist"
    );
    let (how, patch) = merge(json!({"spec": {"replicas": 1}}));
    let scale = api.patch_scale("llama", &how, &patch).await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
    kube.update(Resource::Rollouts, "default", "llama", |object| {
        object["status"] = json!({"HPAReplicas": 3, "selector": "app=llama"});
    })
    .unwrap();
    let status = api.get_scale("llama").await.unwrap().status.unwrap();
    assert_eq!(
        (status.replicas, status.selector.as_deref()),
        (3, Some("app=llama"))
    );
    let (how, patch) = merge(json!({"spec": {"replicas": -1}}));
    for refused in [
        refusal(api.patch_scale("llama", &how, &patch).await),
        refusal(api.patch("llama", &how, &patch).await),
    ] {
        assert_eq!(
            refused.message,
            "Rollout.argoproj.io \"llama\" is invalid: .spec.replicas: Invalid value: -1: should be a \
             non-negative integer"
        );
    }
}
