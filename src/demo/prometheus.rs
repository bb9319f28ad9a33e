//! A small Prometheus on loopback: it scrapes simulated queues, and answers the two queries of rule 1.
//!
//! It knows no PromQL. It is told the texts of the two queries and refuses any other one.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connection::{Connection, Connections, Cuttable};

/// The name of the queue gauge that it scrapes.
pub const FAMILY: &str = "llm_d_epp_flow_control_queue_size";

/// How long a sample counts after its scrape, as Prometheus has it by default.
const LOOKBACK: Duration = Duration::from_secs(300);

/// One queue of an EPP, at the time of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Which queue.
    pub key: QueueKey,
    /// Requests waiting.
    pub waiting: f64,
}

/// The labels of a queue. An empty one is a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    /// `namespace`.
    pub namespace: String,
    /// `inference_pool`.
    pub pool: String,
    /// `target_model_name`.
    pub target_model: String,
    /// `model_name`.
    pub model: String,
}

/// What is wrong with the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// It cuts each connection before an answer.
    Down,
    /// It answers nothing.
    Hang,
    /// It answers after this long.
    Slow(Duration),
    /// It answers every query with this status and body.
    Answer(u16, String),
    /// Its answers carry these warnings, as a partial answer does.
    Warnings(Vec<String>),
}

/// How often each query was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The one for demand.
    pub demand: u64,
    /// The one for the age of the samples.
    pub age: u64,
    /// Any other.
    pub other: u64,
}

/// A running server. Clones are the same one; it ends with [`Prometheus::shutdown`] or its last clone.
#[derive(Clone)]
pub struct Prometheus {
    server: Arc<Server>,
    url: String,
    stop: CancellationToken,
    connections: Connections,
    _stop_with_last: Arc<DropGuard>,
}

struct Server {
    demand_query: String,
    age_query: String,
    queues: Box<dyn Fn() -> Vec<Queue> + Send + Sync>,
    state: Mutex<Scraped>,
}

#[derive(Default)]
struct Scraped {
    /// Since the epoch.
    at: Duration,
    queues: Vec<Queue>,
    paused: bool,
    trouble: Option<Trouble>,
    asked: Asked,
    /// What answers about demand said of each queue since that was last asked.
    told: BTreeMap<QueueKey, f64>,
}

impl Prometheus {
    /// Starts a server that asks `queues` every `scrape` for what waits, and answers two queries: what
    /// waits, and how old that is.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(
        demand_query: String,
        age_query: String,
        scrape: Duration,
        queues: impl Fn() -> Vec<Queue> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let connections = Connections::default();
        let listener = Cuttable::bind(connections.clone()).await?;
        let url = format!("http://127.0.0.1:{}", listener.port()?);
        let queues = Box::new(queues);
        let server = Arc::new(Server {
            demand_query,
            age_query,
            queues,
            state: Mutex::default(),
        });
        let app = Router::new()
            .route("/-/healthy", get(async || "Prometheus Server is Healthy.\n"))
            .route("/api/v1/query", get(by_get).post(by_post))
            .with_state(Arc::clone(&server));
        let stop = CancellationToken::new();
        let prometheus = Self {
            server: Arc::clone(&server),
            url,
            stop: stop.clone(),
            connections: connections.clone(),
            _stop_with_last: Arc::new(stop.clone().drop_guard()),
        };
        prometheus.scrape();
        tokio::spawn(async move {
            let service = app.into_make_service_with_connect_info::<Connection>();
            tokio::select! {
                // It never ends by itself, nor does scraping.
                _ = axum::serve(listener, service) => {}
                () = server.scrape_every(scrape) => {}
                () = stop.cancelled() => {}
            }
            connections.cut();
        });
        Ok(prometheus)
    }

    /// Ends the server and cuts all connections to it.
    pub fn shutdown(&self) {
        self.stop.cancel();
        self.connections.cut();
    }

    /// Base URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Scrapes now.
    pub fn scrape(&self) {
        self.server.scrape();
    }

    /// Stops scraping, or goes on with it; meanwhile the samples age.
    pub fn pause_scrapes(&self, paused: bool) {
        self.server.state().paused = paused;
    }

    /// Lets something be wrong with the server from now on, or nothing.
    pub fn set_trouble(&self, trouble: Option<Trouble>) {
        self.server.state().trouble = trouble;
    }

    /// How often each query was asked.
    pub fn asked(&self) -> Asked {
        self.server.state().asked
    }

    /// What was told of each queue in the answers about demand since this was last asked; of several
    /// answers the latest.
    pub fn take_told(&self) -> BTreeMap<QueueKey, f64> {
        std::mem::take(&mut self.server.state().told)
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, Scraped> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scrape(&self) {
        let queues = (self.queues)();
        let mut state = self.state();
        if !state.paused {
            state.queues = queues;
            state.at = now();
        }
    }

    async fn scrape_every(&self, scrape: Duration) {
        let mut ticks = interval_at(Instant::now() + scrape, scrape);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.scrape();
        }
    }

    /// The answer to a query, with the trouble there is.
    async fn answer(&self, query: Option<&str>, connection: &Connection) -> Response {
        let trouble = self.state().trouble.clone();
        match &trouble {
            Some(Trouble::Down) => {
                connection.cut();
                std::future::pending::<()>().await;
            }
            Some(Trouble::Hang) => std::future::pending().await,
            Some(Trouble::Slow(delay)) => tokio::time::sleep(*delay).await,
            Some(Trouble::Answer(code, body)) => return reply(*code, body.clone()),
            Some(Trouble::Warnings(_)) | None => {}
        }
        let Some(result) = self.vector(query) else {
            let said = query.map_or("no query at all".to_owned(), |query| format!("{query:?}"));
            let error = format!(
                "this embedded Prometheus answers the two queries it was told, not PromQL: got {said}"
            );
            let body = json!({"status": "error", "errorType": "bad_data", "error": error});
            return reply(400, body.to_string());
        };
        let mut body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
        if let Some(Trouble::Warnings(warnings)) = trouble {
            body["warnings"] = warnings.into();
        }
        reply(200, body.to_string())
    }

    /// The instant vector that a query asks for; `None` if it is neither of the two.
    fn vector(&self, query: Option<&str>) -> Option<Vec<Value>> {
        let now = now();
        let mut state = self.state();
        let fresh = now.saturating_sub(state.at) < LOOKBACK;
        let waiting = state
            .queues
            .iter()
            .filter(|queue| fresh && queue.waiting > 0.0)
            .cloned();
        let waiting: Vec<Queue> = waiting.collect();
        if query == Some(&self.demand_query) {
            state.asked.demand += 1;
            state
                .told
                .extend(waiting.iter().map(|queue| (queue.key.clone(), queue.waiting)));
            Some(
                waiting
                    .iter()
                    .map(|queue| row(&queue.key, Some(FAMILY), now, queue.waiting))
                    .collect(),
            )
        } else if query == Some(&self.age_query) {
            state.asked.age += 1;
            let age = now.saturating_sub(state.at).as_secs_f64();
            Some(
                waiting
                    .iter()
                    .map(|queue| row(&queue.key, None, now, age))
                    .collect(),
            )
        } else {
            state.asked.other += 1;
            None
        }
    }
}

fn row(key: &QueueKey, family: Option<&str>, now: Duration, value: f64) -> Value {
    let labels = [
        ("__name__", family.unwrap_or_default()),
        ("namespace", &key.namespace),
        ("inference_pool", &key.pool),
        ("target_model_name", &key.target_model),
        ("model_name", &key.model),
    ];
    let metric: BTreeMap<&str, &str> = labels
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    json!({"metric": metric, "value": [now.as_secs_f64(), value.to_string()]})
}

fn now() -> Duration {
    jiff::Timestamp::now()
        .duration_since(jiff::Timestamp::UNIX_EPOCH)
        .unsigned_abs()
}

fn reply(code: u16, body: String) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

type Parameters = HashMap<String, String>;

async fn by_get(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    Query(parameters): Query<Parameters>,
) -> Response {
    server
        .answer(parameters.get("query").map(String::as_str), &connection)
        .await
}

/// The parameters are those of the URL and those of the form in the body.
async fn by_post(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    Query(mut parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    // A form is written as a query string is.
    let uri = std::str::from_utf8(&body)
        .ok()
        .and_then(|body| format!("/?{body}").parse::<Uri>().ok());
    if let Some(Ok(Query(given))) = uri
        .filter(|_| form)
        .as_ref()
        .map(Query::<Parameters>::try_from_uri)
    {
        parameters.extend(given);
    }
    server
        .answer(parameters.get("query").map(String::as_str), &connection)
        .await
}
