//! `run`: starts the parts, restarts the loop when the configuration changes, and ends in order.

mod parts;

use std::{sync::Arc, time::Duration};

use kube::Client;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use self::parts::{Lease, Listener};
use crate::{
    actuate::Actuator,
    clock::Clock,
    cluster::{
        Discovered, Keda, WatchSet,
        client::{ClientError, client},
    },
    config::Config,
    core::ScopeRules,
    prometheus::{Prometheus, SetupError},
    report::{Admin, Extras, History, Metrics, Queues, ServeError, StatusRequest, bind},
    tick::Ticker,
};

/// How long writes under way may take at the end. With the rest it stays within 8 s.
const DRAIN: Duration = Duration::from_secs(5);
/// Changes from the watches that may wait for the loop.
const CHANGES: usize = 4096;

/// Why `run` ends other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No client for the API server.
    #[error(transparent)]
    Cluster(#[from] ClientError),
    /// No client for Prometheus.
    #[error(transparent)]
    Prometheus(#[from] SetupError),
    /// The listener.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A task that should run for ever has ended.
    #[error("{0} has ended unexpectedly; this is a bug in scale-from-zero, please report it")]
    Ended(&'static str),
}

/// What `run` is started with.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// Where later configurations come from.
    pub reloads: Option<mpsc::Receiver<Config>>,
    /// Where the cluster is.
    pub cluster: kube::Config,
    /// Names this process in the Lease and in Events.
    pub instance: Arc<str>,
    /// The metrics; whoever reads the file counts in them, too.
    pub metrics: Metrics,
    /// What else the listener shows.
    pub extras: Extras,
}

/// Runs until shutdown.
///
/// # Errors
/// What makes running pointless.
pub async fn run(setup: Setup, shutdown: CancellationToken) -> Result<(), RunError> {
    let config = setup.config;
    let client = client(&setup.cluster)?;
    let prometheus = Arc::new(Prometheus::new(&config.prometheus, &config.query)?);
    let socket = bind(config.server.address).await?;
    let kept = (History::default(), Queues::default());
    let (admin, asks) = Admin::new(setup.metrics.clone(), kept.0.clone(), kept.1.clone());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        cluster = %setup.cluster.cluster_url,
        prometheus = ?config.prometheus.urls,
        listening = %socket.local_addr().unwrap_or(config.server.address),
        dryRun = config.dry_run,
        "Started"
    );
    let clock = Clock::start();
    let discovered = Discovered::default();
    let actuator = Actuator::new(client.clone(), discovered.clone(), clock, setup.instance.clone());
    let mut runner = Runner {
        listener: Listener::start(socket, admin.clone(), setup.extras.clone()),
        lease: Lease::start(&client, &config.leader_election, &setup.instance),
        reloads: setup.reloads,
        instance: setup.instance,
        ticker: Ticker::new(
            clock,
            actuator,
            setup.metrics.clone(),
            kept,
            &config,
            prometheus.clone(),
        ),
        discovered,
        asks,
        metrics: setup.metrics,
        clock,
        cluster: setup.cluster,
        client,
        admin,
        extras: setup.extras,
        shutdown,
    };
    let mut current = (config, prometheus);
    let end = loop {
        match runner.follow(&current.0, current.1.clone()).await {
            Ok(Next::Reload(next)) => current = *next,
            Ok(Next::Shutdown) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    runner.lease.stop().await;
    runner.listener.stop().await;
    tracing::info!("Ended");
    end
}

/// A configuration with its client for Prometheus.
type Current = (Config, Arc<Prometheus>);

/// What comes after one configuration.
enum Next {
    Shutdown,
    Reload(Box<Current>),
}

/// What outlives a change of configuration.
struct Runner {
    cluster: kube::Config,
    /// For writes and the Lease.
    client: Client,
    clock: Clock,
    instance: Arc<str>,
    metrics: Metrics,
    admin: Admin,
    extras: Extras,
    listener: Listener,
    lease: Lease,
    reloads: Option<mpsc::Receiver<Config>>,
    ticker: Ticker,
    discovered: Discovered,
    /// Who wants to know the status.
    asks: mpsc::Receiver<StatusRequest>,
    shutdown: CancellationToken,
}

impl Runner {
    /// Ticks under one configuration until it changes or the end comes.
    async fn follow(&mut self, config: &Config, prometheus: Arc<Prometheus>) -> Result<Next, RunError> {
        let (say, changes) = mpsc::channel(CHANGES);
        let scope = ScopeRules::from(config);
        // Dropped at the end, which ends them.
        let mut watching = WatchSet::start(&self.cluster, &scope, say, self.discovered.clone())?;
        self.admin
            .started(watching.health().clone(), longest_tick(config));
        // Memory, writes under way and what the log has said go on.
        self.ticker.configure(config, changes, prometheus);
        if config.wake.guard {
            let client = self.client.clone();
            // Only to say so: nothing waits for it.
            tokio::spawn(async move { Keda::ask(&client).await.tell() });
        }
        let end = self.tick_on(config, &mut watching).await;
        if !matches!(end, Ok(Next::Reload(_))) {
            tracing::info!("Ending");
            self.lease.release();
            self.ticker.drain(DRAIN).await;
        }
        end
    }

    async fn tick_on(&mut self, config: &Config, watching: &mut WatchSet) -> Result<Next, RunError> {
        // Nothing is decided before every kind has been listed, or is known not to be.
        let mut started = false;
        loop {
            // Before the start looked at often, as that is short: it is to cost less than a second.
            let mut wait = Duration::from_millis(5);
            let began = self.clock.now();
            if started {
                let leading = self.lease.is_leading();
                self.metrics.leader.set(i64::from(leading));
                tokio::select! {
                    biased;
                    () = self.shutdown.cancelled() => return Ok(Next::Shutdown),
                    () = self.ticker.tick(leading) => wait = self.ticker.next(began),
                }
            } else {
                self.ticker.take_in();
            }
            // Kinds that variants name now. What a start finds of them is waited for as well.
            let changed = watching.follow(self.ticker.other_kinds());
            if changed {
                self.metrics.no_watches();
            } else if !started && watching.health().is_settled() {
                started = true;
                wait = Duration::ZERO;
            }
            self.admin.beat();
            let next = self.until(Instant::now() + wait, config, watching).await?;
            if let Some(next) = next {
                return Ok(next);
            }
        }
    }

    /// Waits for the next tick, and takes in what comes meanwhile.
    async fn until(
        &mut self,
        due: Instant,
        config: &Config,
        watching: &mut WatchSet,
    ) -> Result<Option<Next>, RunError> {
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(Some(Next::Shutdown)),
                new = next(&mut self.reloads) => {
                    let new = new?;
                    if let Some(current) = self.renew(config, new).await {
                        return Ok(Some(Next::Reload(Box::new(current))));
                    }
                }
                () = watching.ended() => return Err(RunError::Ended("a watch")),
                error = self.listener.ended() => return Err(error),
                error = self.lease.ended() => return Err(error),
                () = tokio::time::sleep_until(due) => return Ok(None),
                Some(ask) = self.asks.recv() => ask.answer(self.ticker.status(watching.health())),
            }
        }
    }

    /// Makes ready for a new configuration; if that cannot be done, the old one stays in force.
    async fn renew(&mut self, config: &Config, new: Config) -> Option<Current> {
        let prometheus = match Prometheus::new(&new.prometheus, &new.query) {
            Ok(prometheus) => Arc::new(prometheus),
            Err(error) => {
                self.metrics.config_rejected();
                tracing::error!(%error, "The new configuration cannot be used; the last good one stays in force");
                return None;
            }
        };
        if new.server != config.server {
            match bind(new.server.address).await {
                Ok(socket) => {
                    let listener = Listener::start(socket, self.admin.clone(), self.extras.clone());
                    std::mem::replace(&mut self.listener, listener).stop().await;
                }
                Err(error) => {
                    self.metrics.config_rejected();
                    tracing::error!(%error, "The new configuration cannot be used; the last good one stays in force");
                    return None;
                }
            }
        }
        if new.leader_election != config.leader_election {
            let lease = Lease::start(&self.client, &new.leader_election, &self.instance);
            std::mem::replace(&mut self.lease, lease).stop().await;
        }
        self.metrics.config_applied();
        tracing::info!("The configuration has changed and is in force");
        Some((new, prometheus))
    }
}

/// The next configuration, if any can come. That nobody reads the file any more is an error.
async fn next(reloads: &mut Option<mpsc::Receiver<Config>>) -> Result<Config, RunError> {
    match reloads {
        Some(reloads) => reloads
            .recv()
            .await
            .ok_or(RunError::Ended("the reading of the configuration")),
        None => std::future::pending().await,
    }
}

/// How long a tick may last before it counts as stuck: both its queries asked of every server, and as much again.
fn longest_tick(config: &Config) -> Duration {
    let servers = u32::try_from(config.prometheus.urls.len()).unwrap_or(u32::MAX);
    Duration::from_secs(30)
        + config
            .prometheus
            .timeout
            .saturating_mul(servers)
            .saturating_mul(4)
}
