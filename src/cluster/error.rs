//! Answers of the API server, sorted into what they mean for a wake.

use std::{error::Error as _, time::Duration};

use crate::{core::Failure, retry_after::in_body, text::one_line};

/// A request that failed: what it was, why, and how long the server asks us to wait.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}: {message}")]
pub struct RequestError {
    /// The request, e.g. `patch deployments/scale llm/llama`.
    pub what: String,
    /// What it means.
    pub failure: Failure,
    /// The server's words, or the connection's.
    pub message: String,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl RequestError {
    /// A request without an answer within its deadline.
    pub(super) fn timeout(what: String, deadline: Duration) -> Self {
        Self {
            what,
            failure: Failure::NoAnswer,
            message: format!("no answer within {}", humantime::format_duration(deadline)),
            retry_after: None,
        }
    }

    /// A request that kube says has failed.
    pub(super) fn from_kube(what: String, error: &kube::Error) -> Self {
        let (failure, retry_after) = match error {
            kube::Error::Api(status) => {
                let details = status.details.as_ref();
                let wait = details.and_then(|d| in_body(d.retry_after_seconds));
                (failure(status.code), wait)
            }
            _ => (Failure::NoAnswer, None),
        };
        Self {
            what,
            failure,
            message: describe(error),
            retry_after,
        }
    }
}

/// What a status code means for a wake.
pub(super) fn failure(code: u16) -> Failure {
    match code {
        409 => Failure::Conflict,
        401 => Failure::Unauthorized,
        403 => Failure::Forbidden,
        404 | 410 => Failure::NotFound,
        429 => Failure::Throttled,
        400 | 405 | 413 | 415 | 422 => Failure::Rejected,
        _ => Failure::Unavailable,
    }
}

/// The error with its causes, each once, on one line.
pub(super) fn describe(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return one_line(&format!("{} {}: {}", status.code, status.reason, status.message));
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    one_line(&text)
}
