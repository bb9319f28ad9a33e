//! Arguments of `check`.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, ValueEnum};

use crate::check::gather::Who;

/// The shortest time between two looks: each reads every object.
const SHORTEST: Duration = Duration::from_millis(500);

/// Arguments of `check`.
#[derive(Args, Debug, Default)]
#[command(after_help = "\
Examples:
  scale-from-zero check                               everything in the scope of the configuration
  scale-from-zero check -n llm llama-8b-autoscaler    one variant
  scale-from-zero check --explain meta/llama-3.1-8b   one model, from request to replica
  scale-from-zero check --watch                       again every 2 s, until Ctrl-C
  scale-from-zero check --objects manifests/          before it is applied, without a cluster
  scale-from-zero check --objects manifests/ --samples metrics.txt
  scale-from-zero check --service-account llm/wva     what that account may do, not who asks
  scale-from-zero check -o json | jq '.problems[].code'

The cluster is found through KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount; Prometheus as the configuration
says. Nothing is written. What each code means: docs/check.md.

Exit status: 0 all well (notes do not count); 1 problems were found; 2 it could not be checked: the configuration is not
valid, the API server does not answer, what was asked for is not there, or the command line is wrong. Ctrl-C ends --watch
with the status of the last look.")]
pub struct CheckArgs {
    /// The one variant to check. Without --namespace, in whatever namespace it is.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Only this namespace. With --objects also the namespace of objects that name none.
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// The configuration file; see config.example.yaml. Without one, the defaults hold.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check manifests in this folder or file instead of a cluster.
    #[arg(long, value_name = "DIR")]
    pub objects: Option<PathBuf>,
    /// Take the metrics from this file: what an EPP serves at /metrics, or an answer of Prometheus as JSON.
    #[arg(long, value_name = "FILE", requires = "objects")]
    pub samples: Option<PathBuf>,
    /// How the outcome is printed.
    #[arg(long, short, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Output,
    /// Tell the story of one model (or variant), link by link from a request to a replica.
    #[arg(long, value_name = "MODEL", conflicts_with = "name")]
    pub explain: Option<String>,
    /// Look again and again. On a terminal the picture is redrawn in place.
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, require_equals = true, default_missing_value = "2s")]
    pub watch: Option<Interval>,
    /// Ask what this account may do, such as the one that the program runs under, instead of who checks.
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "objects")]
    pub service_account: Option<Account>,
    /// When to use colours. `NO_COLOR` is honoured.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
}

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people, as wide as the terminal.
    #[default]
    Table,
    /// For people: every variant and every problem in full, nothing cut.
    Wide,
    /// For programs; the fields are documented in docs/check.md.
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// From one look to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub Duration);

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let told = |why: &dyn std::fmt::Display| format!("{why}; write a time such as 2s or 500ms");
        let interval = humantime::parse_duration(text).map_err(|error| told(&error))?;
        if interval < SHORTEST {
            return Err(told(&"each look reads every object, so the shortest is 500ms"));
        }
        Ok(Self(interval))
    }
}

/// A ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(pub Who);

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // As the API server names it, too.
        let plain = text
            .strip_prefix("system:serviceaccount:")
            .map(|rest| rest.replacen(':', "/", 1));
        let plain = plain.as_deref().unwrap_or(text);
        match plain.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self(Who::ServiceAccount {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                }))
            }
            _ => Err("write NAMESPACE/NAME of a ServiceAccount, e.g. llm/workload-variant-autoscaler".into()),
        }
    }
}
