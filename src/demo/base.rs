//! What the loop is started with in the demo.

use std::net::SocketAddr;

use http::Uri;

use super::{prometheus::Queries, world::Pace};
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

/// The queries that the loop will ask under a configuration.
pub(super) fn queries(config: &Config) -> Queries {
    Queries {
        demand: query::demand(&config.query),
        age: query::age(&config.query).unwrap_or_default(),
        signal: query::signal(&config.query).unwrap_or_default(),
    }
}
