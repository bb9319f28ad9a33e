//! Discovery: what kinds there are. The shared suite holds its answers to the real server's.

use kube::{
    api::GroupVersionKind,
    discovery::{Scope, oneshot, pinned_kind, verbs},
};
use scale_from_zero::demo::kubernetes::Resource;
use serde_json::Value;

use crate::{raw_json, refusal, start};

#[tokio::test]
async fn kube_finds_a_kind_with_its_parts() {
    let (kube, client) = start().await;
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout");
    let (resource, capabilities) = pinned_kind(&client, &kind).await.unwrap();
    assert_eq!(resource.plural, "rollouts");
    assert!(matches!(capabilities.scope, Scope::Namespaced));
    assert!(capabilities.supports_operation(verbs::PATCH));
    let mut parts: Vec<_> = capabilities
        .subresources
        .iter()
        .map(|(part, _)| part.plural.as_str())
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, ["scale", "status"]);
    assert_eq!(kube.discoveries(), ["/apis/argoproj.io/v1alpha1"]);
    assert_eq!(kube.requests().len(), 0);

    let group = oneshot::group(&client, "autoscaling").await.unwrap();
    assert_eq!(group.preferred_version(), Some("v2"));
    let (_, capabilities) = group.recommended_kind("HorizontalPodAutoscaler").unwrap();
    assert_eq!(capabilities.subresources.len(), 1);
    kube.clear_requests();
    assert!(kube.discoveries().is_empty());
}

#[tokio::test]
async fn kinds_come_and_go() {
    let (kube, client) = start().await;
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout");
    kube.set_present(Resource::Rollouts, false);
    assert_eq!(refusal(pinned_kind(&client, &kind).await.map(|_| ())).code, 404);
    let groups = raw_json(&client, "/apis").await;
    let named = |groups: &Value, name: &str| {
        let groups = groups["groups"].as_array().unwrap();
        groups.iter().any(|group| group["name"] == name)
    };
    assert!(named(&groups, "apps") && !named(&groups, "argoproj.io") && !named(&groups, ""));
    kube.set_present(Resource::Rollouts, true);
    pinned_kind(&client, &kind).await.unwrap();
    assert!(named(&raw_json(&client, "/apis").await, "argoproj.io"));
    assert_eq!(raw_json(&client, "/api").await["versions"][0], "v1");
}

#[tokio::test]
async fn what_is_missing_is_missing_as_on_the_real_server() {
    let (_kube, client) = start().await;
    for (path, words) in [
        ("/apis/absent.example", "404 page not found"),
        ("/apis/absent.example/v1", "404 page not found"),
        ("/apis/keda.sh/v2", "404 page not found"),
        (
            "/apis/apps/v2",
            "the server could not find the requested resource",
        ),
    ] {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        let status = refusal(client.request::<Value>(request).await);
        assert_eq!(status.code, 404, "{path}");
        assert!(status.message.contains(words), "{path}: {}", status.message);
    }
    let request = http::Request::post("/apis/apps/v1").body(b"{}".to_vec()).unwrap();
    assert_eq!(refusal(client.request::<Value>(request).await).code, 405);
}
