//! The whole program, started as its users start it, against an API server and a Prometheus.
//!
//! Most trials run twice: as `embedded::NAME` on the Kubernetes API of `demo` with a scripted
//! Prometheus, and as `real::NAME` on kube-apiserver, etcd and Prometheus, under the rights that
//! `manifests/` grants. That holds the embedded API to the real one. The real servers are those in
//! the folder that `KUBEBUILDER_ASSETS` names (`scripts/test` sees to it); without it their trials
//! are reported as ignored, or with `REQUIRE_REAL=1` as failed.
//!
//! A trial has a namespace of its own, and the program watches that one only, so that trials run
//! beside each other. Those that need more than a namespace (`Suite::both_alone`) get an API server
//! of their own, one at a time. Nothing sleeps: a trial waits for what it wants to see, up to
//! [`wait::PATIENCE`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(
    clippy::float_cmp,
    reason = "what is compared are counts, which metrics hold as floats"
)]

mod autoscaler;
mod browser;
mod cluster;
mod config;
mod demand;
mod exposition;
mod http;
mod log;
mod objects;
#[allow(dead_code, reason = "it is made for the tests of the Prometheus client")]
#[path = "../prometheus/pki.rs"]
mod pki;
mod program;
mod relay;
mod servers;
mod suite;
mod trials;
mod wait;
mod world;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::suite::Suite;

/// Trials at once: most of them wait most of the time.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    suite::keep_failures();
    let mut suite = Suite::new(runtime.handle().clone());
    trials::register(&mut suite);
    // Started here, on the one thread that lives as long as the process: see `servers::child`.
    let servers = runtime.block_on(suite.start_servers(&arguments));
    let conclusion = libtest_mimic::run(&arguments, suite.trials());
    // What the trials left running goes before the runtime that reaps it.
    drop(servers);
    conclusion.exit_code()
}
