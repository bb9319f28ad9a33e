//! Odd things at any place of an object, or in what Prometheus says: no probe panics, and what it says is whole.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::given::{self, healthy, started};
use crate::check::{Facts, ScrapeTarget, Series, Verdict};

/// Any JSON, not too large.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "name",
        "spec",
        "containers",
        "--config-file",
        "/config/plugins.yaml",
        "data",
        "configMap",
        "",
        "é\u{7}",
        "2026-06-01T10:00:00Z",
        "flowControl",
        "1s",
        "999999999999999999999y",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// The places of an object, to put something odd at.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            places(
                value,
                &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                into,
            );
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| places(value, &format!("{at}/{i}"), into)),
        _ => {}
    }
}

/// Facts with something odd at one place of any object.
fn odd() -> impl Strategy<Value = Facts> {
    (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any_json(),
        any::<bool>(),
    )
        .prop_map(|(object, place, odd, scraped)| {
            let mut facts = healthy();
            started(&mut facts, 900);
            if !scraped {
                facts.prometheus.seen = Some(Vec::new());
                given::targets(&mut facts).clear();
            }
            let objects: Vec<_> = facts.objects.iter().cloned().collect();
            let mut object = object.get(objects.as_slice()).clone();
            let mut all = Vec::new();
            places(&object.json, "", &mut all);
            *object
                .json
                .pointer_mut(place.get(all.as_slice()).as_str())
                .unwrap() = odd;
            facts.objects.add(object);
            facts
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn nothing_odd_in_an_object_makes_it_panic(facts in odd()) {
        let found = super::all(&facts, &Verdict::of(&facts));
        for problem in found {
            prop_assert!(!problem.what.is_empty() && !problem.mend.is_empty(), "{problem:?}");
        }
    }
}

/// Odd labels, ages and intervals.
fn odd_answers() -> impl Strategy<Value = Facts> {
    let name = prop::sample::select(vec![
        "namespace",
        "inference_pool",
        "pod",
        "cluster",
        "prometheus",
        "exported_namespace",
    ]);
    let value = prop::sample::select(vec!["llm", "chat", "", "other", "é\u{7}'\""]);
    let labels =
        prop::collection::btree_map(name.prop_map(str::to_owned), value.prop_map(str::to_owned), 0..6);
    let series =
        (labels.clone(), any::<f64>(), any::<Option<f64>>()).prop_map(|(labels, value, age)| Series {
            name: "queue".to_owned(),
            labels,
            value,
            age,
        });
    let target = (
        labels,
        "\\PC{0,20}",
        any::<Option<Duration>>(),
        "up|down|",
        "\\PC{0,20}",
    )
        .prop_map(|(labels, url, interval, health, pool)| ScrapeTarget {
            labels,
            pool: format!("serviceMonitor/{pool}"),
            last_error: url.clone(),
            url,
            interval,
            health,
            last_scrape: None,
        });
    let all = (
        prop::collection::vec(series, 0..6),
        prop::collection::vec(target, 0..4),
        (0..86_400_000u64).prop_map(Duration::from_millis),
    );
    all.prop_map(|(series, some, latency)| {
        let mut facts = healthy();
        facts.prometheus.series = series;
        facts.prometheus.latency = Some(latency);
        facts.prometheus.seen = Some(Vec::new());
        *given::targets(&mut facts) = some;
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn nothing_odd_in_an_answer_makes_it_panic(facts in odd_answers()) {
        for problem in super::all(&facts, &Verdict::of(&facts)) {
            prop_assert!(!problem.what.is_empty() && !problem.mend.is_empty(), "{problem:?}");
        }
    }
}
