//! A Prometheus that answers the program's two queries, and counts who asks.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri},
    routing::any,
};
use scale_from_zero::{config::Config, prometheus::query};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::Queues;

/// The header by which copies of the program are told apart.
pub const COPY: &str = "X-Copy";

/// A running server. It ends when this is dropped.
pub struct Scripted {
    address: SocketAddr,
    url: String,
    state: Script,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone, Default)]
struct Script {
    queues: Queues,
    /// Queries for demand by copy.
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Scripted {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, crate::servers::free_port()));
        let prometheus = Self {
            address,
            url: format!("http://{address}"),
            state: Script::default(),
            task: Mutex::default(),
        };
        prometheus.serve().await;
        prometheus
    }

    /// Listens, again after [`Scripted::stop`].
    pub async fn serve(&self) {
        let socket = TcpListener::bind(self.address).await.expect("its port");
        let router = Router::new()
            .route("/api/v1/query", any(answer))
            .with_state(self.state.clone());
        let task = tokio::spawn(async move {
            // It never ends by itself.
            let _ = axum::serve(socket, router).await;
        });
        *self.task.lock().unwrap() = Some(task);
    }

    /// Takes no new connections.
    pub fn stop(&self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }

    /// Base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The queues it knows.
    pub fn queues(&self) -> &Queues {
        &self.state.queues
    }

    /// Queries for demand that a copy has sent.
    pub fn asked(&self, copy: &str) -> u64 {
        self.state
            .asked
            .lock()
            .unwrap()
            .get(copy)
            .copied()
            .unwrap_or_default()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn answer(
    State(script): State<Script>,
    Query(mut parameters): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    form: Bytes,
) -> (StatusCode, Json<Value>) {
    // A form is written as a query string is.
    let form = std::str::from_utf8(&form)
        .ok()
        .and_then(|form| format!("/?{form}").parse::<Uri>().ok());
    if let Some(Ok(Query(form))) = form.as_ref().map(Query::<BTreeMap<String, String>>::try_from_uri) {
        parameters.extend(form);
    }
    let asked = parameters.get("query").map(String::as_str);
    let known = Config::default().query;
    let is_demand = asked == Some(&*query::demand(&known));
    if is_demand {
        let copy = headers
            .get(COPY)
            .and_then(|copy| copy.to_str().ok())
            .unwrap_or_default();
        *script.asked.lock().unwrap().entry(copy.to_owned()).or_default() += 1;
    } else if asked != query::age(&known).as_deref() {
        let error =
            json!({"status": "error", "errorType": "bad_data", "error": "a query that is not in the script"});
        return (StatusCode::BAD_REQUEST, Json(error));
    }
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a time after 1970")
        .as_secs_f64();
    let rows = script
        .queues
        .all()
        .into_iter()
        .filter(|(_, waiting)| *waiting > 0.0);
    let rows: Vec<_> = rows
        .map(|(queue, waiting)| {
            let mut labels = queue.labels();
            // Without the name, the age of samples that were taken half a second ago.
            let value = if is_demand {
                labels.insert("__name__", queue.family);
                waiting
            } else {
                0.5
            };
            json!({"metric": labels, "value": [now, value.to_string()]})
        })
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": rows}});
    (StatusCode::OK, Json(body))
}
