//! The `Authorization` header, from files that may be rotated at any time.

use std::{io, path::Path};

use http::{HeaderValue, header::AUTHORIZATION};

use super::{
    error::{Failure, Reason},
    file,
};
use crate::config::Auth;

/// The header for the next query, marked sensitive; `None` where none is wanted. The file is read anew
/// each time, since Kubernetes rotates tokens in place.
///
/// `http` only lends its way of writing the header; nothing is sent.
pub(super) async fn authorization(
    auth: &Auth,
    http: &reqwest::Client,
) -> Result<Option<HeaderValue>, Failure> {
    let request = http.get("http://localhost/");
    let (key, file, request) = match auth {
        Auth::None => return Ok(None),
        Auth::BearerTokenFile(file) => {
            let key = "prometheus.bearerTokenFile";
            (key, file, request.bearer_auth(secret(key, file).await?))
        }
        Auth::Basic {
            username,
            password_file: file,
        } => {
            let key = "prometheus.basicAuth.passwordFile";
            (
                key,
                file,
                request.basic_auth(username, Some(secret(key, file).await?)),
            )
        }
    };
    request
        .build()
        .ok()
        .and_then(|mut request| request.headers_mut().remove(AUTHORIZATION))
        .map(Some)
        .ok_or_else(|| {
            failure(
                key,
                file,
                "holds bytes that cannot stand in a header; write the bare secret into it",
            )
        })
}

/// The trimmed content of a file that must hold something.
async fn secret(key: &str, file: &Path) -> Result<String, Failure> {
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || file::read(&path)).await;
    let content = read.map_err(io::Error::other).and_then(|content| content);
    let text = content
        .and_then(|bytes| String::from_utf8(bytes).map_err(|error| io::Error::other(error.utf8_error())));
    let text = text.map_err(|error| {
        failure(
            key,
            file,
            &format!("cannot be read: {error}; mount the file there, or correct the path"),
        )
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(failure(key, file, "is empty; write the secret into it"));
    }
    Ok(text.to_owned())
}

fn failure(key: &str, file: &Path, problem: &str) -> Failure {
    Failure::new(
        Reason::Credentials,
        format!("{key}: {} {problem}", file.display()),
    )
}
