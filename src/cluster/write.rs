//! One way to write: a request of kube's making, sent with a deadline, its answer sorted.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use kube::{
    Client,
    api::{Patch, PatchParams},
    client::Body,
    core::Status,
};
use serde_json::Value;

use super::error::{RequestError, failure};
use crate::{
    core::Wall,
    retry_after::{in_body, retry_after},
    text::one_line,
};

/// The field manager of all our writes: what `managedFields` names us by.
pub const FIELD_MANAGER: &str = "scale-from-zero";

/// A merge patch as our field manager.
pub(super) fn merge_patch() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    }
}

/// A merge patch of an object or of a subresource of it.
pub(super) fn patch(
    path: &str,
    name: &str,
    subresource: Option<&str>,
    body: &Value,
) -> Result<Request<Vec<u8>>, kube::core::request::Error> {
    let request = kube::core::Request::new(path);
    match subresource {
        Some(sub) => request.patch_subresource(sub, name, &merge_patch(), &Patch::Merge(body)),
        None => request.patch(name, &merge_patch(), &Patch::Merge(body)),
    }
}

/// Sends a write and waits for its answer, up to `deadline`.
///
/// kube's own handling of errors drops the header `Retry-After`, which is all that a server under
/// priority and fairness says; hence the answer is read here.
pub(super) async fn send(
    client: &Client,
    what: String,
    request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    deadline: Duration,
) -> Result<(), RequestError> {
    let refused = |message: String| RequestError {
        what: what.clone(),
        failure: crate::core::Failure::Rejected,
        message,
        retry_after: None,
    };
    let request = request
        .map_err(|error| refused(error.to_string()))?
        .map(Body::from);
    let exchange = async {
        let response = client
            .send(request)
            .await
            .map_err(|e| RequestError::from_kube(what.clone(), &e))?;
        let status = response.status();
        if status.is_success() {
            drain(response);
            return Ok(());
        }
        Err(refusal(what.clone(), status, response).await)
    };
    match tokio::time::timeout(deadline, exchange).await {
        Ok(answer) => answer,
        Err(_) => Err(RequestError::timeout(what.clone(), deadline)),
    }
}

/// Reads an answer to its end, beside all else: the watch brings the object, so nobody waits for this one, and what the
/// head has said holds whatever becomes of the body. But where bodies are dropped unread, h2 resets their streams when
/// more of them comes, and after 1,024 such resets it closes the connection (`too_many_internal_resets`), the watches
/// on it and all.
fn drain(response: Response<Body>) {
    const LONGEST: usize = 4 * 1024 * 1024;
    let body = http_body_util::Limited::new(response.into_body(), LONGEST);
    tokio::spawn(http_body_util::BodyExt::collect(body));
}

/// Reads why a write was refused.
async fn refusal(what: String, status: StatusCode, response: Response<Body>) -> RequestError {
    const LONGEST: usize = 64 * 1024;
    let header = retry_after(response.headers(), Wall::now());
    let body = http_body_util::Limited::new(response.into_body(), LONGEST);
    let body = http_body_util::BodyExt::collect(body)
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let parsed: Option<Status> = serde_json::from_slice(&body).ok();
    let wait = parsed
        .as_ref()
        .and_then(|s| s.details.as_ref())
        .and_then(|d| in_body(d.retry_after_seconds));
    let message = match parsed {
        Some(parsed) => format!("{} {}: {}", status.as_u16(), parsed.reason, parsed.message),
        None => format!("{status}: {}", String::from_utf8_lossy(&body)),
    };
    RequestError {
        what,
        failure: failure(status.as_u16()),
        message: one_line(&message),
        retry_after: header.or(wait),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::{StreamExt as _, stream};
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_answer_to_a_write_is_read_to_its_end() {
        let (end, mut ended) = mpsc::unbounded_channel();
        let service = tower::service_fn(move |_: Request<Body>| {
            let end = end.clone();
            let parts = stream::iter(["{", "}"]).map(|part| Ok(Bytes::from(part)));
            let last = stream::poll_fn(move |_| {
                let _ = end.send(());
                std::task::Poll::Ready(None::<Result<Bytes, std::io::Error>>)
            });
            let body = axum::body::Body::from_stream(parts.chain(last));
            async { Ok::<_, std::io::Error>(Response::new(body)) }
        });
        let client = Client::new(service, "default");
        let request = patch(
            "/apis/apps/v1/namespaces/a/deployments",
            "b",
            Some("scale"),
            &Value::Null,
        );
        let answer = send(&client, "patch".into(), request, Duration::from_secs(60)).await;
        assert!(answer.is_ok(), "{answer:?}");
        // With the client goes what could still hold the sender, had nobody read.
        drop(client);
        assert_eq!(ended.recv().await, Some(()));
    }
}
