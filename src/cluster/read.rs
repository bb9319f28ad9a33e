//! One way to read what no watch and no type of kube's serves: a GET with a deadline, its answer sorted.

use std::time::Duration;

use kube::Client;
use serde::de::DeserializeOwned;

use super::error::RequestError;
use crate::core::Failure;

/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Reads what stands at a path. `what` names the request in errors.
///
/// # Errors
/// What the server answered; [`Failure::NotFound`] where nothing is there.
pub(super) async fn get<T: DeserializeOwned>(
    client: &Client,
    what: String,
    path: &str,
) -> Result<T, RequestError> {
    send(client, what, http::Request::get(path).body(Vec::new()), DEADLINE).await
}

/// Sends a request, and waits for its whole answer no longer than `deadline`.
///
/// # Errors
/// What the server answered.
pub(super) async fn send<T: DeserializeOwned>(
    client: &Client,
    what: String,
    request: http::Result<http::Request<Vec<u8>>>,
    deadline: Duration,
) -> Result<T, RequestError> {
    let request = request.map_err(|error| RequestError {
        what: what.clone(),
        failure: Failure::Rejected,
        message: error.to_string(),
        retry_after: None,
    })?;
    match tokio::time::timeout(deadline, client.request::<T>(request)).await {
        Ok(answer) => answer.map_err(|error| RequestError::from_kube(what, &error)),
        Err(_) => Err(RequestError::timeout(what, deadline)),
    }
}
