use super::*;
use crate::check::probes::given::{codes, variant};

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
