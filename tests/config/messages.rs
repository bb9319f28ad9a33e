//! The messages, whole: for the person who wrote the file they are the product.

use scale_from_zero::config::{Environment, load};

use crate::{check, told};

#[test]
fn all_problems_are_told_together_in_the_order_of_the_file() {
    let text = "\
dryRun: yes
wake:
  concurency: 0
  guard: on
  maxStarting: 0
  backoff: {initial: 10m, max: 1m}
interval: 5ms
scope: {sources: [VariantAutoscaling, HPA]}
prometheus:
  url: http://admin:s3cret@prometheus:9090
  headers:
    X-Scope-OrgID: 42
    Authorization: Bearer s3cret
";
    assert_eq!(
        told(text),
        "\
config.yaml: 10 problems
  line 1: dryRun: \"yes\" is not a boolean; write true or false
  line 3: wake.concurency: unknown key; did you mean wake.concurrency?
  line 4: wake.guard: \"on\" is not a boolean; write true or false
  line 5: wake.maxStarting: 0 would hold back every wake; write at least 1, or null for no cap
  line 6: wake.backoff.initial: 10m is longer than wake.backoff.max, 1m; lower the one or raise the other
  line 7: interval: 5ms is too short; write at least 10ms, since one query takes about as long and the next waits \
for it
  line 8: scope.sources[1]: \"HPA\" is not a source; did you mean HorizontalPodAutoscaler?
  line 10: prometheus.url: holds a user name or password; write those under prometheus.basicAuth
  line 12: prometheus.headers.X-Scope-OrgID: a number is not text; put it in quotes
  line 13: prometheus.headers.Authorization: does not belong here, where it could not be rotated; \
use prometheus.bearerTokenFile or basicAuth"
    );
}

#[test]
fn unknown_keys_are_offered_the_nearest() {
    check(&[
        (
            "intervall: 1s",
            "line 1: intervall: unknown key; did you mean interval?",
        ),
        (
            "query: {max_sample_age: 1m}",
            "line 1: query.max_sample_age: unknown key; did you mean query.maxSampleAge?",
        ),
        (
            "prometheus: {tls: {cert: f}}",
            "line 1: prometheus.tls.cert: unknown key; did you mean prometheus.tls.certFile?",
        ),
        (
            "wake: {max-starting-per-ns: 1}",
            "line 1: wake.max-starting-per-ns: unknown key; did you mean wake.maxStartingPerNamespace?",
        ),
        // Not here, but elsewhere.
        (
            "sources: auto",
            "line 1: sources: unknown key; did you mean scope.sources?",
        ),
        (
            "concurrency: 4",
            "line 1: concurrency: unknown key; did you mean wake.concurrency?",
        ),
        (
            "concurency: 4",
            "line 1: concurency: unknown key; did you mean wake.concurrency?",
        ),
        (
            "tls: {caFile: f}",
            "line 1: tls: unknown key; did you mean prometheus.tls?",
        ),
        (
            "pool: x",
            "line 1: pool: unknown key; did you mean query.labels.pool?",
        ),
        (
            "enabled: true",
            "line 1: enabled: unknown key; did you mean status.enabled or leaderElection.enabled?",
        ),
        // Nowhere.
        (
            "log: {color: red}",
            "line 1: log.color: unknown key; known here: level and format",
        ),
        (
            "replicas: 3",
            "line 1: replicas: unknown key; known here: interval, prometheus, query, scope, wake, status, events, \
             leaderElection, server, log and dryRun",
        ),
        (
            "wake:\n  ? \"a\\nb\"\n  : 1",
            "line 2: wake.\"a\\nb\": unknown key; known here: select, unmatched, guard, \
             concurrency, readyTimeout, unschedulableAfter, maxEscalations, settle, manualHold, maxStarting, \
             maxStartingPerNamespace and backoff",
        ),
        (
            "7: x",
            "line 1: 7: unknown key; known here: interval, prometheus, query, scope, wake, status, events, \
          leaderElection, server, log and dryRun",
        ),
    ]);
}

#[test]
fn merge_keys_are_unknown_keys() {
    check(&[(
        "log: &a {level: info}\nserver: {<<: *a}",
        "line 2: server.<<: unknown key; known here: address",
    )]);
}

#[test]
fn a_value_of_the_wrong_kind_is_told_what_is_wanted() {
    check(&[
        (
            "interval: \"100\"",
            "line 1: interval: \"100\" is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m",
        ),
        (
            "interval: 100",
            "line 1: interval: 100 is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m",
        ),
        (
            "interval: -1s",
            "line 1: interval: \"-1s\" is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m",
        ),
        (
            "interval: [1s]",
            "line 1: interval: a list is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m",
        ),
        (
            "events: 1",
            "line 1: events: 1 is not a boolean; write true or false",
        ),
        (
            "wake: {concurrency: many}",
            "line 1: wake.concurrency: \"many\" is not a whole number; write digits only, without quotes",
        ),
        (
            "wake: {concurrency: 1.5}",
            "line 1: wake.concurrency: 1.5 is not a whole number; write digits only, without quotes",
        ),
        (
            "wake: {maxEscalations: -1}",
            "line 1: wake.maxEscalations: -1 is not a whole number; write digits only, without quotes",
        ),
        (
            "wake: {maxStarting: none}",
            "line 1: wake.maxStarting: \"none\" is not a whole number; write digits only, without quotes",
        ),
        (
            "wake: {manualHold: 0}",
            "line 1: wake.manualHold: 0 is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m",
        ),
        (
            "wake: {guard: 'true'}",
            "line 1: wake.guard: \"true\" is not a boolean; write true or false",
        ),
        (
            "scope: {sources: true}",
            "line 1: scope.sources: true is not a word or a list; write auto, or e.g. [VariantAutoscaling, \
             ScaledObject]",
        ),
        (
            "scope: {sources: {ScaledObject: true}}",
            "line 1: scope.sources: a mapping is not a word or a list; write auto, or e.g. [VariantAutoscaling, \
             ScaledObject]",
        ),
        (
            "query: {matchers: {shard: 1}}",
            "line 1: query.matchers.shard: 1 is not text; put it in quotes",
        ),
        (
            "query: {matchers: [a]}",
            "line 1: query.matchers: is a list, not a mapping; write e.g. {name: value}",
        ),
        (
            "query: {families: up}",
            "line 1: query.families: is text, not a list; write e.g. [a, b]",
        ),
        (
            "prometheus: http://u:s3cret@p",
            "line 1: prometheus: is text, but holds keys of its own: write url, urls, timeout, bearerTokenFile, \
             basicAuth, tls, headers and params below it",
        ),
        (
            "wake: {backoff: 1s}",
            "line 1: wake.backoff: is text, but holds keys of its own: write initial and max below it",
        ),
    ]);
    assert_eq!(
        told("scope:\n  namespaces:\n  - 1\n  - A\n  - null"),
        "config.yaml: 3 problems
  line 3: scope.namespaces[0]: 1 is not text; put it in quotes
  line 4: scope.namespaces[1]: \"A\" is not a namespace; use lower-case letters, digits and -, first and last no -, \
at most 63
  line 5: scope.namespaces[2]: null is not text; put it in quotes"
    );
}

#[test]
fn what_is_no_yaml_is_told_with_line_and_column() {
    check(&[
        (
            "log:\n\tlevel: info",
            "line 2, column 1: not valid YAML: found character that cannot start any token, while scanning for the \
             next token",
        ),
        (
            "log: {level: info",
            "line 2, column 1: not valid YAML: did not find expected ',' or '}', while parsing a flow mapping at \
             line 1 column 6",
        ),
        (
            "log:\n  level: info\n  level: debug",
            "line 3, column 3: not valid YAML: log: \"level\" stands twice in one mapping; remove one",
        ),
        ("a: *b", "line 1, column 4: not valid YAML: unknown anchor"),
        (
            "log: !json {}",
            "line 1, column 6: not valid YAML: log: a tag, such as !this, means nothing here; remove it",
        ),
        (
            "dryRun: true\n---\ndryRun: false",
            "holds several YAML documents; keep one and remove the rest from `---` on",
        ),
        (
            "- a",
            "holds a list, not keys with values; write e.g. interval: 100ms",
        ),
        (
            "hello",
            "holds text, not keys with values; write e.g. interval: 100ms",
        ),
    ]);
}

#[test]
fn a_file_that_is_none_is_told_so() {
    let env = Environment::default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let told = || {
        load(&file, &env)
            .unwrap_err()
            .to_string()
            .replace(&file.display().to_string(), "config.yaml")
    };
    assert_eq!(
        told(),
        "config.yaml: cannot be read: No such file or directory (os error 2); name a file that can be, with --config"
    );
    std::fs::write(&file, b"log:\n  level: \xff").unwrap();
    assert_eq!(
        told(),
        "config.yaml: 1 problem\n  is not text in UTF-8: invalid utf-8 sequence of 1 bytes from index 14"
    );
    std::fs::write(&file, "#".repeat(64 * 1024 + 1)).unwrap();
    assert_eq!(
        told(),
        "config.yaml: 1 problem\n  is larger than 64 KiB, so it is no configuration"
    );
}
