//! What is in force, written as a file again.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use scale_from_zero::config::{Config, Effective, Environment, keys, parse};
use tempfile::TempDir;

use crate::{check, told};

/// A value other than the default for each key, `url` and one way to be let in left out.
const ALL_DIFFERENT: &str = r#"
interval: 1m 1s 250ms
prometheus:
  urls: [http://a:9090, "https://b/x/", "http://[::1]:1"]
  timeout: 3s
  basicAuth: {username: "u # x", passwordFile: "/p: q"}
  tls: {caFile: /ca, certFile: /cert, keyFile: /key, insecureSkipVerify: true}
  headers: {}
  params: {a: "true", b: "false", c: ""}
query:
  families: [own_size]
  labels: {namespace: l1, pool: l2, model: l3, targetModel: l4}
  matchers: {m1: v1, m2: "null", m3: "1"}
  missingNamespace: all
  expression: |
    sum by (a) (
      b > 0)
  maxSampleAge: 5m
scope:
  namespaces: [own, other]
  controllerInstance: "1"
  sources: [HorizontalPodAutoscaler, ScaledObject]
wake:
  select: all
  unmatched: pool
  guard: true
  concurrency: 17
  readyTimeout: 11m
  unschedulableAfter: 6m
  maxEscalations: 2
  settle: 3m
  manualHold: 0s
  maxStarting: 20
  maxStartingPerNamespace: 5
  backoff: {initial: 2s, max: 6m}
status: {enabled: false, fallbackAccelerator: "~ ~", annotateVariant: true}
events: false
leaderElection: {enabled: true, name: lease, leaseDuration: 16s}
server: {address: "[::1]:1"}
log: {level: debug, format: json}
dryRun: true
"#;

/// A file in a folder of its own.
struct File(TempDir);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(TempDir::new().unwrap());
        fs::write(file.path(), text).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("config.yaml")
    }

    fn effective(&self) -> Effective {
        Effective::read(Some(&self.path()), &pod()).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn pod() -> Environment {
    Environment {
        namespace: Some("here".to_owned()),
    }
}

fn again(text: &str) -> Config {
    // Outside any pod: what depended on it is said.
    parse("again.yaml".as_ref(), text, &Environment::default())
        .unwrap_or_else(|error| panic!("{error}\nin:\n{text}"))
}

/// The line of a key at the end of its path.
fn line<'a>(yaml: &'a str, start: &str) -> &'a str {
    let mut lines = yaml.lines().map(str::trim);
    lines
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no {start} in:\n{yaml}"))
}

#[test]
fn the_defaults_are_written_as_themselves() {
    let yaml = Effective::read(None, &pod()).unwrap().yaml();
    assert_eq!(again(&yaml), Config::default());
    let behind: Vec<&str> = yaml.lines().filter(|line| line.contains("  #")).collect();
    assert_eq!(behind, [""; 0], "nothing was set");
    // Every key is there, with the value that the example documents.
    let written: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
    for key in keys().iter().filter(|key| *key != "prometheus.urls") {
        let mut at = Some(&written);
        for name in key.split('.') {
            at = at.and_then(|below| below.get(name));
        }
        assert!(at.is_some(), "{key} is missing in:\n{yaml}");
    }
}

#[test]
fn every_value_comes_back() {
    let effective = File::new(ALL_DIFFERENT).effective();
    let different = serde_yaml::from_str::<serde_yaml::Value>(ALL_DIFFERENT).unwrap();
    for key in keys() {
        let known = [
            "prometheus.url",
            "prometheus.bearerTokenFile",
            "leaderElection.namespace",
        ];
        let there = key.split('.').try_fold(&different, |below, name| below.get(name));
        assert_eq!(
            there.is_none(),
            known.contains(&&*key),
            "{key} in the text of this test"
        );
    }
    let yaml = effective.yaml();
    assert_eq!(again(&yaml), effective.config, "{yaml}");
    let json: serde_json::Value = serde_json::from_str(&effective.json()).unwrap();
    assert_eq!(again(&json["config"].to_string()), effective.config);
    assert_eq!(json["hidden"], serde_json::json!([]));
}

#[test]
fn a_token_file_comes_back_and_its_content_does_not() {
    let token = File::new("s3cret");
    let text = format!(
        "prometheus: {{url: http://a, bearerTokenFile: {:?}}}",
        token.path()
    );
    let effective = File::new(&text).effective();
    let (yaml, json) = (effective.yaml(), effective.json());
    assert_eq!(again(&yaml), effective.config);
    assert!(
        !yaml.contains("s3cret") && !json.contains("s3cret"),
        "{yaml}{json}"
    );
}

#[test]
fn each_value_says_where_it_was_set() {
    let file = File::new(ALL_DIFFERENT);
    let mut effective = file.effective();
    let yaml = effective.yaml();
    let at = |number: usize| format!("  # {}:{number}", file.path().display());
    for (start, number) in [
        ("interval:", 2),
        ("urls:", 4),
        ("params:", 9),
        ("model:", 12),
        ("initial:", 35),
    ] {
        let line = line(&yaml, start);
        assert!(line.ends_with(&at(number)), "{line}, and not {}", at(number));
    }
    let namespaces = line(&yaml, "namespaces:");
    assert!(
        namespaces.ends_with(&(at(20) + ", where own is the namespace of this pod")),
        "{namespaces}"
    );
    let lease = yaml.lines().find(|line| line.contains("namespace: here"));
    assert_eq!(lease, Some("  namespace: here  # the namespace of this pod"));
    // What null was written for is a default, what says the default is not.
    let one = File::new("events: true\nquery: {expression: null}\nprometheus:\n  urls: [http://a]\n");
    let one = one.effective().yaml();
    assert!(line(&one, "events:").ends_with("config.yaml:1"), "{one}");
    assert_eq!(line(&one, "expression:"), "expression: null");
    assert!(line(&one, "url:").ends_with("config.yaml:4"), "{one}");

    effective.dry_run("--dry-run");
    assert_eq!(line(&effective.yaml(), "dryRun:"), "dryRun: true  # --dry-run");
}

#[test]
fn what_may_be_secret_is_neither_shown_nor_taken_for_the_value() {
    let text = "prometheus:\n  headers: {X-Scope-OrgID: s3cret}\n  params: {key: s3cret, dedup: \"true\"}\n";
    let effective = File::new(text).effective();
    let (yaml, json) = (effective.yaml(), effective.json());
    assert!(
        !yaml.contains("s3cret") && !json.contains("s3cret"),
        "{yaml}{json}"
    );
    assert_eq!(line(&yaml, "dedup:"), "dedup: 'true'");
    assert!(
        yaml.contains("\n# What may be a secret is not shown: put it in where <hidden> stands"),
        "{yaml}"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hidden = serde_json::json!(["prometheus.headers.X-Scope-OrgID", "prometheus.params.key"]);
    assert_eq!(json["hidden"], hidden);
    // Given back as it is, it would send the wrong tenant.
    let told = told(&yaml);
    let mend = "is <hidden>, which stands for a value that `config` does not show; write the value";
    assert!(told.contains("2 problems"), "{told}");
    assert!(
        told.contains(&format!("prometheus.headers.X-Scope-OrgID: {mend}")),
        "{told}"
    );
    assert!(told.contains(&format!("prometheus.params.key: {mend}")), "{told}");
    let put_in = yaml.replace("<hidden>", "s3cret");
    assert_eq!(again(&put_in), effective.config);
    check(&[(
        "prometheus: {params: {a: <hidden>}}",
        &format!("line 1: prometheus.params.a: {mend}"),
    )]);
}

#[test]
fn a_name_of_a_file_stays_in_its_comment() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a\nevents: false");
    fs::write(&path, "interval: 1s").unwrap();
    let effective = Effective::read(Some(&path), &pod()).unwrap();
    assert_eq!(again(&effective.yaml()), effective.config);
}

proptest! {
    /// Whatever text a file can hold, it comes back.
    #[test]
    fn any_text_comes_back(text in "\\PC*|[\\x00-\\xff\u{2028}\u{feff}\u{1f600}\\n'\"#:{}\\[\\],&*!|>%@`~-]{1,12}") {
        let json = serde_json::json!({
            "query": {"matchers": {"a": text}, "expression": format!("x{text}")},
            "prometheus": {"basicAuth": {"username": "u", "passwordFile": format!("/{}", text.replace('\0', ""))}},
            "status": {"fallbackAccelerator": format!("xx{text}")},
        });
        // YAML takes what is JSON, but for some characters that it wants escaped.
        let escaped: String = json.to_string().chars().map(|c| match u32::from(c) {
            code @ (0x7f..=0x9f | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff) => format!("\\u{code:04x}"),
            _ => c.to_string(),
        }).collect();
        let config = again(&escaped);
        let file = File::new(&escaped);
        let effective = file.effective();
        prop_assert_eq!(&effective.config, &config);
        prop_assert_eq!(&again(&effective.yaml()), &config);
    }
}
