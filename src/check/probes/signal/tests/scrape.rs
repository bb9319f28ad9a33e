use serde_json::json;

use super::*;
use crate::check::probes::given::{put, remove, set, target};

#[test]
fn a_target_that_is_down_says_why_nothing_is_scraped() {
    assert_eq!(Blocked::EppNotScraped.as_str(), "epp_not_scraped");
    for (error, part) in [
        (
            "server returned HTTP status 401 Unauthorized",
            "--non-resource-url=/metrics",
        ),
        (
            "dial tcp 10.0.0.7:8080: connect: connection refused",
            "--metrics-port",
        ),
        ("server returned HTTP status 404 Not Found", "path: /metrics"),
        ("context deadline exceeded", "get networkpolicy"),
        ("x509: certificate signed by unknown authority", "scheme: http"),
        ("something else", "get pods -o wide"),
    ] {
        let down = format!("target http://10.0.0.7:9090/metrics is down: {error}");
        let parts = [
            &*Blocked::EppNotScraped.to_string(),
            &down,
            "it comes from serviceMonitor/llm/chat-epp/0",
            part,
        ];
        finds("epp_not_scraped", Severity::Error, &parts, |facts| {
            unscraped(facts);
            let mut down = target();
            "down".clone_into(&mut down.health);
            error.clone_into(&mut down.last_error);
            targets(facts).push(down);
        });
    }
}

#[test]
fn a_target_is_known_by_its_address_too() {
    finds(
        "epp_not_scraped",
        Severity::Error,
        &["is down: refused"],
        |facts| {
            unscraped(facts);
            let mut down = target();
            down.labels.clear();
            "down".clone_into(&mut down.health);
            "refused".clone_into(&mut down.last_error);
            let mut other = down.clone();
            "http://10.0.0.70:9090/metrics".clone_into(&mut other.url);
            "another".clone_into(&mut other.last_error);
            targets(facts).extend([other, down]);
        },
    );
}

#[test]
fn a_target_that_is_up_leaves_labels_and_matchers() {
    finds(
        "epp_not_scraped",
        Severity::Error,
        &["is up", "no series of pool llm/chat", "--pool-name"],
        |facts| {
            unscraped(facts);
            targets(facts).push(target());
        },
    );
    finds(
        "epp_not_scraped",
        Severity::Error,
        &["query.matchers asks for cluster=a"],
        |facts| {
            unscraped(facts);
            targets(facts).push(target());
            facts
                .config
                .query
                .matchers
                .insert("cluster".to_owned(), "a".to_owned());
        },
    );
}

#[test]
fn without_a_monitor_one_is_written_out() {
    let parts = [
        "Prometheus has no target of the EPP's Service or pods",
        "there is no ServiceMonitor or PodMonitor",
        "kind: ServiceMonitor\nmetadata:\n  name: chat-epp\n  namespace: llm\n",
        "    matchLabels:\n      app: chat-epp\n  endpoints:\n  - port: http-metrics\n    path: /metrics\n    interval: 1s",
    ];
    finds("epp_not_scraped", Severity::Error, &parts, |facts| {
        unscraped(facts);
        remove(facts, "ServiceMonitor", EPP);
    });
}

#[test]
fn the_manifest_that_is_written_out_is_yaml() {
    let mut facts = healthy();
    unscraped(&mut facts);
    remove(&mut facts, "ServiceMonitor", EPP);
    let labels = json!({"app": "true", "helm.sh/chart": "epp-1", "a/b": "x: y"});
    set(&mut facts, "Service", EPP, "/metadata/labels", labels);
    let found = given::found(probe, &facts);
    let manifest = crate::config::yaml_value(&found[0].mend[1..].join("\n")).unwrap();
    let selector = manifest.pointer("/spec/selector/matchLabels").unwrap();
    assert_eq!(selector, &json!({"app": "true", "a/b": "x: y"}));
    assert_eq!(manifest.pointer("/spec/endpoints/0/interval").unwrap(), "1s");
}

#[test]
fn the_nearest_monitor_is_told_with_what_differs() {
    let parts = [
        "no monitor selects it; the nearest is ServiceMonitor llm/chat-epp",
        "it asks for app=chat; the Service has chat-epp",
        "its endpoints are at port metric, which the Service does not have",
    ];
    finds("epp_not_scraped", Severity::Error, &parts, |facts| {
        unscraped(facts);
        let spec = json!({"selector": {"matchLabels": {"app": "chat"}}, "endpoints": [{"port": "metric"}]});
        set(facts, "ServiceMonitor", EPP, "/spec", spec);
    });
    for (spec, part) in [
        (
            json!({"namespaceSelector": {"matchNames": ["other"]}, "selector": {}, "endpoints": [{}]}),
            "it does not look into namespace llm",
        ),
        (
            json!({"selector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [EPP]}]},
                "endpoints": [{}]}),
            "does not hold for the Service",
        ),
        (
            json!({"selector": {"matchLabels": {"tier": "x"}}, "endpoints": [{}]}),
            "tier=x, which the Service lacks",
        ),
    ] {
        finds("epp_not_scraped", Severity::Error, &[part], |facts| {
            unscraped(facts);
            set(facts, "ServiceMonitor", EPP, "/spec", spec);
        });
    }
}

#[test]
fn a_monitor_that_prometheus_leaves_out_lacks_a_label() {
    let server = |labels| {
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
            "metadata": {"namespace": "monitoring", "name": "main"},
            "spec": {"serviceMonitorSelector": {"matchLabels": labels}}})
    };
    let parts = [
        "ServiceMonitor llm/chat-epp selects it",
        "Prometheus monitoring/main takes only monitors with release=main, which it lacks",
        "kubectl -n llm label --overwrite servicemonitor chat-epp release=main",
    ];
    finds("epp_not_scraped", Severity::Error, &parts, |facts| {
        unscraped(facts);
        put(facts, server(json!({"release": "main"})));
    });
    finds(
        "epp_not_scraped",
        Severity::Error,
        &["describe servicemonitor chat-epp"],
        |facts| {
            unscraped(facts);
            put(facts, server(json!({"release": "prom"})));
        },
    );
    finds(
        "epp_not_scraped",
        Severity::Error,
        &["it has no label release", "serviceMonitorSelector"],
        |facts| {
            unscraped(facts);
            set(facts, "ServiceMonitor", EPP, "/metadata/labels", json!({}));
        },
    );
}

#[test]
fn a_pod_monitor_does_as_well() {
    let monitor = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor",
        "metadata": {"namespace": "monitoring", "name": "epps"},
        "spec": {"namespaceSelector": {"any": true}, "selector": {"matchLabels": {"app": EPP}},
            "podMetricsEndpoints": [{"port": "metrics", "interval": "10s"}]}});
    let parts = [
        "PodMonitor monitoring/epps",
        "kubectl -n monitoring patch podmonitor epps --type=json -p \
         '[{\"op\":\"add\",\"path\":\"/spec/podMetricsEndpoints/0/interval\",\"value\":\"1s\"}]'",
    ];
    finds("scrape_interval_slow", Severity::Warning, &parts, |facts| {
        files(facts, false);
        remove(facts, "ServiceMonitor", EPP);
        put(facts, monitor);
    });
}

#[test]
fn files_without_a_monitor_are_told() {
    finds(
        "epp_without_monitor",
        Severity::Note,
        &["interval: 1s"],
        |facts| {
            files(facts, false);
            remove(facts, "ServiceMonitor", EPP);
        },
    );
    finds(
        "epp_without_monitor",
        Severity::Warning,
        &["app=chat; the Service has chat-epp"],
        |facts| {
            files(facts, false);
            set(
                facts,
                "ServiceMonitor",
                EPP,
                "/spec/selector/matchLabels/app",
                json!("chat"),
            );
        },
    );
}
