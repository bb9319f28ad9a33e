//! The floor of a burst: the same writes and nothing else, through the same client.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use http::Request;
use http_body_util::BodyExt as _;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use scale_from_zero::cluster::client::client;
use serde_json::json;

/// Requests under way at once: `wake.concurrency` of the program.
const CONCURRENCY: usize = 16;

/// A Deployment to be scaled: namespace, name and resourceVersion.
pub type Deployment = (String, String, String);

/// A client as the program makes it.
pub async fn connect(kubeconfig: &str) -> Client {
    let parsed = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await;
    client(&config.expect("a kubeconfig that can be used")).expect("a client")
}

/// Scales all of them and says how long that took, to the last answer.
pub async fn scale(client: &Client, deployments: Vec<Deployment>, replicas: u32) -> Duration {
    let began = Instant::now();
    let answers = stream::iter(deployments).map(|(namespace, name, version)| {
        let body = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}});
        let request = Request::patch(format!(
            "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale?fieldManager=bare-loop"
        ))
        .header("content-type", "application/merge-patch+json")
        .body(Body::from(body.to_string().into_bytes()))
        .expect("a request");
        async move {
            let answer = client.send(request).await.expect("an answer");
            assert!(answer.status().is_success(), "{name}: {}", answer.status());
            // To its end: h2 gives a connection up on which a thousand answers were dropped before.
            answer.into_body().collect().await.expect("a whole answer");
        }
    });
    answers.buffer_unordered(CONCURRENCY).collect::<Vec<()>>().await;
    began.elapsed()
}
