//! A Prometheus that answers the program's queries, and counts who asks.

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
    response::{IntoResponse as _, Response},
    routing::any,
};
use scale_from_zero::{config::Config, prometheus::query};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    Queue, Queues,
    trouble::{Trouble, Troubles, vector},
};

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
    troubles: Troubles,
    /// Queries for demand by copy.
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Queries for signals by copy.
    asked_for_signals: Arc<Mutex<BTreeMap<String, u64>>>,
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

    /// What goes wrong with its answers.
    pub fn troubles(&self) -> &Troubles {
        &self.state.troubles
    }

    /// Queries for demand that a copy has sent.
    pub fn asked(&self, copy: &str) -> u64 {
        count(&self.state.asked, copy)
    }

    /// Queries for signals that a copy has sent.
    pub fn asked_for_signals(&self, copy: &str) -> u64 {
        count(&self.state.asked_for_signals, copy)
    }
}

fn count(asked: &Mutex<BTreeMap<String, u64>>, copy: &str) -> u64 {
    asked.lock().unwrap().get(copy).copied().unwrap_or_default()
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
) -> Response {
    // A form is written as a query string is.
    let form = std::str::from_utf8(&form)
        .ok()
        .and_then(|form| format!("/?{form}").parse::<Uri>().ok());
    if let Some(Ok(Query(form))) = form.as_ref().map(Query::<BTreeMap<String, String>>::try_from_uri) {
        parameters.extend(form);
    }
    let asked = parameters.get("query").map(String::as_str);
    let known = Config::default().query;
    let copy = headers
        .get(COPY)
        .and_then(|copy| copy.to_str().ok())
        .unwrap_or_default();
    let asked_by = |counts: &Mutex<BTreeMap<String, u64>>| {
        *counts.lock().unwrap().entry(copy.to_owned()).or_default() += 1;
    };
    let for_demand = asked == Some(&*query::demand(&known));
    let trouble = script.troubles.strike(for_demand);
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a time after 1970")
        .as_secs_f64();
    // Half a second ago, by its own clock, whatever that says.
    let (now, age) = match trouble {
        Some(Trouble::ClockAhead(ahead)) => (now + ahead, 0.5),
        Some(Trouble::Stale(age)) => (now, age),
        _ => (now, 0.5),
    };
    let rows = if for_demand {
        asked_by(&script.asked);
        waiting(&script.queues, now, |queue, waiting| {
            (Some(queue.family), waiting)
        })
    } else if asked == query::age(&known).as_deref() {
        // Without the name.
        waiting(&script.queues, now, |_, _| (None, age))
    } else if asked == query::signal(&known).as_deref() {
        asked_by(&script.asked_for_signals);
        let signs = script.queues.signs();
        let rows = signs
            .iter()
            .map(|sign| row(sign.labels(), Some(sign.family), 1.0, now));
        rows.collect()
    } else {
        let error =
            json!({"status": "error", "errorType": "bad_data", "error": "a query that is not in the script"});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    match trouble {
        // The others are asked for by the same series.
        Some(Trouble::Rows(_)) if !for_demand => Json(vector(&rows)).into_response(),
        Some(trouble) => trouble.spoil(rows),
        None => Json(vector(&rows)).into_response(),
    }
}

/// A row for each queue that is not empty, with the name and the value that `told` gives it.
fn waiting(
    queues: &Queues,
    now: f64,
    told: impl Fn(&Queue, f64) -> (Option<&'static str>, f64),
) -> Vec<Value> {
    let all = queues.all();
    let waiting = all.iter().filter(|(_, waiting)| *waiting > 0.0);
    let rows = waiting.map(|(queue, waiting)| {
        let (family, value) = told(queue, *waiting);
        row(queue.labels(), family, value, now)
    });
    rows.collect()
}

fn row(
    mut labels: BTreeMap<&'static str, &str>,
    family: Option<&'static str>,
    value: f64,
    now: f64,
) -> Value {
    labels.extend(family.map(|family| ("__name__", family)));
    json!({"metric": labels, "value": [now, value.to_string()]})
}
