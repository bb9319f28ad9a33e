//! From the configuration back to a file that says it. Every key is in it, for the compiler asks for each.

use std::{collections::BTreeMap, path::Path, time::Duration};

use http::Uri;

use super::{
    Auth, Config, Source, raw,
    scalar::{Given, Hidden, WordOrList},
    words::{self, AUTO, HIDDEN, word},
};

/// The file for `config`, with [`HIDDEN`] in the place of what may be a secret.
pub(super) fn raw(config: &Config) -> raw::Raw {
    raw::Raw {
        interval: span(config.interval),
        prometheus: prometheus(&config.prometheus),
        query: query(&config.query),
        scope: scope(&config.scope),
        wake: wake(&config.wake),
        status: raw::Status {
            enabled: flag(config.status.enabled),
            fallback_accelerator: text(&config.status.fallback_accelerator),
            annotate_variant: flag(config.status.annotate_variant),
        },
        events: flag(config.events),
        leader_election: raw::LeaderElection {
            enabled: flag(config.leader_election.enabled),
            name: text(&config.leader_election.name),
            namespace: config.leader_election.namespace.as_deref().and_then(text),
            lease_duration: span(config.leader_election.lease_duration),
        },
        server: raw::Server {
            address: text(&config.server.address.to_string()),
        },
        log: raw::Log {
            level: text(word(&config.log.level, words::LEVEL)),
            format: text(word(&config.log.format, words::FORMAT)),
        },
        dry_run: flag(config.dry_run),
    }
}

fn prometheus(config: &super::Prometheus) -> raw::Prometheus {
    let urls: Vec<String> = config.urls.iter().map(url).collect();
    let (url, urls) = match &urls[..] {
        [one] => (text(one), None),
        many => (None, list(many)),
    };
    let (bearer_token_file, basic_auth) = match &config.auth {
        Auth::None => (None, raw::BasicAuth::default()),
        Auth::BearerTokenFile(file) => (path(file), raw::BasicAuth::default()),
        Auth::Basic {
            username,
            password_file,
        } => {
            let basic = raw::BasicAuth {
                username: text(username),
                password_file: path(password_file),
            };
            (None, basic)
        }
    };
    let (cert, key) = match &config.tls.client {
        Some((cert, key)) => (path(cert), path(key)),
        None => (None, None),
    };
    let hidden = |name: &String| (name.clone(), Given(Hidden(HIDDEN.to_owned())));
    raw::Prometheus {
        url,
        urls,
        timeout: span(config.timeout),
        bearer_token_file,
        basic_auth,
        tls: raw::Tls {
            ca_file: config.tls.ca_file.as_deref().and_then(path),
            cert_file: cert,
            key_file: key,
            insecure_skip_verify: flag(config.tls.insecure_skip_verify),
        },
        headers: Some(config.headers.keys().map(hidden).collect()),
        params: map(&config.params, param),
    }
}

/// A URL without the `/` that stands for having no path, and that nobody writes.
fn url(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.strip_suffix('/') {
        Some(bare) if uri.path() == "/" => bare.to_owned(),
        _ => text,
    }
}

/// A parameter may be a token. What only says yes or no, as Thanos' `partial_response` does, is none.
fn param(value: &str) -> &str {
    match value {
        "true" | "false" | "" => value,
        _ => HIDDEN,
    }
}

fn query(config: &super::Query) -> raw::Query {
    let labels = &config.labels;
    raw::Query {
        families: list(&config.families),
        labels: raw::Labels {
            namespace: text(&labels.namespace),
            pool: text(&labels.pool),
            model: text(&labels.model),
            target_model: text(&labels.target_model),
        },
        matchers: map(&config.matchers, |value| value),
        missing_namespace: text(word(&config.missing_namespace, words::MISSING_NAMESPACE)),
        expression: config.expression.as_deref().and_then(text),
        max_sample_age: span(config.max_sample_age),
    }
}

fn scope(config: &super::Scope) -> raw::Scope {
    let sources = if config.sources.len() == Source::ALL.len() {
        WordOrList::Word(AUTO.to_owned())
    } else {
        let names = config.sources.iter().map(|source| source.as_str().into());
        WordOrList::List(names.collect())
    };
    raw::Scope {
        namespaces: list(&config.namespaces),
        controller_instance: config.controller_instance.as_deref().and_then(text),
        sources: Some(Given(sources)),
    }
}

fn wake(config: &super::Wake) -> raw::Wake {
    raw::Wake {
        select: text(word(&config.select, words::SELECT)),
        unmatched: text(word(&config.unmatched, words::UNMATCHED)),
        guard: flag(config.guard),
        concurrency: count(config.concurrency),
        ready_timeout: span(config.ready_timeout),
        unschedulable_after: span(config.unschedulable_after),
        max_escalations: Some(Given(config.max_escalations.into())),
        settle: span(config.settle),
        manual_hold: span(config.manual_hold),
        max_starting: config.max_starting.and_then(count),
        max_starting_per_namespace: config.max_starting_per_namespace.and_then(count),
        backoff: raw::Backoff {
            initial: span(config.backoff.initial),
            max: span(config.backoff.max),
        },
    }
}

// All of them are there, so each is what its key takes.

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn span(span: Duration) -> Option<Given<Duration>> {
    Some(Given(span))
}

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn flag(flag: bool) -> Option<Given<bool>> {
    Some(Given(flag))
}

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn text(text: &str) -> Option<Given<String>> {
    Some(Given(text.to_owned()))
}

fn path(file: &Path) -> Option<Given<String>> {
    // It came from a text.
    text(&file.to_string_lossy())
}

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn count(number: usize) -> Option<Given<u64>> {
    Some(Given(number.try_into().unwrap_or(u64::MAX)))
}

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn list<S: AsRef<str>>(items: &[S]) -> Option<Vec<Given<String>>> {
    Some(items.iter().map(|item| Given(item.as_ref().to_owned())).collect())
}

#[allow(clippy::unnecessary_wraps, reason = "what a key takes")]
fn map(
    entries: &BTreeMap<String, String>,
    shown: impl Fn(&str) -> &str,
) -> Option<BTreeMap<String, Given<String>>> {
    let shown = |(name, value): (&String, &String)| (name.clone(), Given(shown(value).to_owned()));
    Some(entries.iter().map(shown).collect())
}
