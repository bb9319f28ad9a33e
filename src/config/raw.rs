//! The file as it is written: every key, all of them optional, none checked against its limits.
//!
//! This is the only list of the keys: `keys.rs` reads their names off [`Raw`], and `config.example.yaml` is held to it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::scalar::{Given, Hidden, WordOrList};

/// A duration as humantime writes it: `100ms`, `2m`.
type Span = Option<Given<Duration>>;
type Flag = Option<Given<bool>>;
type Text = Option<Given<String>>;
type Count = Option<Given<u64>>;
type List = Option<Vec<Given<String>>>;
type Map = Option<BTreeMap<String, Given<String>>>;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Raw {
    pub interval: Span,
    pub prometheus: Prometheus,
    pub query: Query,
    pub scope: Scope,
    pub wake: Wake,
    pub status: Status,
    pub events: Flag,
    pub leader_election: LeaderElection,
    pub server: Server,
    pub log: Log,
    pub dry_run: Flag,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Prometheus {
    pub url: Text,
    pub urls: List,
    pub timeout: Span,
    pub bearer_token_file: Text,
    pub basic_auth: BasicAuth,
    pub tls: Tls,
    pub headers: Option<BTreeMap<String, Given<Hidden>>>,
    pub params: Map,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct BasicAuth {
    pub username: Text,
    pub password_file: Text,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Tls {
    pub ca_file: Text,
    pub cert_file: Text,
    pub key_file: Text,
    pub insecure_skip_verify: Flag,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Query {
    pub families: List,
    pub labels: Labels,
    pub matchers: Map,
    pub missing_namespace: Text,
    pub expression: Text,
    pub max_sample_age: Span,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Labels {
    pub namespace: Text,
    pub pool: Text,
    pub model: Text,
    pub target_model: Text,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Scope {
    pub namespaces: List,
    pub controller_instance: Text,
    pub sources: Option<Given<WordOrList>>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Wake {
    pub select: Text,
    pub unmatched: Text,
    pub guard: Flag,
    pub concurrency: Count,
    pub ready_timeout: Span,
    pub unschedulable_after: Span,
    pub max_escalations: Count,
    pub settle: Span,
    pub manual_hold: Span,
    pub max_starting: Count,
    pub max_starting_per_namespace: Count,
    pub backoff: Backoff,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Backoff {
    pub initial: Span,
    pub max: Span,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Status {
    pub enabled: Flag,
    pub fallback_accelerator: Text,
    pub annotate_variant: Flag,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct LeaderElection {
    pub enabled: Flag,
    pub name: Text,
    pub namespace: Text,
    pub lease_duration: Span,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Server {
    pub address: Text,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Log {
    pub level: Text,
    pub format: Text,
}
