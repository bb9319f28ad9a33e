//! What the read-only listener answers: `/`, `/livez`, `/readyz`, `/metrics`, `/api/status`, `/api/queues`,
//! `/api/decisions`.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{History, Metrics, Queues, page::Page};
use crate::{cluster::Watches, core::Wall};

/// What the listener shows. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Admin {
    metrics: Metrics,
    history: History,
    queues: Queues,
    beat: Arc<Mutex<Beat>>,
    asks: mpsc::Sender<StatusRequest>,
    /// The last status and when it was made, so that many who ask cost the loop no more than one.
    status: Arc<tokio::sync::Mutex<Option<(Instant, Bytes)>>>,
}

/// How long a status is as good as new.
const STATUS_FOR: Duration = Duration::from_secs(1);
/// How long the loop may take to make one: a query may be under way.
const STATUS_WITHIN: Duration = Duration::from_secs(15);

/// Somebody wants to know the status.
#[derive(Debug)]
pub struct StatusRequest(oneshot::Sender<String>);

impl StatusRequest {
    /// Tells it.
    pub fn answer(self, status: String) {
        // Whoever asked may be gone.
        let _ = self.0.send(status);
    }
}

#[derive(Debug)]
struct Beat {
    last: Instant,
    longest: Duration,
    watches: Option<Watches>,
    /// Once ready, it stays so: as a sidecar, failing would take the host out of service.
    ready: bool,
}

impl Admin {
    /// Nothing runs yet. Requests for the status come out of the receiver.
    pub fn new(metrics: Metrics, history: History, queues: Queues) -> (Self, mpsc::Receiver<StatusRequest>) {
        let beat = Beat {
            last: Instant::now(),
            longest: Duration::from_secs(60),
            watches: None,
            ready: false,
        };
        let (asks, requests) = mpsc::channel(1);
        let admin = Self {
            metrics,
            history,
            queues,
            beat: Arc::new(Mutex::new(beat)),
            asks,
            status: Arc::default(),
        };
        (admin, requests)
    }

    /// A loop begins with these watches. A tick may last for `longest` before it counts as stuck.
    pub fn started(&self, watches: Watches, longest: Duration) {
        self.metrics.no_watches();
        let mut beat = self.lock();
        beat.last = Instant::now();
        beat.longest = longest;
        beat.watches = Some(watches);
    }

    /// The loop is alive.
    pub fn beat(&self) {
        self.lock().last = Instant::now();
    }

    /// The status, made now or a moment ago; `None` while the loop does not answer.
    async fn status(&self) -> Option<Bytes> {
        let mut last = self.status.lock().await;
        if let Some((at, status)) = &*last
            && at.elapsed() < STATUS_FOR
        {
            return Some(status.clone());
        }
        let (say, answer) = oneshot::channel();
        self.asks.send(StatusRequest(say)).await.ok()?;
        let status: Bytes = answer.await.ok()?.into();
        *last = Some((Instant::now(), status.clone()));
        Some(status)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What else the listener shows. Nothing, but for `demo`.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Further routes.
    pub routes: Router,
    /// Script that the status page runs after its own.
    pub script: &'static str,
}

/// What there is to be asked for.
pub(super) fn routes(admin: Admin, extras: Extras) -> Router {
    let page = Page::new(extras.script);
    Router::new()
        .route("/", get(move || async move { page.answer() }))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/status", get(status))
        .route("/api/queues", get(queues))
        .route("/api/decisions", get(decisions))
        .with_state(admin)
        .merge(extras.routes)
        .layer(map_response(guarded))
}

/// What holds for every answer: it is of this moment, is what it says it is, and is for nobody else's page.
async fn guarded(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// 200 while the loop beats.
async fn livez(State(admin): State<Admin>) -> Response {
    let beat = admin.lock();
    let silent = beat.last.elapsed();
    if silent <= beat.longest {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let text = format!("the loop has not ticked for {} s\n", silent.as_secs());
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

/// 200 once each kind has been listed once or is known not to be; what is degraded is told, and is
/// no failure: as a sidecar, failing would take the host out of service.
async fn readyz(State(admin): State<Admin>) -> Response {
    let (watches, was_ready) = {
        let beat = admin.lock();
        (beat.watches.clone(), beat.ready)
    };
    let Some(watches) = watches else {
        return (StatusCode::SERVICE_UNAVAILABLE, "not started\n").into_response();
    };
    let ready = was_ready || watches.is_settled();
    admin.lock().ready = ready;
    let mut text = String::new();
    for ((kind, within), health) in watches.snapshot() {
        let namespace = within.map(|n| format!(" in {n}")).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}{namespace}: {}", kind.as_str(), health.state);
    }
    let (status, head) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (status, format!("{head}\n{text}")).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let watches = admin.lock().watches.clone();
    if let Some(watches) = watches {
        admin.metrics.watches(&watches);
    }
    match admin.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn status(State(admin): State<Admin>) -> Response {
    match tokio::time::timeout(STATUS_WITHIN, admin.status()).await {
        Ok(Some(status)) => ([(header::CONTENT_TYPE, "application/json")], status).into_response(),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the loop does not answer; see /livez\n",
        )
            .into_response(),
    }
}

#[derive(Deserialize)]
struct Since {
    /// The first step wanted.
    since: Option<i64>,
}

/// The last minutes of the queues.
async fn queues(State(admin): State<Admin>, Query(Since { since }): Query<Since>) -> Response {
    Json(admin.queues.since(since.unwrap_or_default(), Wall::now())).into_response()
}

#[derive(Deserialize)]
struct Decisions {
    /// How many at the most.
    limit: Option<usize>,
}

/// The last decisions, the newest first.
async fn decisions(State(admin): State<Admin>, Query(Decisions { limit }): Query<Decisions>) -> Response {
    let decisions = admin.history.last(limit.unwrap_or(usize::MAX));
    Json(serde_json::json!({ "decisions": decisions })).into_response()
}
