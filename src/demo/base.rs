//! What the loop is started with in the demo.

use std::net::SocketAddr;

use http::Uri;

use super::world::Pace;
use crate::{
    config::{Config, Prometheus, Server, Wake},
    prometheus::query,
};

/// The configuration of the loop: the defaults, against the embedded servers, at the story's pace.
pub(super) fn config(prometheus: Uri, server: SocketAddr, pace: &Pace) -> Config {
    Config {
        prometheus: Prometheus {
            urls: vec![prometheus],
            ..Prometheus::default()
        },
        wake: Wake {
            // The world parks what is idle. After a shorter spell of serving that would be a revert,
            // with backoff; later it is parking, and the next demand is a fresh wake.
            settle: pace.idle / 2,
            ..Wake::default()
        },
        server: Server { address: server },
        ..Config::default()
    }
}

/// The two queries that the loop will ask under a configuration: demand, and the age of its samples.
pub(super) fn queries(config: &Config) -> (String, String) {
    let age = query::age(&config.query).unwrap_or_default();
    (query::demand(&config.query), age)
}
