//! The buttons of the demo over HTTP: `api/demo` shows what there is to play with, and POSTs below it change the
//! world.
//!
//! Whoever else a browser shows must not be able to play: a request has to name this machine as its host, which a name
//! that was rebound to it does not, and a change has to carry a header that no foreign page can send without being
//! asked first, and nobody here says yes to that.

mod guard;
mod terms;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Query, State, rejection::JsonRejection},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::report::Extras;
pub(super) use terms::{
    Board, BrokenLink, Change, LinkText, MOST, ModelBoard, Refusal, Requests, Story, Wish,
};

/// What a body may have.
const LONGEST_BODY: usize = 16 * 1024;

/// What somebody wants of the world, and where the answer goes.
#[derive(Debug)]
pub(super) struct Ask {
    /// What it is.
    pub wish: Wish,
    answer: oneshot::Sender<Result<Board, Refusal>>,
}

impl Ask {
    /// Answers it.
    pub fn answer(self, answer: Result<Board, Refusal>) {
        // Whoever asked may be gone.
        let _ = self.answer.send(answer);
    }
}

#[derive(Clone)]
struct Console(mpsc::Sender<Ask>);

/// The routes and the script of the panel, and what is asked by them.
pub(super) fn open() -> (Extras, mpsc::Receiver<Ask>) {
    let (say, asks) = mpsc::channel(16);
    let routes = Router::new()
        .route("/api/demo", get(look))
        .route("/api/demo/requests", post(requests))
        .route("/api/demo/links", post(links))
        .route("/api/demo/story", post(story))
        .layer(middleware::from_fn(guard::check))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(Console(say));
    let script = include_str!("../panel.js");
    (Extras { routes, script }, asks)
}

/// What goes into a request, or why it cannot be read.
type Body<T> = Result<Json<T>, JsonRejection>;

/// What of it is to be shown.
#[derive(Deserialize)]
struct Shown {
    /// This model and those with something broken; else all of them.
    model: Option<String>,
}

async fn look(State(console): State<Console>, Query(shown): Query<Shown>) -> Response {
    console.ask(Wish::Look(shown.model)).await
}

async fn requests(State(console): State<Console>, body: Body<Requests>) -> Response {
    console.change(body, Wish::Send).await
}

async fn links(State(console): State<Console>, body: Body<Change>) -> Response {
    console.change(body, Wish::Set).await
}

async fn story(State(console): State<Console>, body: Body<Story>) -> Response {
    console.change(body, Wish::Tell).await
}

impl Console {
    async fn change<T>(&self, body: Body<T>, wish: impl FnOnce(T) -> Wish) -> Response {
        match body {
            Ok(Json(body)) => self.ask(wish(body)).await,
            Err(error) => refuse(error.status(), &error.body_text()),
        }
    }

    async fn ask(&self, wish: Wish) -> Response {
        let (answer, answered) = oneshot::channel();
        if self.0.send(Ask { wish, answer }).await.is_err() {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, &Refusal::Over.to_string());
        }
        match answered.await.unwrap_or(Err(Refusal::Over)) {
            Ok(board) => Json(board).into_response(),
            Err(refusal) => refuse(refusal.status(), &refusal.to_string()),
        }
    }
}

/// A refusal, in the form that the panel reads.
fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
