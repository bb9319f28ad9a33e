//! `scale-from-zero demo`: everything the control loop needs, inside the process.
//!
//! A small Kubernetes API ([`kubernetes`]) and Prometheus endpoint ([`prometheus`]), a simulated
//! [`world`] of models behind them, and a [`story`] of what is seen to happen when the real loop runs
//! against both over HTTP. Its status page has
//! buttons besides ([`console`]), to send requests and to break links of the wake path. The tests use the same two servers.

mod base;
pub mod browser;
pub mod columns;
mod connection;
mod console;
mod epp;
pub mod kubernetes;
pub mod prometheus;
mod stage;
pub mod story;
pub mod world;

use std::{
    future::Future,
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{config::Config, report::Extras};
use stage::Stage;

/// How long the first round may take at speed 1, whatever the machine does meanwhile.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long the loop may take to end.
const END: Duration = Duration::from_secs(10);

/// What the demo can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// End after the first round.
    pub once: bool,
    /// Models to simulate; a handful where it is not said.
    pub models: Option<usize>,
    /// How many times faster than by itself the story goes; above 0.
    pub speed: f64,
    /// Where the status page is to be: on loopback. Else port 8085 or any free one of it.
    pub address: Option<SocketAddr>,
    /// Whether no requests come by themselves.
    pub quiet: bool,
    /// Whether to open the status page in a browser.
    pub open: bool,
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A speed that is none.
    #[error("--speed must be a number above 0, not {0}")]
    Speed(f64),
    /// A status page that others could reach.
    #[error(
        "--address must be on loopback, 127.0.0.1:8085 for example, not {0}: whoever reaches the demo may play with it"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("--address {address} cannot be had: {source}; choose another port, or leave it out")]
    Address {
        /// Which one.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No models.
    #[error("--models must be 1 or more")]
    NoModels,
    /// One of the embedded servers did not start.
    #[error("the embedded {what} could not be started on 127.0.0.1: {source}")]
    Start {
        /// Which one.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The embedded API refused an object of the simulated world; a bug.
    #[error("the embedded Kubernetes API refuses an object of the demo: {0}")]
    World(#[from] kubernetes::Failure),
    /// The URL of an embedded server is none; a bug.
    #[error("an embedded server has no proper URL: {0}")]
    Url(#[from] http::uri::InvalidUri),
    /// The story could not be printed.
    #[error("cannot print the story: {0}")]
    Print(#[from] io::Error),
    /// The control loop failed.
    #[error("the control loop failed: {0}")]
    Loop(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The control loop ended though nobody asked it to.
    #[error("the control loop ended before the story did")]
    LoopEnded,
    /// The control loop did not end when it was asked to.
    #[error("the control loop did not end within {} s of being asked to", END.as_secs())]
    LoopHangs,
    /// The first round did not come to its end.
    #[error("not every model was woken and served within {} s:\n  {}", within.as_secs(), lacking.join("\n  "))]
    Unfinished {
        /// How long it had.
        within: Duration,
        /// Each model, and what it lacks.
        lacking: Vec<String>,
    },
}

/// Runs the demo: starts the embedded servers, simulated models and the loop, and tells on `out` what
/// happens. `start_loop` is handed the loop's configuration, the way to the API, what its listener is to show
/// besides, and the token that ends it. Returns after the first round with `once`, else at Ctrl-C or when `out` is closed.
///
/// # Errors
/// Where something does not start, the loop fails, or the first round of `once` does not end in time.
pub async fn run<L, F, E>(options: Options, out: impl Write, start_loop: L) -> Result<(), DemoError>
where
    L: FnOnce(Config, kube::Config, Extras, CancellationToken) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut stage = Stage::build(options).await?;
    let end = CancellationToken::new();
    let (config, cluster, extras) = (
        stage.config.clone(),
        stage.kube.client_config()?,
        stage.extras.clone(),
    );
    let control = start_loop(config, cluster, extras, end.clone());
    let mut control = Box::pin(control);
    let told = tokio::select! {
        ended = &mut control => return Err(match ended {
            Err(error) => DemoError::Loop(error.into()),
            Ok(()) => DemoError::LoopEnded,
        }),
        told = Box::pin(stage.tell(out)) => told,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    end.cancel();
    // The servers last until the loop has ended.
    let ended = timeout(END, control).await;
    drop(stage);
    match told {
        // Whoever read the story has heard enough.
        Err(DemoError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        told => told?,
    }
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(DemoError::Loop(error.into())),
        Err(_) => Err(DemoError::LoopHangs),
    }
}
