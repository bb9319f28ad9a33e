//! Who may play: pages of this very server, and people on this machine.

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::refuse;
use crate::report::is_this_machine;

/// The header that a change carries. A page of another site cannot send it without a preflight, which is not granted.
const HEADER: &str = "x-scale-from-zero-demo";

/// Lets through what may play.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        let error = format!(
            "the demo answers to localhost, 127.0.0.1 and [::1] only, not to the host {:?}; open it by its address on the \
             terminal",
            host.unwrap_or_default()
        );
        return refuse(StatusCode::FORBIDDEN, &error);
    }
    if request.method() != Method::GET && request.headers().get(HEADER).is_none_or(|value| value != "1") {
        let error = "a change must carry the header X-Scale-From-Zero-Demo: 1";
        return refuse(StatusCode::FORBIDDEN, error);
    }
    next.run(request).await
}
