//! From raw to validated: every limit and every rule between keys.

mod check;
mod names;
mod prometheus;
mod scope;
mod wake;

use std::time::Duration;

use self::{
    check::{ABOVE_ZERO, Least},
    scope::UNKNOWN_OWN,
};
use super::{
    Config, Environment, Labels, LeaderElection, Log, Query, Server, Status,
    error::Problems,
    key::{Key, quoted},
    raw::{self, Raw},
    scalar::Given,
    words,
};

/// The configuration that `raw` asks for. Only good for use if `problems` stays empty.
pub(super) fn config(raw: Raw, env: &Environment, problems: &mut Problems) -> Config {
    let default = Config::default();
    Config {
        interval: check::span("interval", raw.interval, default.interval, INTERVAL, problems),
        prometheus: prometheus::section(raw.prometheus, default.prometheus, problems),
        query: query(raw.query, default.query, problems),
        scope: scope::section(raw.scope, env, problems),
        wake: wake::section(raw.wake, &default.wake, problems),
        status: status(raw.status, default.status, problems),
        events: flag(raw.events, default.events),
        leader_election: leader_election(raw.leader_election, default.leader_election, env, problems),
        server: server(raw.server, default.server, problems),
        log: log(raw.log, default.log, problems),
        dry_run: flag(raw.dry_run, default.dry_run),
    }
}

const INTERVAL: Least = Least {
    span: Duration::from_millis(10),
    why: ", since one query takes about as long and the next waits for it",
};

fn flag(given: Option<Given<bool>>, default: bool) -> bool {
    given.map_or(default, |Given(flag)| flag)
}

fn query(raw: raw::Query, default: Query, problems: &mut Problems) -> Query {
    Query {
        families: families(raw.families, problems).unwrap_or(default.families),
        labels: labels(raw.labels, default.labels, problems),
        matchers: check::map(
            "query.matchers",
            raw.matchers,
            |name| {
                (!(names::LABEL.holds)(name))
                    .then(|| format!("{} is not {}", quoted(name), names::LABEL.wanted))
            },
            problems,
        ),
        missing_namespace: check::word(
            "query.missingNamespace",
            raw.missing_namespace,
            default.missing_namespace,
            words::MISSING_NAMESPACE,
            problems,
        ),
        expression: check::text("query.expression", raw.expression, &names::EXPRESSION, problems),
        max_sample_age: check::span(
            "query.maxSampleAge",
            raw.max_sample_age,
            default.max_sample_age,
            ABOVE_ZERO,
            problems,
        ),
        signal_interval: default.signal_interval,
    }
}

fn families(given: Option<Vec<Given<String>>>, problems: &mut Problems) -> Option<Vec<String>> {
    let families = check::list("query.families", given?, Some("metric"), problems);
    for (index, family) in families.iter().enumerate() {
        check::keeps(
            Key::of("query.families").item(index),
            family,
            &names::METRIC,
            problems,
        );
    }
    Some(families)
}

fn labels(raw: raw::Labels, default: Labels, problems: &mut Problems) -> Labels {
    let mut label =
        |key: &str, given, default| check::text(key, given, &names::LABEL, problems).unwrap_or(default);
    Labels {
        namespace: label("query.labels.namespace", raw.namespace, default.namespace),
        pool: label("query.labels.pool", raw.pool, default.pool),
        model: label("query.labels.model", raw.model, default.model),
        target_model: label("query.labels.targetModel", raw.target_model, default.target_model),
    }
}

fn status(raw: raw::Status, default: Status, problems: &mut Problems) -> Status {
    let fallback = raw.fallback_accelerator;
    Status {
        enabled: flag(raw.enabled, default.enabled),
        fallback_accelerator: check::text(
            "status.fallbackAccelerator",
            fallback,
            &names::ACCELERATOR,
            problems,
        )
        .unwrap_or(default.fallback_accelerator),
        annotate_variant: flag(raw.annotate_variant, default.annotate_variant),
    }
}

const LEASE: Least = Least {
    span: Duration::from_secs(5),
    why: ", since the holder has to renew it several times in that span",
};

fn own_for_lease(env: &Environment, problems: &mut Problems) -> Option<String> {
    let key = Key::of("leaderElection.namespace");
    if let Some(own) = &env.namespace {
        check::keeps(key, own, &names::NAMESPACE, problems);
    } else {
        problems.add(key, format!("is the pod's own unless given, which {UNKNOWN_OWN}"));
    }
    env.namespace.clone()
}

fn leader_election(
    raw: raw::LeaderElection,
    default: LeaderElection,
    env: &Environment,
    problems: &mut Problems,
) -> LeaderElection {
    let enabled = flag(raw.enabled, default.enabled);
    let namespace = check::text(
        "leaderElection.namespace",
        raw.namespace,
        &names::NAMESPACE,
        problems,
    );
    let namespace = if enabled {
        namespace.or_else(|| own_for_lease(env, problems))
    } else {
        namespace
    };
    let lease_duration = check::span(
        "leaderElection.leaseDuration",
        raw.lease_duration,
        default.lease_duration,
        LEASE,
        problems,
    );
    if lease_duration.subsec_nanos() != 0 {
        problems.add(
            Key::of("leaderElection.leaseDuration"),
            format!(
                "{} has a fraction of a second, which a Lease cannot hold; write whole seconds",
                humantime::format_duration(lease_duration)
            ),
        );
    }
    LeaderElection {
        enabled,
        name: check::text("leaderElection.name", raw.name, &names::OBJECT, problems).unwrap_or(default.name),
        namespace,
        lease_duration,
    }
}

fn server(raw: raw::Server, default: Server, problems: &mut Problems) -> Server {
    let Some(Given(text)) = raw.address else {
        return default;
    };
    if let Ok(address) = text.parse() {
        return Server { address };
    }
    problems.add(
        Key::of("server.address"),
        format!(
            "{} is not an IP address with a port; write e.g. 0.0.0.0:8085, or [::]:8085",
            quoted(&text)
        ),
    );
    default
}

fn log(raw: raw::Log, default: Log, problems: &mut Problems) -> Log {
    Log {
        level: check::word("log.level", raw.level, default.level, words::LEVEL, problems),
        format: check::word("log.format", raw.format, default.format, words::FORMAT, problems),
    }
}
