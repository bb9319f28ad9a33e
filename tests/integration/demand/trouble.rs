//! What a scripted Prometheus does wrong, and for how long.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, future, stream};
use serde_json::{Value, json};

/// Something that is wrong with the answers.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// A status, seconds for `Retry-After`, and a body.
    Answers(u16, Option<u32>, &'static str),
    /// Half of an answer, and then nothing more on an open connection.
    HangsMidway,
    /// Half of an answer, and then the end of the connection.
    BreaksOff,
    /// So many bytes of an answer that is well formed up to there.
    Gigantic(usize),
    /// What waits, with the warning that something is missing in it.
    Partial,
    /// No series at all, as after a restart with an empty database.
    Empty,
    /// These rows instead of what waits.
    Rows(Vec<Value>),
    /// Its clock is so many seconds ahead of ours.
    ClockAhead(f64),
    /// The newest samples are so many seconds old.
    Stale(f64),
}

/// The trouble now. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    trouble: Option<Trouble>,
    /// Queries for demand that are answered well in between; `None` while there is no such pause.
    pause: Option<u32>,
}

impl Troubles {
    /// From now on this goes wrong, with queries of all kinds.
    pub fn begin(&self, trouble: Trouble) {
        *self.0.lock().unwrap() = State {
            trouble: Some(trouble),
            pause: None,
        };
    }

    /// All is well for so many queries for demand, and for the others meanwhile; then it is as it was.
    pub fn pause(&self, queries: u32) {
        self.0.lock().unwrap().pause = Some(queries);
    }

    /// All is well.
    pub fn end(&self) {
        *self.0.lock().unwrap() = State::default();
    }

    /// What is wrong with the answer to this query.
    pub fn strike(&self, for_demand: bool) -> Option<Trouble> {
        let mut state = self.0.lock().unwrap();
        match &mut state.pause {
            // What belongs to an answer that was good, the age of its samples, is good as well.
            Some(_) if !for_demand => None,
            Some(left) if *left > 0 => {
                *left -= 1;
                None
            }
            _ => state.trouble.clone(),
        }
    }
}

/// An instant vector of these rows.
pub fn vector(rows: &[Value]) -> Value {
    json!({"status": "success", "data": {"resultType": "vector", "result": rows}})
}

impl Trouble {
    /// What it makes of an answer of these rows.
    pub fn spoil(self, rows: Vec<Value>) -> Response {
        let body = |bytes: stream::BoxStream<'static, io::Result<Bytes>>| {
            (
                [(header::CONTENT_TYPE, "application/json")],
                Body::from_stream(bytes),
            )
                .into_response()
        };
        let half = |rows: Vec<Value>| {
            let text = vector(&rows).to_string();
            Bytes::from(text[..text.len() / 2].to_owned())
        };
        match self {
            Self::Answers(code, wait, text) => {
                let code = StatusCode::from_u16(code).expect("a status");
                let wait = wait.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
                match wait {
                    Some(header) => (code, header, text).into_response(),
                    None => (code, text).into_response(),
                }
            }
            Self::HangsMidway => {
                let first = stream::once(future::ready(Ok(half(rows))));
                body(first.chain(stream::pending()).boxed())
            }
            Self::BreaksOff => {
                let reset = Err(io::Error::from(io::ErrorKind::ConnectionReset));
                body(stream::iter([Ok(half(rows)), reset]).boxed())
            }
            Self::Gigantic(size) => {
                let begin = r#"{"status":"success","data":{"resultType":"vector","result":["#;
                let row = r#"{"metric":{"target_model_name":"llama"},"value":[1,"1"]},"#;
                let rows = Bytes::from(row.repeat(1000));
                let many = stream::iter(std::iter::repeat_n(rows.clone(), size / rows.len() + 1));
                let all = stream::once(future::ready(Bytes::from(begin))).chain(many);
                body(all.map(Ok).boxed())
            }
            Self::Partial => {
                let mut answer = vector(&rows);
                answer["warnings"] = json!(["store 10.0.0.1 is out of reach"]);
                axum::Json(answer).into_response()
            }
            Self::Empty => axum::Json(vector(&[])).into_response(),
            Self::Rows(rows) => axum::Json(vector(&rows)).into_response(),
            // These two are in the rows already.
            Self::ClockAhead(_) | Self::Stale(_) => axum::Json(vector(&rows)).into_response(),
        }
    }
}
