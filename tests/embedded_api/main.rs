//! The embedded servers of the demo, and the demo itself. The Kubernetes API is tried through kube's
//! own client: the shared suite holds it to the real server; here each thing it does, and each fault
//! it can play, is tried by itself.

#![cfg(feature = "demo")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod console;
mod discovery;
mod faults;
mod leases;
mod lists;
mod ownership;
mod presence;
mod prometheus;
mod scales;
mod story;
mod watches;
mod writes;

use std::{future::Future, time::Duration};

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
    core::Status,
};
use scale_from_zero::demo::kubernetes::Kube;
use serde_json::{Value, json};

/// Nothing here should take any time; what takes this long will never happen.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("it should have happened long since")
}

async fn start() -> (Kube, Client) {
    let kube = Kube::start().await.unwrap();
    let client = client(&kube);
    (kube, client)
}

fn client(kube: &Kube) -> Client {
    let mut config = kube.client_config().unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "vllm", "image": "vllm"}]},
            },
        },
    })
}

fn variant(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "llmd.ai/v1alpha1", "kind": "VariantAutoscaling",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": name}, "modelID": "meta/llama-3.1-8b"},
    })
}

fn deployments(client: &Client, namespace: &str) -> Api<Deployment> {
    Api::namespaced(client.clone(), namespace)
}

fn variants(client: &Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("llmd.ai", "v1alpha1", "VariantAutoscaling");
    let resource = ApiResource::from_gvk_with_plural(&kind, "variantautoscalings");
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// A merge patch, as kube's calls take it.
fn merge(body: Value) -> (PatchParams, Patch<Value>) {
    (PatchParams::default(), Patch::Merge(body))
}

/// The refusal in an error of kube's.
fn refusal<T: std::fmt::Debug>(result: Result<T, kube::Error>) -> Status {
    match result {
        Err(kube::Error::Api(status)) => *status,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// The body of any request, as text.
async fn raw(client: &Client, path: &str) -> String {
    client
        .request_text(http::Request::get(path).body(Vec::new()).unwrap())
        .await
        .unwrap()
}

async fn raw_json(client: &Client, path: &str) -> Value {
    serde_json::from_str(&raw(client, path).await).unwrap()
}

#[tokio::test]
async fn instances_know_nothing_of_each_other() {
    let ((one, _), (other, client)) = (start().await, start().await);
    one.apply(deployment("default", "llama", 0)).unwrap();
    assert!(
        deployments(&client, "default")
            .get_opt("llama")
            .await
            .unwrap()
            .is_none()
    );
    one.shutdown();
    deployments(&client, "default")
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    assert_eq!(other.requests().len(), 2);
}

#[tokio::test]
async fn a_kubeconfig_leads_to_it() {
    let (kube, _) = start().await;
    let config = kube::config::Kubeconfig::from_yaml(&kube.kubeconfig()).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options)
        .await
        .unwrap();
    let client = Client::try_from(config).unwrap();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "37");
}

#[tokio::test]
async fn shutdown_ends_everything() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let mut watch = Box::pin(api.watch(&kube::api::WatchParams::default(), "0").await.unwrap());
    kube.shutdown();
    soon(async { while let Some(Ok(_)) = futures::StreamExt::next(&mut watch).await {} }).await;
    assert!(soon(api.get_opt("llama")).await.is_err());
}
