//! Each problem is found where it is, with what helps, and nowhere else.

use std::time::Duration;

use serde_json::json;

use super::probe;
use crate::{
    check::{
        Facts, Series, Severity,
        probes::given::{
            self, codes, files, healthy, only, put, remove, seen, series, set, target, targets, variant,
        },
    },
    core::{Blocked, Sign},
};

const EPP: &str = "chat-epp";

/// The one problem after a change, with all of these in its text.
fn finds(code: &str, severity: Severity, parts: &[&str], change: impl FnOnce(&mut Facts)) {
    let mut facts = healthy();
    change(&mut facts);
    let (found, text) = only(probe, &facts, code);
    assert_eq!(found, severity, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Nothing is found after a change.
fn fine(change: impl FnOnce(&mut Facts)) {
    let mut facts = healthy();
    change(&mut facts);
    let found = given::found(probe, &facts);
    assert!(found.is_empty(), "{found:#?}");
}

/// Prometheus has nothing of the EPP, and no target.
fn unscraped(facts: &mut Facts) {
    facts.prometheus.seen = Some(Vec::new());
    facts.prometheus.series.clear();
    targets(facts).clear();
}

#[test]
fn all_is_well() {
    fine(|_| ());
    fine(|facts| facts.prometheus.seen = None);
    fine(|facts| files(facts, false));
    fine(|facts| facts.prometheus.targets = Some(Err("no such API".to_owned())));
}

#[test]
fn flow_control_off_is_said_in_the_loops_words() {
    let words = Blocked::FlowControlOff;
    assert_eq!(words.as_str(), "flow_control_off");
    let parts = [
        &*words.to_string(),
        "Prometheus has llm_d_epp_ready_endpoints of the pool, and no saturation",
        "featureGates: [flowControl]\nkubectl -n llm rollout restart deployment/chat-epp",
    ];
    finds("flow_control_off", Severity::Error, &parts, |facts| {
        facts.prometheus.seen = Some(vec![seen("llm", "chat", Sign::Endpoints)]);
    });
    // An EPP too old to tell, or another's.
    fine(|facts| facts.prometheus.seen = Some(vec![seen("llm", "chat", Sign::OldEndpoints)]));
}

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

#[test]
fn a_slow_scrape_is_told_with_what_it_costs() {
    let every = |interval: Duration| move |facts: &mut Facts| targets(facts)[0].interval = Some(interval);
    let parts = [
        "10 s scrape, 100 ms tick, 50 ms query: 5.1 s on average, 10.15 s at worst",
        "in ServiceMonitor llm/chat-epp\nkubectl -n llm patch servicemonitor chat-epp --type=json -p \
         '[{\"op\":\"add\",\"path\":\"/spec/endpoints/0/interval\",\"value\":\"1s\"}]'",
    ];
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &parts,
        every(Duration::from_secs(10)),
    );
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &[],
        every(Duration::from_secs(5)),
    );
    finds(
        "scrape_interval_slow",
        Severity::Note,
        &[],
        every(Duration::from_secs(2)),
    );
    fine(every(Duration::from_millis(250)));
    // The faster of two scrapes counts, and one that is down does not.
    fine(|facts| {
        let slow = given::target();
        targets(facts).push(crate::check::ScrapeTarget {
            interval: Some(Duration::from_secs(30)),
            ..slow
        });
    });
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &["scrape_interval: 1s", "configuration epps of"],
        |facts| {
            targets(facts)[0].interval = Some(Duration::from_secs(15));
            "epps".clone_into(&mut targets(facts)[0].pool);
        },
    );
    // A timeout above the new interval would have the operator leave the monitor out.
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &["/endpoints/0/scrapeTimeout"],
        |facts| {
            targets(facts)[0].interval = Some(Duration::from_secs(10));
            let endpoints = json!([{"port": "http-metrics", "interval": "10s", "scrapeTimeout": "10s"}]);
            set(facts, "ServiceMonitor", EPP, "/spec/endpoints", endpoints);
        },
    );
}

#[test]
fn without_targets_the_monitor_says_the_interval() {
    let monitor = |endpoint| {
        move |facts: &mut Facts| {
            facts.prometheus.targets = None;
            set(facts, "ServiceMonitor", EPP, "/spec/endpoints", json!([endpoint]));
        }
    };
    let slow = monitor(json!({"port": "http-metrics", "interval": "1m"}));
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &["60 s scrape", "30.1 s on average"],
        slow,
    );
    let unset = monitor(json!({"port": "http-metrics"}));
    finds(
        "scrape_interval_slow",
        Severity::Warning,
        &["sets no interval"],
        unset,
    );
    let odd = monitor(json!({"port": "http-metrics", "interval": "soon"}));
    fine(odd);
    let long = monitor(json!({"port": "http-metrics", "interval": "1s", "scrapeTimeout": "10s"}));
    finds(
        "scrape_timeout_long",
        Severity::Error,
        &["interval: 1s, scrapeTimeout: 10s"],
        long,
    );
}

/// The queue's series.
fn has(series: impl IntoIterator<Item = Series>) -> impl FnOnce(&mut Facts) {
    let series = series.into_iter().collect();
    |facts| facts.prometheus.series = series
}

#[test]
fn series_without_a_namespace_say_where_it_may_be() {
    let parts = [
        "no label namespace",
        "- source_labels: [__meta_kubernetes_namespace]",
        "  target_label: namespace",
    ];
    finds(
        "namespace_label_missing",
        Severity::Warning,
        &parts,
        has([series(&[("namespace", "")], 0.0)]),
    );
    let parts = ["  labels: {namespace: exported_namespace}"];
    let exported = series(&[("namespace", ""), ("exported_namespace", "llm")], 0.0);
    finds(
        "namespace_label_missing",
        Severity::Warning,
        &parts,
        has([exported]),
    );
}

#[test]
fn series_without_a_pool_are_of_an_old_epp() {
    let old = || series(&[("inference_pool", "")], 0.0);
    finds(
        "pool_label_missing",
        Severity::Warning,
        &["one model", "Upgrade the EPP"],
        has([old()]),
    );
    let models = series(&[("inference_pool", ""), ("model_name", "llama")], 0.0);
    finds(
        "pool_label_missing",
        Severity::Warning,
        &["name no pool"],
        has([models]),
    );
    finds("pool_label_missing", Severity::Error, &[], |facts| {
        has([old()])(facts);
        variant(facts, "llm", "llama", "chat");
        let (key, entry) = facts
            .inventory
            .entries()
            .next()
            .map(|(k, e)| (k.clone(), e.clone()))
            .unwrap();
        let second = crate::core::Variant {
            model: "qwen".into(),
            ..entry.variant
        };
        let name = crate::core::ObjectName::new("llm", "qwen");
        assert_ne!(key.name, name);
        facts
            .inventory
            .apply(crate::core::Change::Variant(name, Some(second)));
    });
}

#[test]
fn a_namespace_that_another_scrape_has_written_over_is_told() {
    let parts = [
        "in namespace monitoring",
        "honor_labels: true",
        "  labels: {namespace: exported_namespace}",
    ];
    let over = series(&[("namespace", "monitoring"), ("exported_namespace", "llm")], 0.0);
    finds("namespace_differs", Severity::Error, &parts, has([over]));
    let over = || series(&[("namespace", "monitoring"), ("exported_namespace", "llm")], 0.0);
    finds("epp_not_scraped", Severity::Error, &parts, |facts| {
        has([over()])(facts);
        facts.prometheus.seen = Some(vec![seen("monitoring", "chat", Sign::FlowControl)]);
    });
    let other = || series(&[("namespace", "gateway")], 0.0);
    finds(
        "namespace_differs",
        Severity::Warning,
        &["into one namespace"],
        has([other()]),
    );
    // A pool of that name is there, or its own series are.
    fine(has([other(), series(&[], 0.0)]));
    let mut facts = healthy();
    has([other()])(&mut facts);
    facts.prometheus.seen = None;
    variant(&mut facts, "gateway", "qwen", "chat");
    assert_eq!(codes(probe, &facts), []);
}

#[test]
fn old_samples_are_told() {
    let aged = |age: f64| {
        move |facts: &mut Facts| {
            let with = |age| Series {
                age: Some(age),
                ..series(&[], 0.0)
            };
            has([with(age), with(age + 1.0), with(f64::NAN)])(facts);
        }
    };
    finds(
        "stale_samples",
        Severity::Error,
        &["the newest is 2.5 min old", "query.maxSampleAge: 2 min"],
        aged(150.0),
    );
    finds(
        "stale_samples",
        Severity::Warning,
        &["three scrapes", "scraped every 1 s"],
        aged(4.0),
    );
    fine(aged(2.9));
    fine(|facts| {
        aged(4.0)(facts);
        facts.prometheus.targets = None;
    });
}

#[test]
fn series_of_several_clusters_are_told_and_those_of_replicas_are_not() {
    let of = |label, value, pod| series(&[(label, value), ("pod", pod)], 0.0);
    let pod = "chat-epp-7d9-x2";
    let parts = [
        "by the label cluster",
        "cluster=a: pod other-1",
        "cluster=b: pod chat-epp-7d9-x2",
        "those of this cluster only\nquery:\n  matchers: {cluster: b}",
    ];
    let two = || [of("cluster", "a", "other-1"), of("cluster", "b", pod)];
    finds("several_clusters", Severity::Warning, &parts, has(two()));
    // Those of a StatefulSet have the same name in each.
    let parts = ["which one is yours to say", "{tenant_id: \"1\"}"];
    let same = [of("tenant_id", "1", "epp-0"), of("tenant_id", "2", "epp-0")];
    finds("several_clusters", Severity::Warning, &parts, has(same));
    let two_servers = [of("prometheus", "a/x", "other-1"), of("prometheus", "b/y", pod)];
    finds(
        "several_clusters",
        Severity::Warning,
        &["{prometheus: b/y}"],
        has(two_servers),
    );
    fine(has([of("prometheus", "a/x", pod), of("prometheus", "b/y", pod)]));
    for replica in [
        "prometheus_replica",
        "replica",
        "__replica__",
        "cluster_replica",
        "version",
        "pod_template_hash",
    ] {
        fine(has([of(replica, "0", pod), of(replica, "1", pod)]));
    }
    fine(has([
        of("cluster", "a", pod),
        of("cluster", "a", "chat-epp-7d9-y3"),
    ]));
    fine(|facts| {
        has(two())(facts);
        facts
            .config
            .query
            .matchers
            .insert("cluster".to_owned(), "a".to_owned());
    });
}

#[test]
fn an_epp_near_its_limit_of_names_is_told() {
    let named = |n: usize| (0..n).map(|i| series(&[("model_name", &format!("m{i}"))], 0.0));
    finds("many_models", Severity::Note, &["names 900"], has(named(900)));
    fine(has(named(700)));
    // Two EPPs have a limit each.
    let two = named(1000).enumerate().map(|(i, mut series)| {
        series.labels.insert("pod".to_owned(), format!("epp-{}", i % 2));
        series
    });
    fine(has(two));
}
