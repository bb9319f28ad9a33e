//! From raw to validated: every limit and every rule between keys.

mod check;
mod names;
mod prometheus;

use std::{collections::BTreeSet, time::Duration};

use self::check::{ABOVE_ZERO, Least};
use super::{
    Backoff, Config, Environment, Labels, LeaderElection, Log, LogFormat, MissingNamespace, Query, Scope,
    Select, Server, Status, Wake,
    error::Problems,
    key::{Key, quoted},
    raw::{self, Raw},
    scalar::Given,
};

/// Stands in `scope.namespaces` for the namespace of the pod.
const OWN: &str = "own";

/// The configuration that `raw` asks for. Only good for use if `problems` stays empty.
pub(super) fn config(raw: Raw, env: &Environment, problems: &mut Problems) -> Config {
    let default = Config::default();
    Config {
        interval: check::span("interval", raw.interval, default.interval, INTERVAL, problems),
        prometheus: prometheus::section(raw.prometheus, default.prometheus, problems),
        query: query(raw.query, default.query, problems),
        scope: scope(raw.scope, env, problems),
        wake: wake(raw.wake, &default.wake, problems),
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
            &[("one", MissingNamespace::One), ("all", MissingNamespace::All)],
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

fn scope(raw: raw::Scope, env: &Environment, problems: &mut Problems) -> Scope {
    let key = Key::of("scope.namespaces");
    let given = check::list(
        "scope.namespaces",
        raw.namespaces.unwrap_or_default(),
        None,
        problems,
    );
    let mut namespaces = Vec::new();
    for (index, name) in given.into_iter().enumerate() {
        let name = match (&*name, &env.namespace) {
            (OWN, Some(own)) => own.clone(),
            (OWN, None) => {
                problems.add(
                    key.item(index),
                    format!("\"{OWN}\" is the pod's own namespace, which {UNKNOWN_OWN}"),
                );
                continue;
            }
            _ => name,
        };
        check::keeps(key.item(index), &name, &names::NAMESPACE, problems);
        namespaces.push(name);
    }
    // `own` may come out as one that stands beside it: the same file serves in several namespaces.
    let mut known = BTreeSet::new();
    namespaces.retain(|name| known.insert(name.clone()));
    Scope {
        namespaces,
        controller_instance: check::text(
            "scope.controllerInstance",
            raw.controller_instance,
            &names::LABEL_VALUE,
            problems,
        ),
    }
}

const UNKNOWN_OWN: &str =
    "is not known here; set the environment variable POD_NAMESPACE, or write the namespace's name";

fn wake(raw: raw::Wake, default: &Wake, problems: &mut Problems) -> Wake {
    // The other value of the design, `pool`, is refused in `unbuilt.rs`, so there is nothing to keep.
    check::word("wake.unmatched", raw.unmatched, (), &[("report", ())], problems);
    Wake {
        select: check::word(
            "wake.select",
            raw.select,
            default.select,
            &[("cheapest", Select::Cheapest), ("all", Select::All)],
            problems,
        ),
        concurrency: check::count(
            "wake.concurrency",
            raw.concurrency,
            default.concurrency,
            256,
            problems,
        ),
        ready_timeout: check::span(
            "wake.readyTimeout",
            raw.ready_timeout,
            default.ready_timeout,
            ABOVE_ZERO,
            problems,
        ),
        settle: check::span("wake.settle", raw.settle, default.settle, ABOVE_ZERO, problems),
        backoff: backoff(&raw.backoff, default.backoff, problems),
    }
}

fn backoff(raw: &raw::Backoff, default: Backoff, problems: &mut Problems) -> Backoff {
    let initial = check::span(
        "wake.backoff.initial",
        raw.initial,
        default.initial,
        ABOVE_ZERO,
        problems,
    );
    let max = check::span("wake.backoff.max", raw.max, default.max, ABOVE_ZERO, problems);
    if initial > max && !problems.touch(&Key::of("wake.backoff")) {
        let [initial, max] = [initial, max].map(humantime::format_duration);
        problems.add(
            Key::of("wake.backoff.initial"),
            format!("{initial} is longer than wake.backoff.max, {max}; lower the one or raise the other"),
        );
    }
    Backoff { initial, max }
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
    use tracing::Level;
    Log {
        level: check::word(
            "log.level",
            raw.level,
            default.level,
            &[
                ("error", Level::ERROR),
                ("warn", Level::WARN),
                ("info", Level::INFO),
                ("debug", Level::DEBUG),
                ("trace", Level::TRACE),
            ],
            problems,
        ),
        format: check::word(
            "log.format",
            raw.format,
            default.format,
            &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            problems,
        ),
    }
}
