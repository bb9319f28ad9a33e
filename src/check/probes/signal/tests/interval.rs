use std::time::Duration;

use serde_json::json;

use super::*;
use crate::check::probes::given::{put, set, variant};

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

#[test]
fn one_monitor_of_many_epps_is_told_once() {
    let mut facts = healthy();
    let spec =
        json!({"namespaceSelector": {"any": true}, "selector": {}, "endpoints": [{"interval": "10s"}]});
    set(&mut facts, "ServiceMonitor", "chat-epp", "/spec", spec);
    facts.prometheus.targets = None;
    for (namespace, pool) in [("llm2", "b"), ("llm3", "c")] {
        variant(&mut facts, namespace, "llama", pool);
        for kind in ["InferencePool", "Service"] {
            let group = if kind == "Service" {
                ""
            } else {
                "inference.networking.k8s.io"
            };
            let mut object = facts.objects.all(group, kind).next().unwrap().json.clone();
            object["metadata"]["namespace"] = json!(namespace);
            if kind == "InferencePool" {
                object["metadata"]["name"] = json!(pool);
            }
            put(&mut facts, object);
        }
    }
    facts.prometheus.seen = None;
    let (severity, text) = only(probe, &facts, "scrape_interval_slow");
    assert!(
        severity == Severity::Warning && text.contains("the same for 2 other pools"),
        "{text}"
    );
    let crate::check::Concerns::Variants(all) = &given::found(probe, &facts)[0].concerns else {
        panic!("it concerns variants");
    };
    assert_eq!(all.len(), 3);
}

#[test]
fn series_of_a_query_of_ones_own_are_not_judged() {
    fine(|facts| {
        facts.prometheus.series = vec![series(&[("namespace", "")], 0.0)];
        facts.config.query.expression = Some("my:queue".to_owned());
    });
}
