//! A small Prometheus on loopback: it scrapes simulated EPPs, and answers the queries of rules 1 and 4.
//!
//! It knows no PromQL. It is told the texts of the queries and refuses any other one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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

pub use super::epp::{ENDPOINTS, Epp, FAMILY, Queue, QueueKey, SATURATION};
use super::{
    connection::{Connection, Connections, Cuttable},
    epp::Labels,
};

/// How long a sample counts after its scrape, as Prometheus has it by default.
const LOOKBACK: Duration = Duration::from_secs(300);

/// The texts of the queries that are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queries {
    /// What waits.
    pub demand: String,
    /// How old that is.
    pub age: String,
    /// What EPPs export while nobody waits.
    pub signal: String,
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
    /// The one for what EPPs export while nobody waits.
    pub signal: u64,
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
    queries: Queries,
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
    /// Starts a server that asks `queues` every `scrape` for what waits, and answers `queries`.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(
        queries: Queries,
        scrape: Duration,
        queues: impl Fn() -> Vec<Queue> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let connections = Connections::default();
        let listener = Cuttable::bind(connections.clone()).await?;
        let url = format!("http://127.0.0.1:{}", listener.port()?);
        let queues = Box::new(queues);
        let server = Arc::new(Server {
            queries,
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
            let error =
                format!("this embedded Prometheus answers the queries it was told, not PromQL: got {said}");
            let body = json!({"status": "error", "errorType": "bad_data", "error": error});
            return reply(400, body.to_string());
        };
        let mut body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
        if let Some(Trouble::Warnings(warnings)) = trouble {
            body["warnings"] = warnings.into();
        }
        reply(200, body.to_string())
    }

    /// The instant vector that a query asks for; `None` if it is none of those it was told.
    fn vector(&self, query: Option<&str>) -> Option<Vec<Value>> {
        let Queries { demand, age, signal } = &self.queries;
        let now = now();
        let mut state = self.state();
        let old = now.saturating_sub(state.at);
        let queues = if old < LOOKBACK {
            state.queues.clone()
        } else {
            Vec::new()
        };
        let waiting = queues
            .iter()
            .filter(|queue| queue.epp == Epp::FlowControl && queue.waiting > 0.0);
        if query == Some(demand) {
            state.asked.demand += 1;
            let told = waiting.clone().map(|queue| (queue.key.clone(), queue.waiting));
            state.told.extend(told);
            let rows = waiting.map(|queue| row(queue.labels(Some(FAMILY)), now, queue.waiting));
            Some(rows.collect())
        } else if query == Some(age) {
            state.asked.age += 1;
            let rows = waiting.map(|queue| row(queue.labels(None), now, old.as_secs_f64()));
            Some(rows.collect())
        } else if query == Some(signal) {
            state.asked.signal += 1;
            // As many queues as there may be, an EPP has one pool.
            let signs: BTreeSet<_> = queues.iter().flat_map(Queue::signs).collect();
            Some(signs.into_iter().map(|sign| row(sign, now, 1.0)).collect())
        } else {
            state.asked.other += 1;
            None
        }
    }
}

fn row(labels: Labels<'_>, now: Duration, value: f64) -> Value {
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
