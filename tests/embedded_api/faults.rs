//! Each fault, and what kube's client makes of it.

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use kube::api::{ListParams, Patch, PatchParams, WatchParams};
use scale_from_zero::demo::kubernetes::{Effect, Fault, Match, Resource, Subresource, Verb};
use serde_json::json;

use crate::{deployment, deployments, refusal, soon, start};

fn scales() -> Match {
    Match::verb(Verb::Patch)
        .on(Resource::Deployments)
        .part(Subresource::Scale)
}

fn busy() -> Effect {
    Effect::Status {
        code: 429,
        reason: "TooManyRequests".into(),
        retry_after: Some(3),
    }
}

#[tokio::test]
async fn a_refusal_befalls_what_it_matches_as_often_as_it_should() {
    let (kube, client) = start().await;
    for (namespace, name) in [("default", "llama"), ("default", "mixtral"), ("other", "llama")] {
        kube.apply(deployment(namespace, name, 0)).unwrap();
    }
    let scale = async |namespace: &str, name: &str| {
        let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
        deployments(&client, namespace)
            .patch_scale(name, &PatchParams::default(), &patch)
            .await
    };
    let matches = scales().within("default").named("llama");
    kube.add_fault(Fault {
        matches,
        times: Some(2),
        effect: busy(),
    });
    scale("default", "mixtral").await.unwrap();
    scale("other", "llama").await.unwrap();
    deployments(&client, "default").get("llama").await.unwrap();
    for _ in 0..2 {
        let status = refusal(scale("default", "llama").await);
        assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
        assert_eq!(status.details.unwrap().retry_after_seconds, 3);
    }
    assert_eq!(
        kube.get(Resource::Deployments, "default", "llama").unwrap()["spec"]["replicas"],
        0
    );
    scale("default", "llama").await.unwrap();
}

#[tokio::test]
async fn a_refusal_ends_when_it_is_removed() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let fault = kube.fail(Match::any(), busy());
    assert_eq!(refusal(api.list(&ListParams::default()).await).code, 429);
    kube.remove_fault(fault);
    api.list(&ListParams::default()).await.unwrap();
    kube.fail(Match::any(), busy());
    kube.clear_faults();
    api.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn retry_after_is_a_header_too() {
    let (kube, _) = start().await;
    kube.fail(Match::any(), busy());
    let answer = reqwest::get(format!("{}/apis/apps/v1/deployments", kube.url()))
        .await
        .unwrap();
    assert_eq!(answer.headers()["retry-after"], "3");
}

#[tokio::test]
async fn what_is_forbidden_is_said_in_the_words_of_rbac() {
    let (kube, client) = start().await;
    // A Role instead of a ClusterRole: nothing across the cluster.
    kube.fail(Match::any().within(""), Effect::Forbidden);
    kube.fail(scales(), Effect::Forbidden);
    let all: kube::Api<k8s_openapi::api::apps::v1::Deployment> = kube::Api::all(client.clone());
    let status = refusal(all.list(&ListParams::default()).await);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert_eq!(
        status.message,
        "deployments.apps is forbidden: User \"embedded\" cannot list resource \"deployments\" \
         in API group \"apps\" at the cluster scope"
    );
    let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
    let api = deployments(&client, "default");
    let status = refusal(api.patch_scale("llama", &PatchParams::default(), &patch).await);
    assert_eq!(
        status.message,
        "deployments.apps \"llama\" is forbidden: User \"embedded\" cannot patch resource \
         \"deployments/scale\" in API group \"apps\" in the namespace \"default\""
    );
    api.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_hang_answers_nothing() {
    let (kube, client) = start().await;
    kube.fail_once(Match::verb(Verb::Get), Effect::Hang);
    let api = deployments(&client, "default");
    {
        let mut request = pin!(api.get_opt("llama"));
        let arrived = kube.until(|kube| (kube.requests().len() == 1).then_some(()));
        tokio::select! {
            answer = &mut request => panic!("{answer:?}"),
            () = soon(arrived) => {}
        }
    }
    // Given up by the client, it is noted as without an answer.
    let zero = |kube: &scale_from_zero::demo::kubernetes::Kube| {
        let key = (Verb::Get, Resource::Deployments, Subresource::Main, 0);
        (kube.counters().get(&key) == Some(&1)).then_some(())
    };
    soon(kube.until(zero)).await;
    assert!(soon(api.get_opt("llama")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_cut_before_and_a_cut_after() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    let api = deployments(&client, "default");
    let replicas =
        || kube.get(Resource::Deployments, "default", "llama").unwrap()["spec"]["replicas"].clone();
    let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
    for (effect, after) in [(Effect::Drop, 0), (Effect::ApplyThenDrop, 1)] {
        kube.fail_once(scales(), effect);
        let answer = soon(api.patch_scale("llama", &PatchParams::default(), &patch)).await;
        assert!(!matches!(answer, Ok(_) | Err(kube::Error::Api(_))), "{answer:?}");
        assert_eq!(replicas(), after);
    }
    assert_eq!(
        kube.counters()[&(Verb::Patch, Resource::Deployments, Subresource::Scale, 0)],
        2
    );
    api.patch_scale("llama", &PatchParams::default(), &patch)
        .await
        .unwrap();
}

#[tokio::test]
async fn half_an_answer() {
    let (kube, _) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    kube.fail(Match::any(), Effect::CloseMidway);
    let path = format!("{}/apis/apps/v1/deployments", kube.url());
    let mut answer = soon(reqwest::get(path)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let first = soon(answer.chunk()).await.unwrap().unwrap();
    assert!(first.starts_with(b"{\"kind\":\"DeploymentList\""));
    assert!(soon(answer.chunk()).await.is_err());
}

#[tokio::test]
async fn half_an_event() {
    let (kube, _) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    kube.fail(Match::verb(Verb::Watch), Effect::CloseMidway);
    let path = format!(
        "{}/apis/apps/v1/deployments?watch=true&resourceVersion=0",
        kube.url()
    );
    let mut answer = soon(reqwest::get(path)).await.unwrap();
    let first = soon(answer.chunk()).await.unwrap().unwrap();
    assert!(first.starts_with(b"{\"type\":\"ADDED\"") && !first.ends_with(b"\n"));
    assert!(soon(answer.chunk()).await.is_err());
}

#[tokio::test]
async fn a_delay_ends_in_the_answer() {
    let (kube, client) = start().await;
    kube.fail(Match::any(), Effect::Delay(Duration::from_millis(1)));
    assert!(
        soon(deployments(&client, "default").get_opt("llama"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_watch_that_fell_silent_stays_so() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let mut silent = Box::pin(api.watch(&WatchParams::default().timeout(1), "0").await.unwrap());
    soon(silent.next()).await.unwrap().unwrap();
    kube.fail(Match::verb(Verb::Watch), Effect::SilenceWatches);
    kube.apply(deployment("default", "llama", 0)).unwrap();
    let mut opened = Box::pin(api.watch(&WatchParams::default(), "0").await.unwrap());
    kube.clear_faults();
    // A later watch tells what was missed, and ends at the same timeout as the silent one should have.
    let mut later = Box::pin(api.watch(&WatchParams::default().timeout(1), "0").await.unwrap());
    soon(async {
        tokio::select! {
            biased;
            event = silent.next() => panic!("{event:?}"),
            event = opened.next() => panic!("{event:?}"),
            () = async { while later.next().await.is_some() {} } => {}
        }
    })
    .await;
}

#[tokio::test]
async fn requests_are_logged_and_counted() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    let api = deployments(&client, "default");
    let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
    api.patch_scale("llama", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert!(
        api.patch_scale("mixtral", &PatchParams::default(), &patch)
            .await
            .is_err()
    );
    let requests = kube.requests_like(&scales());
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].namespace.as_deref(), Some("default"));
    assert_eq!(requests[0].name.as_deref(), Some("llama"));
    assert_eq!(
        requests[0].content_type.as_deref(),
        Some("application/merge-patch+json")
    );
    assert_eq!(requests[0].body, Some(json!({"spec": {"replicas": 1}})));
    assert_eq!((requests[0].code, requests[1].code), (Some(200), Some(404)));
    let key = |code| (Verb::Patch, Resource::Deployments, Subresource::Scale, code);
    let counters = kube.counters();
    assert_eq!((counters[&key(200)], counters[&key(404)]), (1, 1));
    kube.clear_requests();
    assert!(kube.requests().is_empty() && kube.counters().is_empty());
}
