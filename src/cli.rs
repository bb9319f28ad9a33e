//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    check::command::CheckArgs,
    commands::{CompletionsArgs, ConfigCommandArgs, ManArgs, VersionArgs},
    wake::VariantArgument,
};

/// Wakes parked language models on Kubernetes.
///
/// A sidecar for the Workload-Variant-Autoscaler (WVA) of llm-d: it asks Prometheus which models have
/// requests waiting, and scales their targets from 0 to 1.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    after_help = "\
The cluster is found through KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.

Examples:
  scale-from-zero demo --once                  see it work, without a cluster
  scale-from-zero run --config config.yaml     the control loop
  scale-from-zero run --dry-run                say what would be woken, write nothing
  scale-from-zero check                        why a model does not wake
  scale-from-zero wake llm/llama-8b-autoscaler one wake by hand
  scale-from-zero config --config config.yaml  what is in force, and where it was set

Exit status: 0 done; 1 failed, with the reason on standard error; 2 the command line is wrong; 130 ended at once, by a \
second signal. Where a command means something else by it, its own help says so."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the control loop until it is asked to end.
    Run(RunArgs),
    /// Walks the wake path link by link, and says what is broken and how to mend it.
    Check(CheckArgs),
    /// Wakes one variant by hand, by the same rules of writing as the loop.
    Wake(WakeArgs),
    /// Shows the whole thing at work in this process: a small Kubernetes API, a Prometheus endpoint, simulated models.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Prints the configuration in force as YAML, and where each value was set.
    Config(ConfigCommandArgs),
    /// Prints the version, and what it was built from.
    Version(VersionArgs),
    /// Prints a script with which a shell completes this command line.
    Completions(CompletionsArgs),
    /// Writes man pages.
    #[command(hide = true)]
    Man(ManArgs),
}

/// Where the configuration is.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// The configuration file; see config.example.yaml. Without one, the defaults hold.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Decide and report, write nothing. Also `dryRun: true` in the file.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(after_help = "\
It says what it does in its log, and at server.address: /metrics, /livez, /readyz, /api/status, /api/decisions. \
SIGTERM or SIGINT ends it once writes under way are done; a second one at once.

Examples:
  scale-from-zero run --config /etc/scale-from-zero/config.yaml
  scale-from-zero run --dry-run            say what would be woken, write nothing

Exit status: 0 asked to end; 1 it cannot go on, with the reason on standard error; 130 a second signal.")]
pub struct RunArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `wake`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  scale-from-zero wake llm/llama-8b-autoscaler
  scale-from-zero wake llm/llama-8b-autoscaler --dry-run

Exit status: 0 woken, or would be; 1 not woken, with the reason on standard error.")]
pub struct WakeArgs {
    /// The variant to wake: a VariantAutoscaling, else a managed ScaledObject or HorizontalPodAutoscaler of that name.
    #[arg(value_name = "NAMESPACE/NAME")]
    pub variant: VariantArgument,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `demo`.
#[cfg(feature = "demo")]
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "flags, not a state")]
#[command(after_help = "\
Examples:
  scale-from-zero demo                     until Ctrl-C
  scale-from-zero demo --once              one round, as a test of the installation
  scale-from-zero demo --models 20 --speed 4

Exit status: 0 all went well; 1 a model was not woken or served, with the reason on standard error.")]
pub struct DemoArgs {
    /// End after the first full round, with exit status 0 if every model was woken and served.
    #[arg(long)]
    pub once: bool,
    /// How many models to simulate.
    #[arg(long, value_name = "N")]
    pub models: Option<usize>,
    /// How many times faster everything goes: requests, models, and the timeouts of the loop.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// Where the status page is to be, on loopback [default: 127.0.0.1:8085, or a free port]
    #[arg(long, value_name = "127.0.0.1:PORT")]
    pub address: Option<std::net::SocketAddr>,
    /// Let no requests come by themselves: only those that you send with the buttons of the status page.
    #[arg(long)]
    pub quiet: bool,
    /// Do not open the status page in a browser.
    #[arg(long)]
    pub no_open: bool,
    /// Print the control loop's own log, too, on standard error.
    #[arg(long, short)]
    pub verbose: bool,
}
