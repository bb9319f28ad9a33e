//! Configuration in two stages: the raw file (serde, unknown keys refused) becomes the validated
//! [`Config`] below, so that the rest of the program never meets an invalid value.
//!
//! [`load()`] reads a file once, [`Watched`] goes on reading it. Durations are `std::time::Duration` here and humantime
//! text (`100ms`, `2m`) in the file. Every default stands in one place, `defaults.rs`; `config.example.yaml` documents
//! it, and a test holds the two together.
//!
//! ```text
//! text -> yaml.rs (tree) -> keys.rs (known keys) -> raw.rs, scalar.rs (typed) -> validate/ -> Config
//! Config -> written.rs (raw again) -> effective.rs -> text, with where each value was set
//! ```

mod defaults;
mod document;
mod effective;
mod environment;
mod error;
mod key;
mod keys;
mod load;
mod parse;
mod raw;
mod reload;
mod scalar;
mod validate;
mod words;
mod written;
mod yaml;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use http::Uri;

pub use crate::core::{Backoff, Select, Source, Unmatched};

pub use self::{
    document::yaml_value,
    effective::Effective,
    environment::Environment,
    error::{ConfigError, Place, Problem},
    keys::keys,
    load::{Fingerprint, Loaded, load},
    parse::parse,
    reload::{Change, Watched},
    yaml::documents,
};

/// Everything that can be configured, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Shortest time from the start of one tick to the start of the next.
    pub interval: Duration,
    /// Where the demand is asked for.
    pub prometheus: Prometheus,
    /// What is asked.
    pub query: Query,
    /// Which variants are ours.
    pub scope: Scope,
    /// How a wake is chosen and sent.
    pub wake: Wake,
    /// What is written into a variant's status.
    pub status: Status,
    /// Whether Kubernetes Events are written.
    pub events: bool,
    /// The optional Lease.
    pub leader_election: LeaderElection,
    /// The read-only listener.
    pub server: Server,
    /// Logging.
    pub log: Log,
    /// Decide and report, write nothing.
    pub dry_run: bool,
}

/// Where Prometheus is and how to be let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Prometheus {
    /// Base URLs of servers with the same data, at least one; the next is asked when one fails.
    pub urls: Vec<Uri>,
    /// Deadline of one query, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How a query authenticates.
    pub auth: Auth,
    /// TLS towards the servers.
    pub tls: Tls,
    /// Sent with every query, e.g. `X-Scope-OrgID`. Values may be secrets: never printed.
    pub headers: BTreeMap<String, Secret>,
    /// Added to the query string, e.g. `partial_response=false`.
    pub params: BTreeMap<String, String>,
}

/// How a query authenticates. Secrets stay in their files and are read again for each query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all, or by a client certificate.
    None,
    /// `Authorization: Bearer`, the token from this file.
    BearerTokenFile(PathBuf),
    /// HTTP basic authentication.
    Basic {
        /// Sent as it is.
        username: String,
        /// Holds the password.
        password_file: PathBuf,
    },
}

/// TLS towards Prometheus. Where `ca_file` is given, it alone is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM bundle of the only roots trusted.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key of the client, PEM; both or neither.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Take any certificate.
    pub insecure_skip_verify: bool,
}

/// A value that must not appear in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// What is asked of Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Names of the queue gauge, the preferred first; at least one, each a metric name.
    pub families: Vec<String>,
    /// Its labels.
    pub labels: Labels,
    /// Extra matchers put into every selector: label name to the exact value.
    pub matchers: BTreeMap<String, String>,
    /// Rule 3.
    pub missing_namespace: MissingNamespace,
    /// A whole PromQL query that replaces the one built from the rest.
    pub expression: Option<String>,
    /// Samples older than this wake nothing (rule 5).
    pub max_sample_age: Duration,
    /// How often the signal of EPPs is asked for (rule 4). No key of the file: only the demo, which has no time to lose,
    /// asks more often.
    pub signal_interval: Duration,
}

/// Names of the labels of the queue gauge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Namespace of the EPP, and so of its pool.
    pub namespace: String,
    /// Name of the InferencePool.
    pub pool: String,
    /// The model as the client asked for it.
    pub model: String,
    /// The model after rewriting: the one that serves.
    pub target_model: String,
}

/// What a row without a namespace may wake when several namespaces would answer it (rule 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingNamespace {
    /// Nothing, unless there is one such namespace.
    One,
    /// The model in every such namespace.
    All,
}

/// Which variants are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Namespaces watched; empty means all of the cluster. `[own]` is resolved while validating.
    pub namespaces: Vec<String>,
    /// Only variants whose label `wva.llmd.ai/controller-instance` says this; `None` takes all.
    pub controller_instance: Option<String>,
    /// The kinds of object that describe variants (rule 16), at least one. Whether the cluster has their APIs shows when
    /// they are watched; `auto` is all of them.
    pub sources: BTreeSet<Source>,
}

/// How a wake is chosen, sent and repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Rule 8.
    pub select: Select,
    /// Rule 10.
    pub unmatched: Unmatched,
    /// Whether autoscalers are kept from taking a target back during its episode (rule 17).
    pub guard: bool,
    /// Scale requests under way at once.
    pub concurrency: usize,
    /// How long a woken model may take to become ready.
    pub ready_timeout: Duration,
    /// How long without a break its pods may be unschedulable before another set is woken (rule 11); above zero.
    pub unschedulable_after: Duration,
    /// How many more sets are woken in one episode when one does not become ready (rule 11); 0 to 16.
    pub max_escalations: u32,
    /// How long a model must serve without demand before its episode ends.
    pub settle: Duration,
    /// How long a target that a person took back to zero is left alone (rule 12); zero: not at all.
    pub manual_hold: Duration,
    /// Most targets starting at once (rule 19), at least 1; `None`: any number.
    pub max_starting: Option<usize>,
    /// The same for each namespace, not above `max_starting`.
    pub max_starting_per_namespace: Option<usize>,
    /// Rule 13.
    pub backoff: Backoff,
}

/// What is written into the status of a VariantAutoscaling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether it is written at all.
    pub enabled: bool,
    /// The accelerator written where none can be found; at least 2 characters, the CRD wants it.
    pub fallback_accelerator: String,
    /// Whether the decision is put as JSON into an annotation, too.
    pub annotate_variant: bool,
}

/// The optional Lease (rule 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderElection {
    /// Whether only the holder of the Lease queries.
    pub enabled: bool,
    /// Name of the Lease.
    pub name: String,
    /// Namespace of the Lease: the one given, else the pod's own. Always there where `enabled`.
    pub namespace: Option<String>,
    /// How long a holder that says nothing keeps it.
    pub lease_duration: Duration,
}

/// The read-only listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
}

/// Logging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least severe level printed.
    pub level: tracing::Level,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
