//! What a lone write to the API server costs, by kind of connection: `cargo bench --bench connection`
//! with `KUBECONFIG` at a server over TLS that may be played with (a Deployment `default/connection-bench` is
//! made there and patched between 0 and 1). Prints a table; `docs/performance.md` keeps one.

use std::time::{Duration, Instant};

use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, ConfigExt as _},
};
use serde_json::json;
use tower::{BoxError, ServiceBuilder};

const NAME: &str = "connection-bench";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const ROUNDS: usize = 40;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    if std::env::var_os("KUBECONFIG").is_none() {
        println!("connection: not run; set KUBECONFIG to a server that may be played with");
        return Ok(());
    }
    let config = Config::infer().await?;
    let ours = || scale_from_zero::cluster::client::client(&config);
    make(&ours()?).await?;

    println!("| connection | p50 | max |\n|---|---|---|");
    let mut fresh = Vec::new();
    for round in 0..ROUNDS {
        fresh.push(patch(&Client::try_from(config.clone())?, round).await?);
    }
    row("kube's default client, fresh connection", fresh);
    for (name, nodelay) in [
        ("HTTP/1.1, fresh", false),
        ("HTTP/1.1 with TCP_NODELAY, fresh", true),
    ] {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            times.push(patch(&http1(&config, nodelay)?, round).await?);
        }
        row(name, times);
    }
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        times.push(patch(&ours()?, round).await?);
    }
    row("ours (HTTP/2, TCP_NODELAY), fresh", times);
    let warm = ours()?;
    patch(&warm, 1).await?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        times.push(patch(&warm, round).await?);
    }
    row("ours, on the connection of the watches", times);
    Ok(())
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let millis = |time: Option<&Duration>| time.map_or(0.0, |t| t.as_secs_f64() * 1e3);
    println!(
        "| {name} | {:.1} ms | {:.1} ms |",
        millis(times.get(times.len() / 2)),
        millis(times.last())
    );
}

async fn make(client: &Client) -> Result<(), BoxError> {
    let labels = json!({"app": NAME});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "pause", "image": "none.invalid/pause"}]},
        }},
    });
    let request = http::Request::post(DEPLOYMENTS)
        .header("content-type", "application/json")
        .body(Body::from(deployment.to_string().into_bytes()))?;
    let status = client.send(request).await?.status();
    if status.is_success() || status == http::StatusCode::CONFLICT {
        return Ok(());
    }
    Err(format!("cannot make the Deployment default/{NAME}: {status}").into())
}

/// One write, to the head of its answer.
async fn patch(client: &Client, round: usize) -> Result<Duration, BoxError> {
    let body = json!({"spec": {"replicas": round % 2}}).to_string();
    let request = http::Request::patch(format!("{DEPLOYMENTS}/{NAME}/scale"))
        .header("content-type", "application/merge-patch+json")
        .body(Body::from(body.into_bytes()))?;
    let began = Instant::now();
    let status = client.send(request).await?.status();
    let took = began.elapsed();
    if status.is_success() {
        Ok(took)
    } else {
        Err(format!("PATCH: {status}").into())
    }
}

fn http1(config: &Config, nodelay: bool) -> Result<Client, BoxError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(nodelay);
    let tls = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(HttpClient::builder(TokioExecutor::new()).build::<_, Body>(tls));
    Ok(ClientBuilder::new(service, "default").build())
}
