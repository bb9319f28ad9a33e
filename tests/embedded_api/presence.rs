//! Kinds that are missing, appear, and go.

use futures::StreamExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use scale_from_zero::demo::kubernetes::Resource;

use crate::{refusal, soon, start, variant, variants};

#[tokio::test]
async fn an_absent_kind_is_a_page_not_found() {
    let (kube, client) = start().await;
    kube.set_present(Resource::VariantAutoscalings, false);
    let api = variants(&client, "default");
    let status = refusal(api.list(&ListParams::default()).await);
    assert_eq!(status.code, 404);
    // The real server answers in plain text, of which kube's client makes this.
    assert!(
        status.message.contains("404 page not found"),
        "{}",
        status.message
    );
    let status = refusal(api.watch(&WatchParams::default(), "1").await.map(|_| ()));
    assert_eq!(status.code, 404);
    assert!(kube.apply(variant("default", "llama")).is_err());

    kube.set_present(Resource::VariantAutoscalings, true);
    let list = api.list(&ListParams::default()).await.unwrap();
    assert_eq!(list.items.len(), 0);
    kube.apply(variant("default", "llama")).unwrap();
    let from = list.metadata.resource_version.unwrap();
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert!(matches!(soon(watch.next()).await, Some(Ok(WatchEvent::Added(_)))));
}

#[tokio::test]
async fn a_kind_goes_with_its_objects_and_its_watches() {
    let (kube, client) = start().await;
    kube.apply(variant("default", "llama")).unwrap();
    let api = variants(&client, "default");
    let from = api
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    kube.set_present(Resource::VariantAutoscalings, false);
    assert!(matches!(
        soon(watch.next()).await,
        Some(Ok(WatchEvent::Deleted(_)))
    ));
    assert!(soon(watch.next()).await.is_none());

    kube.set_present(Resource::VariantAutoscalings, true);
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 0);
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert!(matches!(soon(watch.next()).await, Some(Ok(WatchEvent::Error(status))) if status.code == 410));
}

#[tokio::test]
async fn other_paths_are_not_there() {
    let (_kube, client) = start().await;
    for path in [
        "/apis/absent.example/v1/things",
        "/apis/apps/v1/daemonsets",
        "/nope",
    ] {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        let status = refusal(client.request::<serde_json::Value>(request).await);
        assert_eq!(status.code, 404, "{path}");
    }
    let request = http::Request::post("/apis/apps/v1/deployments")
        .body(b"{}".to_vec())
        .unwrap();
    assert_eq!(
        refusal(client.request::<serde_json::Value>(request).await).code,
        405
    );
}
