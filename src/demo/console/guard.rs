//! Who may play: pages of this very server, and people on this machine.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::refuse;

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

/// Whether a Host header means this machine, whatever the port.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    // What stands before an @ is none of a host's business.
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_pass() {
        for (host, passes) in [
            ("localhost", true),
            ("localhost:8085", true),
            ("LocalHost:1", true),
            ("127.0.0.1:8085", true),
            ("127.0.0.2", true),
            ("[::1]:8085", true),
            ("[::1]", true),
            ("", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:80", false),
            ("10.0.0.1:8085", false),
            ("[::2]:80", false),
            ("localhost@evil.example", false),
            ("evil.example@localhost", false),
            ("local host", false),
        ] {
            assert_eq!(is_this_machine(host), passes, "{host}");
        }
    }
}
