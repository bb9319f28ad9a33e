//! What the loop is started with in the demo.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use http::Uri;

use super::{DemoError, Options, prometheus::Queries, world::Pace};
use crate::{
    config::{Backoff, Config, Prometheus, Query, Server, Wake},
    prometheus::query,
};

/// Where the status page is, if that port is free: the one of `run`.
const PORT: u16 = 8085;

/// The configuration of the loop: the defaults, against the embedded servers, at the story's pace.
pub(super) fn config(prometheus: Uri, server: SocketAddr, pace: &Pace) -> Config {
    // `least` is what the machine itself may take, however fast the story goes: nothing is held to be late for that.
    let after = |secs: u64, least: u64| {
        let paced = Duration::from_secs(secs).div_f64(pace.speed);
        paced.max(Duration::from_millis(least))
    };
    Config {
        prometheus: Prometheus {
            urls: vec![prometheus],
            ..Prometheus::default()
        },
        query: Query {
            signal_interval: after(4, 500),
            ..Query::default()
        },
        wake: Wake {
            // The world parks what is idle. After a shorter spell of serving that would be a revert,
            // with backoff; later it is parking, and the next demand is a fresh wake.
            settle: Duration::from_secs(3).div_f64(pace.speed),
            ready_timeout: after(15, 3000),
            unschedulable_after: after(5, 1000),
            manual_hold: after(20, 2000),
            backoff: Backoff {
                initial: after(1, 200),
                max: after(10, 1000),
            },
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

/// Where the status page will be: on loopback only, since anybody who reaches it may play. The loop is told before it
/// listens, so that the story can say where.
pub(super) fn address(options: &Options) -> Result<SocketAddr, DemoError> {
    let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let free = |address: SocketAddr| TcpListener::bind(address).and_then(|listener| listener.local_addr());
    let start = |source| DemoError::Start {
        what: "status page",
        source,
    };
    match options.address {
        Some(address) if !address.ip().is_loopback() => Err(DemoError::NotLoopback(address)),
        Some(address) => free(address).map_err(|source| DemoError::Address { address, source }),
        None if options.once => free(loopback(0)).map_err(start),
        None => free(loopback(PORT)).or_else(|_| free(loopback(0))).map_err(start),
    }
}
