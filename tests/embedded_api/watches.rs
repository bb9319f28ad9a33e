//! Watches, from their first line to their last.

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher,
};
use scale_from_zero::demo::kubernetes::{Kube, Match, Resource, Settings, Verb};

use crate::{client, deployment, deployments, soon, start};

type Event = WatchEvent<Deployment>;

/// What a watch says next, in short.
async fn next(watch: &mut (impl Stream<Item = kube::Result<Event>> + Unpin)) -> Option<String> {
    soon(watch.next()).await.map(|event| match event {
        Ok(WatchEvent::Added(object)) => format!("+{}", object.name_any()),
        Ok(WatchEvent::Modified(object)) => {
            format!(
                "={} {:?}",
                object.name_any(),
                object.spec.unwrap().replicas.unwrap()
            )
        }
        Ok(WatchEvent::Deleted(object)) => format!("-{}", object.name_any()),
        Ok(WatchEvent::Bookmark(mark)) => format!("@{}", mark.metadata.resource_version),
        Ok(WatchEvent::Error(status)) => format!("!{} {}: {}", status.code, status.reason, status.message),
        Err(error) => format!("error {error:?}"),
    })
}

async fn version(api: &Api<Deployment>) -> String {
    api.list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap()
}

fn scale(kube: &Kube, name: &str, replicas: u32) {
    let change = |object: &mut serde_json::Value| object["spec"]["replicas"] = replicas.into();
    kube.update(Resource::Deployments, "default", name, change)
        .unwrap();
}

#[tokio::test]
async fn tell_what_changed_since_a_version() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "old", 0)).unwrap();
    let api = deployments(&client, "default");
    let from = version(&api).await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    kube.apply(deployment("elsewhere", "llama", 0)).unwrap();
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert_eq!(next(&mut watch).await.unwrap(), "+llama");
    scale(&kube, "llama", 1);
    assert_eq!(next(&mut watch).await.unwrap(), "=llama 1");
    scale(&kube, "llama", 1);
    kube.delete(Resource::Deployments, "default", "llama").unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), "-llama");
    assert_eq!(kube.watches(Resource::Deployments), 1);
    drop(watch);
    soon(kube.until(|kube| (kube.watches(Resource::Deployments) == 0).then_some(()))).await;
}

#[tokio::test]
async fn of_one_object() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let from = version(&api).await;
    let mut watch = Box::pin(
        api.watch(&WatchParams::default().fields("metadata.name=llama"), &from)
            .await
            .unwrap(),
    );
    kube.apply(deployment("default", "mixtral", 0)).unwrap();
    kube.apply(deployment("default", "llama", 0)).unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), "+llama");
}

/// What no longer has the labels is gone, what has come to have them is new.
#[tokio::test]
async fn of_labels() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let label = |name: &str, value: &str| {
        let change = |object: &mut serde_json::Value| object["metadata"]["labels"]["role"] = value.into();
        kube.update(Resource::Deployments, "default", name, change)
            .unwrap()
    };
    for name in ["a", "b"] {
        kube.apply(deployment("default", name, 0)).unwrap();
    }
    label("a", "decode");
    let from = version(&api).await;
    let params = WatchParams::default().labels("role=decode");
    let mut watch = Box::pin(api.watch(&params, &from).await.unwrap());
    scale(&kube, "b", 1);
    scale(&kube, "a", 1);
    assert_eq!(next(&mut watch).await.unwrap(), "=a 1");
    label("b", "decode");
    assert_eq!(next(&mut watch).await.unwrap(), "+b");
    let after = label("a", "prefill");
    match soon(watch.next()).await {
        Some(Ok(WatchEvent::Deleted(gone))) => {
            assert_eq!(
                (gone.name_any(), gone.labels()["role"].as_str()),
                ("a".into(), "decode")
            );
            let version = after["metadata"]["resourceVersion"].as_str();
            assert_eq!(gone.metadata.resource_version.as_deref(), version);
        }
        other => panic!("{other:?}"),
    }
    scale(&kube, "a", 2);
    kube.delete(Resource::Deployments, "default", "a").unwrap();
    kube.delete(Resource::Deployments, "default", "b").unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), "-b");
}

#[tokio::test]
async fn from_zero_begin_with_what_is_there() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "a", 0)).unwrap();
    kube.apply(deployment("default", "b", 0)).unwrap();
    let api = deployments(&client, "default");
    let at = version(&api).await;
    let mut watch = Box::pin(api.watch(&WatchParams::default(), "0").await.unwrap());
    assert_eq!(next(&mut watch).await.unwrap(), "+a");
    assert_eq!(next(&mut watch).await.unwrap(), "+b");
    assert_eq!(next(&mut watch).await.unwrap(), format!("@{at}"));
    kube.apply(deployment("default", "c", 0)).unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), "+c");
}

#[tokio::test]
async fn bookmarks_go_on_while_other_kinds_change() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    let from = version(&api).await;
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    let mut without = Box::pin(
        api.watch(&WatchParams::default().disable_bookmarks(), &from)
            .await
            .unwrap(),
    );
    kube.apply(crate::variant("default", "llama")).unwrap();
    let now = version(&api).await;
    assert_ne!(now, from);
    kube.send_bookmarks();
    assert_eq!(next(&mut watch).await.unwrap(), format!("@{now}"));
    // It resumes from there although that is no version of its own kind.
    kube.apply(deployment("default", "a", 0)).unwrap();
    let mut resumed = Box::pin(api.watch(&WatchParams::default(), &now).await.unwrap());
    assert_eq!(next(&mut resumed).await.unwrap(), "+a");
    assert_eq!(next(&mut without).await.unwrap(), "+a");
}

#[tokio::test]
async fn bookmarks_come_by_themselves() {
    let settings = Settings {
        bookmarks: std::time::Duration::from_millis(1),
        ..Settings::default()
    };
    let kube = Kube::start_with(settings).await.unwrap();
    let api = deployments(&client(&kube), "default");
    let from = version(&api).await;
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert_eq!(next(&mut watch).await.unwrap(), format!("@{from}"));
    assert_eq!(next(&mut watch).await.unwrap(), format!("@{from}"));
}

#[tokio::test]
async fn end_at_their_timeout() {
    let (_kube, client) = start().await;
    let api = deployments(&client, "default");
    let from = version(&api).await;
    let mut watch = Box::pin(
        api.watch(&WatchParams::default().timeout(1), &from)
            .await
            .unwrap(),
    );
    assert_eq!(next(&mut watch).await, None);
}

#[tokio::test]
async fn from_a_forgotten_version_say_so() {
    let kube = Kube::start_with(Settings {
        history: 2,
        ..Settings::default()
    })
    .await
    .unwrap();
    let api = deployments(&client(&kube), "default");
    kube.apply(deployment("default", "a", 0)).unwrap();
    let from = version(&api).await;
    kube.apply(deployment("default", "b", 0)).unwrap();
    kube.apply(deployment("default", "c", 0)).unwrap();
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert_eq!(next(&mut watch).await.unwrap(), "+b");
    kube.apply(deployment("default", "d", 0)).unwrap();
    let mut late = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    let said = next(&mut late).await.unwrap();
    assert!(
        said.starts_with(&format!("!410 Expired: too old resource version: {from} (")),
        "{said}"
    );
    assert_eq!(next(&mut late).await, None);
}

#[tokio::test]
async fn go_on_over_a_compaction() {
    let (kube, client) = start().await;
    let api = deployments(&client, "default");
    kube.apply(deployment("default", "a", 0)).unwrap();
    let from = version(&api).await;
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    kube.compact();
    kube.apply(deployment("default", "b", 0)).unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), "+b");
    let mut late = Box::pin(api.watch(&WatchParams::default(), &from).await.unwrap());
    assert!(next(&mut late).await.unwrap().starts_with("!410 Expired"));
}

#[tokio::test]
async fn of_nonsense_are_refused() {
    let (_kube, client) = start().await;
    let api = deployments(&client, "default");
    assert_eq!(
        crate::refusal(api.watch(&WatchParams::default(), "abc").await.map(|_| ())).code,
        500
    );
    let mut future = Box::pin(
        api.watch(&WatchParams::default().timeout(1), "99999999")
            .await
            .unwrap(),
    );
    assert_eq!(next(&mut future).await, None);
}

/// kube's watcher through all of it: pages, changes, a cut connection, a forgotten version.
#[tokio::test]
async fn carry_a_watcher_through_cuts_and_gaps() {
    let (kube, client) = start().await;
    for index in 0..5 {
        kube.apply(deployment("default", &format!("d{index}"), 0))
            .unwrap();
    }
    let api: Api<Deployment> = Api::all(client);
    let mut events = watcher(api, watcher::Config::default().page_size(2)).boxed();
    let mut listed = Vec::new();
    loop {
        match soon(events.try_next()).await.unwrap().unwrap() {
            watcher::Event::Init => {}
            watcher::Event::InitApply(object) => listed.push(object.name_any()),
            watcher::Event::InitDone => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(listed, ["d0", "d1", "d2", "d3", "d4"]);
    let lists = Match::verb(Verb::List).on(Resource::Deployments);
    assert_eq!(kube.requests_like(&lists).len(), 3);

    scale(&kube, "d0", 1);
    assert_eq!(soon(applied(&mut events)).await, "d0");
    // It takes up a cut connection where it was.
    kube.cut_connections();
    scale(&kube, "d1", 1);
    assert_eq!(soon(applied(&mut events)).await, "d1");
    assert_eq!(kube.requests_like(&lists).len(), 3);
    // And lists again where that is forgotten.
    kube.cut_connections();
    scale(&kube, "d2", 1);
    kube.compact();
    assert_eq!(soon(applied(&mut events)).await, "d0");
    assert_eq!(kube.requests_like(&lists).len(), 4);
}

/// The next object applied, over whatever goes wrong before.
async fn applied(
    events: &mut (impl Stream<Item = Result<watcher::Event<Deployment>, watcher::Error>> + Unpin),
) -> String {
    loop {
        let event = events.next().await.unwrap();
        if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event {
            return object.name_any();
        }
    }
}
