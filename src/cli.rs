//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::wake::VariantArgument;

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
  scale-from-zero wake llm/llama-8b-autoscaler one wake by hand"
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
    /// Wakes one variant by hand, by the same rules of writing as the loop.
    Wake(WakeArgs),
    /// Shows the whole thing at work in this process: a small Kubernetes API, a Prometheus endpoint, simulated models.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
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
pub struct RunArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `wake`.
#[derive(Args, Debug)]
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
