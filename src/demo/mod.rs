//! `scale-from-zero demo`: everything the control loop needs, inside the process.
//!
//! A small Kubernetes API ([`kubernetes`]) and Prometheus endpoint ([`prometheus`]), a simulated
//! [`world`] of models behind them, and a [`story`] of what is seen to happen when the real loop runs
//! against both over HTTP. The tests use the same two servers.

mod base;
pub mod columns;
mod connection;
mod epp;
pub mod kubernetes;
pub mod prometheus;
pub mod story;
pub mod world;

use std::{
    future::Future,
    io::{self, Write},
    net::TcpListener,
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use columns::Columns;
use kubernetes::{Kube, Resource};
use prometheus::Prometheus;
use story::Story;
use world::{Pace, World};

/// Models in the demo that asks for no number.
const MODELS: usize = 4;
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
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A speed that is none.
    #[error("--speed must be a number above 0, not {0}")]
    Speed(f64),
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
/// happens. `start_loop` is handed the loop's configuration, the way to the API, and the token that
/// ends it. Returns after the first round with `once`, else at Ctrl-C or when `out` is closed.
///
/// # Errors
/// Where something does not start, the loop fails, or the first round of `once` does not end in time.
pub async fn run<L, F, E>(options: Options, out: impl Write, start_loop: L) -> Result<(), DemoError>
where
    L: FnOnce(Config, kube::Config, CancellationToken) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut stage = Stage::build(options).await?;
    let end = CancellationToken::new();
    let control = start_loop(stage.config.clone(), stage.kube.client_config()?, end.clone());
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

/// Everything but the loop.
struct Stage {
    options: Options,
    kube: Kube,
    prometheus: Prometheus,
    world: World,
    models: Vec<String>,
    config: Config,
    pace: Pace,
}

impl Stage {
    async fn build(options: Options) -> Result<Self, DemoError> {
        if !(options.speed > 0.0 && options.speed.is_finite()) {
            return Err(DemoError::Speed(options.speed));
        }
        let count = options.models.unwrap_or(MODELS);
        if count == 0 {
            return Err(DemoError::NoModels);
        }
        let start = |what| move |source| DemoError::Start { what, source };
        let pace = Pace::of(count, options.speed);
        let kube = Kube::start().await.map_err(start("Kubernetes API"))?;
        let models = world::cast(count);
        let names = models.iter().map(|model| model.name.clone()).collect();
        let world = World::new(kube.clone(), models, pace)?;
        // The loop is told where to listen before it does, so that the story can say where.
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(start("status page"))?;
        let mut config = base::config(http::Uri::from_static("http://127.0.0.1"), address, &pace);
        let scrape = Duration::from_secs(1).div_f64(options.speed);
        let prometheus = Prometheus::start(base::queries(&config), scrape, world.queues()).await;
        let prometheus = prometheus.map_err(start("Prometheus endpoint"))?;
        config.prometheus.urls = vec![prometheus.url().parse()?];
        Ok(Self {
            options,
            kube,
            prometheus,
            world,
            models: names,
            config,
            pace,
        })
    }

    /// Moves the world on and tells of it: until the first round is over with `once`, else for ever.
    async fn tell(&mut self, out: impl Write) -> Result<(), DemoError> {
        let mut story = Story::new(out, self.models.iter().map(String::as_str));
        self.introduce(&mut story)?;
        let within = DEADLINE.max(DEADLINE.div_f64(self.options.speed));
        let mut steps = interval(Duration::from_millis(20).div_f64(self.pace.speed.clamp(1.0, 20.0)));
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        let mut rounds = 0;
        loop {
            steps.tick().await;
            let now = started.elapsed();
            for happening in self.world.step(now, &self.prometheus.take_told()) {
                story.tell(now, &happening)?;
            }
            if self.world.rounds() > rounds {
                rounds = self.world.rounds();
                self.conclude(&mut story)?;
                if self.options.once {
                    return Ok(());
                }
            }
            if self.options.once && now > within {
                return Err(DemoError::Unfinished {
                    within,
                    lacking: self.world.unfinished(),
                });
            }
        }
    }

    fn introduce(&self, story: &mut Story<impl Write>) -> io::Result<()> {
        let variants = self.kube.list(Resource::VariantAutoscalings).len();
        story.say(&format!(
            "{} models with {variants} variants, all parked at 0 replicas.",
            self.models.len()
        ))?;
        story.say(&format!("  Kubernetes API   {}", self.kube.url()))?;
        story.say(&format!("  Prometheus       {}", self.prometheus.url()))?;
        story.say(&format!(
            "  control loop     http://{}/metrics",
            self.config.server.address
        ))?;
        story.say("")
    }

    fn conclude(&self, story: &mut Story<impl Write>) -> io::Result<()> {
        let count = self.models.len();
        story.say(&format!(
            "\nAll {count} models were asked for, woken, served and reported. kubectl get va -A:"
        ))?;
        let variants = self.kube.list(Resource::VariantAutoscalings);
        story.table(&variants.iter().map(Columns::of).collect::<Vec<_>>())?;
        story.say("")
    }
}
