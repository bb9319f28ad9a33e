//! Lists, in whole and in pages.

use kube::api::{Api, ListParams, VersionMatch};
use scale_from_zero::demo::kubernetes::{Kube, Resource};
use serde_json::json;

use crate::{deployment, deployments, raw_json, refusal, start, variant, variants};

fn names<T: kube::ResourceExt>(list: &[T]) -> Vec<String> {
    list.iter()
        .map(|object| format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()))
        .collect()
}

fn fill(kube: &Kube, count: u32) {
    for index in 0..count {
        kube.apply(deployment("default", &format!("llama-{index:05}"), 0))
            .unwrap();
    }
}

#[tokio::test]
async fn of_a_namespace_or_of_all() {
    let (kube, client) = start().await;
    for (namespace, name) in [("b", "y"), ("a", "z"), ("a", "x"), ("a-1", "w")] {
        kube.apply(deployment(namespace, name, 0)).unwrap();
    }
    let list = deployments(&client, "a")
        .list(&ListParams::default())
        .await
        .unwrap();
    assert_eq!(names(&list.items), ["a/x", "a/z"]);
    // In the order of etcd's keys, in which a dash comes before a slash.
    let all: Api<k8s_openapi::api::apps::v1::Deployment> = Api::all(client.clone());
    let list = all.list(&ListParams::default()).await.unwrap();
    assert_eq!(names(&list.items), ["a-1/w", "a/x", "a/z", "b/y"]);
    assert_eq!(kube.list(Resource::Deployments).len(), 4);
}

#[tokio::test]
async fn items_of_built_in_kinds_leave_out_their_type() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    kube.apply(variant("default", "llama")).unwrap();
    let list = raw_json(&client, "/apis/apps/v1/deployments").await;
    assert_eq!(
        (&list["kind"], &list["items"][0]["kind"]),
        (&"DeploymentList".into(), &().into())
    );
    assert_eq!(list["items"][0]["metadata"]["name"], "llama");
    let list = raw_json(&client, "/apis/llmd.ai/v1alpha1/variantautoscalings").await;
    assert_eq!(list["items"][0]["kind"], "VariantAutoscaling");
    assert_eq!(list["metadata"]["continue"], "");
}

#[tokio::test]
async fn pages_are_of_one_state() {
    let (kube, client) = start().await;
    fill(&kube, 5);
    let api = deployments(&client, "default");
    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(
        names(&first.items),
        ["default/llama-00000", "default/llama-00001"]
    );
    assert_eq!(first.metadata.remaining_item_count, Some(3));

    kube.apply(deployment("default", "llama-00001a", 0)).unwrap();
    kube.delete(Resource::Deployments, "default", "llama-00003")
        .unwrap();
    let mut seen = names(&first.items);
    let mut token = first.metadata.continue_.clone();
    while let Some(more) = token.filter(|token| !token.is_empty()) {
        let page = api
            .list(&ListParams::default().limit(2).continue_token(&more))
            .await
            .unwrap();
        assert_eq!(page.metadata.resource_version, first.metadata.resource_version);
        seen.extend(names(&page.items));
        token = page.metadata.continue_;
    }
    assert_eq!(seen.len(), 5);
    assert!(!seen.contains(&"default/llama-00001a".to_owned()));

    kube.compact();
    let late = ListParams::default()
        .limit(2)
        .continue_token(&first.metadata.continue_.unwrap());
    let status = refusal(api.list(&late).await);
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    let status = refusal(
        api.list(&ListParams::default().limit(2).continue_token("nonsense"))
            .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn ten_thousand_in_pages_of_a_hundred() {
    let (kube, client) = start().await;
    fill(&kube, 10_000);
    let api = deployments(&client, "default");
    let mut params = ListParams::default().limit(100);
    let mut count = 0;
    loop {
        let page = api.list(&params).await.unwrap();
        count += page.items.len();
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!((count, kube.requests().len()), (10_000, 100));
}

#[tokio::test]
async fn selected_by_field() {
    let (kube, client) = start().await;
    fill(&kube, 3);
    kube.apply(deployment("other", "llama-00001", 0)).unwrap();
    let all: Api<k8s_openapi::api::apps::v1::Deployment> = Api::all(client.clone());
    for (selector, found) in [
        (
            "metadata.name=llama-00001",
            vec!["default/llama-00001", "other/llama-00001"],
        ),
        (
            "metadata.name=llama-00001,metadata.namespace==other",
            vec!["other/llama-00001"],
        ),
        ("metadata.namespace!=default", vec!["other/llama-00001"]),
        ("metadata.name=mixtral", vec![]),
    ] {
        let list = all.list(&ListParams::default().fields(selector)).await.unwrap();
        assert_eq!(names(&list.items), found, "{selector}");
    }
    let page = all
        .list(&ListParams::default().limit(1).fields("metadata.name!=a"))
        .await
        .unwrap();
    assert_eq!(page.metadata.remaining_item_count, None);
    assert_eq!(
        refusal(all.list(&ListParams::default().fields("spec.replicas=0")).await).code,
        400
    );
}

#[tokio::test]
async fn selected_by_label() {
    let (kube, client) = start().await;
    for (name, labels) in [
        ("a", json!({"app": "x", "role": "decode"})),
        ("b", json!({"app": "x"})),
        ("c", json!({"app": "y", "role": "decode"})),
        ("d", json!({})),
    ] {
        let mut object = deployment("default", name, 0);
        object["metadata"]["labels"] = labels;
        kube.apply(object).unwrap();
    }
    let api = deployments(&client, "default");
    for (selector, found) in [
        ("app=x", vec!["default/a", "default/b"]),
        ("app==x,role=decode", vec!["default/a"]),
        (" app = x , role != decode ", vec!["default/b"]),
        ("app!=x", vec!["default/c", "default/d"]),
        ("app=", vec![]),
    ] {
        let list = api.list(&ListParams::default().labels(selector)).await.unwrap();
        assert_eq!(names(&list.items), found, "{selector}");
    }
    let page = api
        .list(&ListParams::default().limit(1).labels("app=x"))
        .await
        .unwrap();
    assert_eq!(page.metadata.remaining_item_count, None);
    // Nonsense, and what is not played here: rather than the wrong answer, none.
    for selector in ["=x", "app=x,", "app=x y", "app", "app in (x,y)"] {
        let refused = refusal(api.list(&ListParams::default().labels(selector)).await);
        assert_eq!(refused.code, 400, "{selector}");
    }
}

#[tokio::test]
async fn of_a_version() {
    let (kube, client) = start().await;
    fill(&kube, 3);
    let api = deployments(&client, "default");
    let list = api.list(&ListParams::default()).await.unwrap();
    let version = list.metadata.resource_version.unwrap();
    fill(&kube, 4);
    // "Any" version comes from a cache, which knows no pages.
    let list = raw_json(&client, "/apis/apps/v1/deployments?limit=1&resourceVersion=0").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
    let newer = ListParams::default()
        .at(&version)
        .matching(VersionMatch::NotOlderThan);
    assert_eq!(api.list(&newer).await.unwrap().items.len(), 4);

    let status = refusal(api.list(&ListParams::default().at("99999999")).await);
    assert_eq!((status.code, status.reason.as_str()), (504, "Timeout"));
    assert_eq!(status.details.unwrap().retry_after_seconds, 1);
    assert_eq!(
        refusal(api.list(&ListParams::default().at("abc")).await).code,
        400
    );
    let exactly = ListParams::default().at(&version).matching(VersionMatch::Exact);
    assert_eq!(refusal(api.list(&exactly).await).code, 410);
}

#[tokio::test]
async fn namespaces_have_none() {
    let (kube, client) = start().await;
    kube.apply(variant("team-a", "llama")).unwrap();
    let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
    let list = api.list(&ListParams::default()).await.unwrap();
    assert_eq!(names(&list.items), ["/default", "/team-a"]);
    let labels = list.items[1].metadata.labels.clone().unwrap();
    assert_eq!(labels["kubernetes.io/metadata.name"], "team-a");
    assert!(
        variants(&client, "team-a")
            .get_opt("llama")
            .await
            .unwrap()
            .is_some()
    );
}
