//! What is allowed, at its edges, and what comes of it.

use std::{path::Path, time::Duration};

use scale_from_zero::config::{
    Auth, Config, Environment, LogFormat, MissingNamespace, Secret, Select, Source, Tls, Unmatched, load,
    parse,
};

use crate::parsed;

#[test]
fn nothing_said_is_the_default() {
    for text in [
        "",
        "# only a comment\n",
        "---\n",
        "{}",
        "null",
        "\u{feff}",
        "prometheus:\n  tls:\nwake:\n",
        "interval:",
    ] {
        assert_eq!(parsed(text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn a_value_at_its_limit_is_taken() {
    let config = parsed(
        "interval: 10ms
prometheus: {timeout: 1ms}
wake: {concurrency: 256, settle: 24h, readyTimeout: 1ms, backoff: {initial: 5m, max: 5m}}
leaderElection: {leaseDuration: 5s}
status: {fallbackAccelerator: L4}
server: {address: '[::1]:0'}
log: {level: trace, format: json}
query: {missingNamespace: all}",
    )
    .unwrap();
    assert_eq!(config.interval, Duration::from_millis(10));
    assert_eq!(config.wake.concurrency, 256);
    assert_eq!(config.wake.settle, Duration::from_secs(24 * 3600));
    assert_eq!(config.wake.backoff.initial, config.wake.backoff.max);
    assert_eq!(config.leader_election.lease_duration, Duration::from_secs(5));
    assert_eq!(config.server.address.port(), 0);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.query.missing_namespace, MissingNamespace::All);
}

#[test]
fn every_part_of_a_wake_is_read() {
    let wake = |text: &str| parsed(&format!("wake: {{{text}}}")).unwrap().wake;
    let least = wake(
        "unmatched: pool, guard: true, unschedulableAfter: 1ms, maxEscalations: 0, manualHold: 0s, maxStarting: 1, \
         maxStartingPerNamespace: 1",
    );
    assert_eq!(least.unmatched, Unmatched::Pool);
    assert!(least.guard);
    assert_eq!(least.unschedulable_after, Duration::from_millis(1));
    assert_eq!(least.max_escalations, 0);
    assert_eq!(least.manual_hold, Duration::ZERO);
    assert_eq!(
        (least.max_starting, least.max_starting_per_namespace),
        (Some(1), Some(1))
    );
    let most = wake("unschedulableAfter: 24h, maxEscalations: 16, manualHold: 24h, maxStarting: 1000000");
    assert_eq!(most.unschedulable_after, Duration::from_secs(24 * 3600));
    assert_eq!(most.max_escalations, 16);
    assert_eq!(most.manual_hold, Duration::from_secs(24 * 3600));
    assert_eq!(
        (most.max_starting, most.max_starting_per_namespace),
        (Some(1_000_000), None)
    );
    // A cap for each namespace needs none for all of them.
    let each = wake("maxStarting: null, maxStartingPerNamespace: 7");
    assert_eq!(
        (each.max_starting, each.max_starting_per_namespace),
        (None, Some(7))
    );
}

#[test]
fn sources_are_all_or_those_of_a_list() {
    let sources = |text: &str| -> Vec<Source> {
        let config = parsed(&format!("scope:\n  sources: {text}")).unwrap();
        config.scope.sources.into_iter().collect()
    };
    assert_eq!(sources("auto"), Source::ALL);
    assert_eq!(sources(""), Source::ALL);
    assert_eq!(sources("[ScaledObject]"), [Source::ScaledObject]);
    // The order is that of precedence, not that of the list.
    assert_eq!(
        sources("[HorizontalPodAutoscaler, VariantAutoscaling]"),
        [Source::VariantAutoscaling, Source::HorizontalPodAutoscaler]
    );
    assert_eq!(
        sources("[HorizontalPodAutoscaler, ScaledObject, VariantAutoscaling]"),
        Source::ALL
    );
}

#[test]
fn every_part_of_prometheus_is_read() {
    let config = parsed(
        "prometheus:
  urls: [https://a:9090/prom, 'http://[::1]:9090', http://c]
  basicAuth: {username: u, passwordFile: /p}
  tls: {caFile: /ca, certFile: /c, keyFile: /k, insecureSkipVerify: true}
  headers: {X-Scope-OrgID: tenant}
  params: {partial_response: \"false\"}
query: {matchers: {cluster: prod-a}}
wake: {select: all}",
    )
    .unwrap();
    let urls: Vec<String> = config.prometheus.urls.iter().map(ToString::to_string).collect();
    assert_eq!(urls, ["https://a:9090/prom", "http://[::1]:9090/", "http://c/"]);
    assert_eq!(
        config.prometheus.auth,
        Auth::Basic {
            username: "u".into(),
            password_file: "/p".into()
        }
    );
    assert_eq!(
        config.prometheus.tls,
        Tls {
            ca_file: Some("/ca".into()),
            client: Some(("/c".into(), "/k".into())),
            insecure_skip_verify: true
        }
    );
    assert_eq!(
        config.prometheus.headers["X-Scope-OrgID"],
        Secret("tenant".into())
    );
    assert_eq!(config.prometheus.params["partial_response"], "false");
    assert_eq!(config.query.matchers["cluster"], "prod-a");
    assert_eq!(config.wake.select, Select::All);
    assert!(
        !format!("{config:?}").contains("tenant"),
        "a header's value is printed"
    );
}

#[test]
fn own_is_the_namespace_of_the_pod() {
    let env = Environment {
        namespace: Some("wva".to_owned()),
    };
    let namespaces = |text: &str| parse(Path::new("c"), text, &env).unwrap().scope.namespaces;
    assert_eq!(namespaces("scope: {namespaces: [own]}"), ["wva"]);
    assert_eq!(namespaces("scope: {namespaces: [a, own, b]}"), ["a", "wva", "b"]);
    // The same file serves where `own` is one of the others.
    assert_eq!(namespaces("scope: {namespaces: [wva, own]}"), ["wva"]);
}

#[test]
fn the_lease_is_in_the_namespace_of_the_pod_unless_told_otherwise() {
    let env = Environment {
        namespace: Some("wva".to_owned()),
    };
    let namespace = |text: &str| {
        parse(Path::new("c"), text, &env)
            .unwrap()
            .leader_election
            .namespace
    };
    assert_eq!(
        namespace("leaderElection: {enabled: true}").as_deref(),
        Some("wva")
    );
    assert_eq!(
        namespace("leaderElection: {enabled: true, namespace: a}").as_deref(),
        Some("a")
    );
    assert_eq!(namespace(""), None);
}

#[test]
fn anchors_work_where_they_are_harmless() {
    let config = parsed("wake: {settle: &long 3m, readyTimeout: *long}").unwrap();
    assert_eq!(config.wake.ready_timeout, Duration::from_secs(180));
}

#[test]
fn a_file_is_told_from_another_by_its_content_and_that_of_its_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let (file, ca) = (folder.path().join("c.yaml"), folder.path().join("ca.crt"));
    let hash = || load(&file, &Environment::default()).unwrap().hash;
    let text = format!("prometheus: {{tls: {{caFile: {}}}}}", ca.display());
    std::fs::write(&file, &text).unwrap();
    let without = hash();
    std::fs::write(&ca, "one").unwrap();
    let one = hash();
    assert_eq!(one, hash());
    std::fs::write(&ca, "two").unwrap();
    let two = hash();
    std::fs::write(&file, text + "\n").unwrap();
    let spaced = hash();
    assert!(without != one && one != two && two != spaced);
}
