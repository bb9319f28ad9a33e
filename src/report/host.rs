//! Under which name the listener may be asked for.
//!
//! A page of another site cannot read what the listener answers, unless its own name comes to point at the address that the
//! listener is reached by (DNS rebinding); `kubectl port-forward` and programs started by hand offer the address that every
//! such page can guess. What comes in by the loopback interface must therefore name this machine or an address: a browser
//! sends the name of the site, which is neither. Over the network names are those of Services and of proxies, which nobody
//! here knows, and a browser that gets through to a pod is within what may reach the port anyway.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::text::tame;

/// Lets through what does not name another site, and probes, which tell nothing.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let is_probe = matches!(request.uri().path(), "/livez" | "/readyz");
    let host = request.headers().get(header::HOST);
    // No browser leaves it out.
    let Some(host) = host.filter(|_| !is_probe) else {
        return next.run(request).await;
    };
    let host = String::from_utf8_lossy(host.as_bytes());
    if address(&host).is_some() || is_this_machine(&host) {
        return next.run(request).await;
    }
    let text = format!(
        "asked for as {:?}; on this machine scale-from-zero answers to localhost and to addresses only. A proxy beside it must \
         send one of these as Host\n",
        tame(&host, 200)
    );
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

/// Whether a Host header means this machine, whatever the port.
pub fn is_this_machine(host: &str) -> bool {
    name(host).is_some_and(|name| name.eq_ignore_ascii_case("localhost"))
        || address(host).is_some_and(|address| address.is_loopback())
}

/// The address in a Host header that has one in place of a name.
fn address(host: &str) -> Option<IpAddr> {
    let name = name(host)?;
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    inner.unwrap_or(&name).parse().ok()
}

/// What stands before the port.
fn name(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    // What stands before an @ is none of a host's business.
    (!authority.as_str().contains('@')).then(|| authority.host().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_and_addresses_pass() {
        for (host, is_here, is_address) in [
            ("localhost", true, false),
            ("localhost:8085", true, false),
            ("LocalHost:1", true, false),
            ("127.0.0.1:8085", true, true),
            ("127.0.0.2", true, true),
            ("[::1]:8085", true, true),
            ("[::1]", true, true),
            ("10.0.0.1:8085", false, true),
            ("[::2]:80", false, true),
            ("", false, false),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("127.0.0.1.evil.example:80", false, false),
            ("localhost@evil.example", false, false),
            ("evil.example@localhost", false, false),
            ("evil.example@127.0.0.1", false, false),
            ("local host", false, false),
        ] {
            assert_eq!(is_this_machine(host), is_here, "{host}");
            assert_eq!(address(host).is_some(), is_address, "{host}");
        }
    }
}
