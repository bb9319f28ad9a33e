//! The commands, each from its arguments to its end.

mod completions;
mod config;
mod version;

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{ConfigArgs, RunArgs, WakeArgs},
    cluster::client,
    config::{Change, Config, ConfigError, Environment, Loaded, Watched},
    logging::Logging,
    output,
    report::{Extras, Metrics},
    run::{self, Setup},
    wake,
};

pub use self::{
    completions::{CompletionsArgs, ManArgs, completions, man},
    config::{ConfigCommandArgs, config},
    version::{VersionArgs, version},
};

/// How a command prints what it has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// `run`: the control loop, until SIGTERM or SIGINT.
///
/// # Errors
/// What makes running pointless.
pub async fn run(args: RunArgs) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    let (config, watched) = load(&args.config)?;
    let logging = Logging::start(config.log);
    let metrics = Metrics::new();
    let reloads = follow(watched, args.config.dry_run, logging, metrics.clone());
    let setup = Setup {
        config,
        reloads: Some(reloads),
        cluster: client::config().await?,
        instance: instance(),
        metrics,
        extras: Extras::default(),
    };
    Ok(run::run(setup, shutdown).await?)
}

/// `wake`: one wake by hand.
///
/// # Errors
/// Why it was not woken.
pub async fn wake(args: WakeArgs) -> anyhow::Result<()> {
    let (config, _) = load(&args.config)?;
    Logging::start(config.log);
    let client = client::client(&client::config().await?)?;
    let instance = instance();
    let wake = wake::wake(&client, &config, &args.variant.0, config.dry_run, &instance);
    let told = tokio::time::timeout(wake::LONGEST, wake)
        .await
        .context("the API server takes too long")??;
    Ok(output::print(&format!("{told}\n"))?)
}

/// Reads the configuration, and makes ready to follow its file.
fn load(args: &ConfigArgs) -> Result<(Config, Watched), ConfigError> {
    let environment = Environment::of_process();
    let loaded = match &args.config {
        Some(file) => crate::config::load(file, &environment)?,
        None => Loaded::default(),
    };
    let mut config = loaded.config.clone();
    config.dry_run |= args.dry_run;
    Ok((config, Watched::new(args.config.clone(), environment, loaded)))
}

/// Follows the file in a task of its own; good changes come out, bad ones are told.
fn follow(mut watched: Watched, dry_run: bool, logging: Logging, metrics: Metrics) -> mpsc::Receiver<Config> {
    let (say, reloads) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            match watched.next().await {
                Change::Good(mut config) => {
                    config.dry_run |= dry_run;
                    logging.change(config.log);
                    if say.send(*config).await.is_err() {
                        return;
                    }
                }
                Change::Bad(error) => {
                    metrics.config_rejected();
                    tracing::error!(%error, "The configuration has changed and is not valid; the last good one stays in force");
                }
                Change::Restored => {
                    metrics.config_restored();
                    tracing::info!("The configuration is valid again, and says what is in force");
                }
            }
        }
    });
    reloads
}

/// Cancelled at the first SIGTERM or SIGINT. A second one ends the process at once.
fn on_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if !first {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    Ok(shutdown)
}

/// A name for this process: the pod's, with the process id where several may share a host.
fn instance() -> Arc<str> {
    let host = std::env::var("POD_NAME")
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_default();
    let host = if host.is_empty() { "scale-from-zero" } else { &host };
    format!("{host}-{}", std::process::id()).into()
}

/// `demo`: the same loop against an embedded cluster, with its story on standard output.
///
/// # Errors
/// Why the story did not end well.
#[cfg(feature = "demo")]
pub async fn demo(args: crate::cli::DemoArgs) -> anyhow::Result<()> {
    use std::io::IsTerminal as _;

    use crate::{
        config::{Log, LogFormat},
        demo::{self, Options},
    };

    let level = if args.verbose {
        tracing::Level::DEBUG
    } else {
        tracing::Level::WARN
    };
    let options = Options {
        once: args.once,
        models: args.models,
        speed: args.speed,
        address: args.address,
        quiet: args.quiet,
        open: !args.once
            && !args.no_open
            && demo::browser::is_at_hand(std::io::stdout().is_terminal(), |name| std::env::var_os(name)),
    };
    let log = Log {
        level,
        format: LogFormat::Text,
    };
    Logging::start(log);
    let start = |config, cluster, extras, shutdown| {
        let setup = Setup {
            config,
            reloads: None,
            cluster,
            instance: instance(),
            metrics: Metrics::new(),
            extras,
        };
        run::run(setup, shutdown)
    };
    Ok(demo::run(options, std::io::stdout(), start).await?)
}
