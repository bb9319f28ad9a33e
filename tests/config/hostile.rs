//! Whatever the file holds, it is read or refused: no panic, no hang, no secret in a message.

use std::fmt::Write as _;

use proptest::prelude::*;
use scale_from_zero::config::{Config, keys};
use serde_yaml::{Mapping, Value};

use crate::{parsed, problem, told};

const LARGEST: usize = 64 * 1024;

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    // A billion laughs.
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..10 {
        let list = vec![format!("*a{}", n - 1); 9].join(", ");
        writeln!(laughs, "a{n}: &a{n} [{list}]").unwrap();
    }
    let unfold = "aliases unfold to more than a configuration can need";
    assert_eq!(problem(&laughs), "not valid YAML: repetition limit exceeded");
    // One long text, again and again: no nesting, few nodes, many gigabytes.
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(LARGEST / 2),
        "*a,".repeat(LARGEST / 8)
    );
    assert!(problem(&long).ends_with(unfold), "{}", problem(&long));
    // One that holds itself.
    assert!(
        problem("a: &a [*a]").contains("not valid YAML"),
        "{}",
        problem("a: &a [*a]")
    );
    // Merged into one another.
    let merged = "a: &a {x: 1}\nb: &b {<<: *a, y: *a}\nc: {<<: [*a, *b], z: *b}";
    assert!(told(merged).contains("a: unknown key"), "{}", told(merged));
}

#[test]
fn a_file_full_of_one_thing_ends_in_a_short_message() {
    let full = |unit: &str| unit.repeat(LARGEST / unit.len());
    let lines = |line: &dyn Fn(usize) -> String| (0..LARGEST / 16).map(line).collect::<String>();
    let within = |head: &str, text: String| {
        let mut text = head.to_owned() + &text;
        text.truncate(LARGEST);
        text
    };
    let mut files: Vec<String> = [
        "[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!a ", "#", "\t", "\n", "'", "\"\\", "--- ", "x", "|\n ",
        "{a: ", "[a, ", "%", "- - ", ": ",
    ]
    .iter()
    .map(|unit| full(unit))
    .collect();
    files.push(within("", lines(&|n| format!("k{n}: 1\n"))));
    files.push(within(
        "prometheus:\n  headers:\n",
        lines(&|n| format!("    X-{n}: 1\n")),
    ));
    files.push(within(
        "query:\n  matchers:\n",
        lines(&|n| format!("    a-{n}: x\n")),
    ));
    files.push(within(
        "scope:\n  namespaces:\n",
        lines(&|n| format!("  - {n}\n")),
    ));
    files.push(within(
        "scope:\n  namespaces:\n",
        lines(&|n| format!("  - n{n}\n")),
    ));
    files.push(within(
        "scope:\n  namespaces:\n",
        lines(&|_| "  - same\n".to_owned()),
    ));
    for text in files {
        let told = parsed(&text)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(told.lines().count() <= 51 && told.len() < 20_000, "{told}");
    }
}

/// Text that says `s3cret` only where a secret belongs.
const SECRETS: &str = "\
prometheus:
  headers:
    X-Token: s3cret
    X-Other: [s3cret]
    X-Third: {a: s3cret}
    bad name: s3cret
    X-Line: \"s3cret\\n\"
  url: https://user:s3cret@host
  urls: [http://host/?s3cret, 'u:s3cret@host:x', 'u:s3cret@host:x']
";

#[test]
fn no_message_repeats_a_secret() {
    let told = told(SECRETS);
    assert!(told.lines().count() > 7 && !told.contains("s3cret"), "{told}");
}

/// Any YAML value, small.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9]{1,20}(ms|s|m|h|days|years)?".prop_map(Value::from),
        "(http|https|ftp)://[a-z@:/?#\\[\\].0-9]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..3).prop_map(|entries| {
                Value::Mapping(
                    entries
                        .into_iter()
                        .map(|(name, value)| (Value::from(name), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A mapping with any values at keys that there are.
fn file() -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(keys()), value()), 0..6).prop_map(|entries| {
        let mut file = Value::Mapping(Mapping::new());
        for (key, value) in entries {
            let mut at = &mut file;
            for name in key.split('.') {
                if !at.is_mapping() {
                    *at = Value::Mapping(Mapping::new());
                }
                at = at
                    .as_mapping_mut()
                    .unwrap()
                    .entry(Value::from(name))
                    .or_insert(Value::Null);
            }
            *at = value;
        }
        file
    })
}

/// The example with some of its characters replaced.
fn damaged() -> impl Strategy<Value = String> {
    let example = include_str!("../../config.example.yaml");
    let length = example.len();
    prop::collection::vec((0..length, ".{0,3}", 0..4_usize), 1..5).prop_map(move |damages| {
        let mut text = example.to_owned();
        for (at, new, cut) in damages {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.min(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, new.chars());
            text = chars.into_iter().collect();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}|[a-z:{}\\[\\]&*!|>'\"#\\-?,% \n\t]{0,200}") {
        let _ = parsed(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn any_value_at_a_known_key_is_read_or_refused(file in file()) {
        let text = serde_yaml::to_string(&file).unwrap();
        match parsed(&text) {
            Ok(config) => prop_assert!(is_usable(&config), "{text}"),
            Err(error) => {
                let told = error.to_string();
                prop_assert_eq!(told.lines().count(), error.problems().len() + 1, "{}", told);
                prop_assert!(error.problems().iter().all(|problem| problem.place.is_some()), "{}\n{}", told, text);
            }
        }
    }

    #[test]
    fn a_damaged_example_is_read_or_refused(text in damaged()) {
        match parsed(&text) {
            Ok(config) => prop_assert!(is_usable(&config), "{text}"),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

/// What the rest of the program relies on.
fn is_usable(config: &Config) -> bool {
    let spans = [
        config.interval,
        config.prometheus.timeout,
        config.query.max_sample_age,
        config.wake.ready_timeout,
        config.wake.unschedulable_after,
        config.wake.settle,
        config.wake.backoff.initial,
        config.wake.backoff.max,
        config.leader_election.lease_duration,
    ];
    spans
        .iter()
        .all(|span| !span.is_zero() && span.as_secs() <= 24 * 3600)
        && !config.query.families.is_empty()
        && !config.prometheus.urls.is_empty()
        && config
            .prometheus
            .urls
            .iter()
            .all(|url| url.host().is_some_and(|host| !host.is_empty()))
        && config.prometheus.headers.iter().all(|(name, value)| {
            name.parse::<http::HeaderName>().is_ok() && value.0.parse::<http::HeaderValue>().is_ok()
        })
        && config.wake.backoff.initial <= config.wake.backoff.max
        && (1..=256).contains(&config.wake.concurrency)
        && config.wake.max_escalations <= 16
        && config.wake.manual_hold.as_secs() <= 24 * 3600
        && config.wake.max_starting != Some(0)
        && config
            .wake
            .max_starting_per_namespace
            .is_none_or(|each| each > 0 && config.wake.max_starting.is_none_or(|all| each <= all))
        && !config.scope.sources.is_empty()
}
