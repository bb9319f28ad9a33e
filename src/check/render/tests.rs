use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;

use super::{Page, View, json, story, text, wrapped};
use crate::{
    check::{
        Concerns, Facts, Link, Objects, Origin, Problem, Prom, Report, Row, Severity, Unread,
        explain::{End, Mark, Step, Story},
    },
    config::Config,
    core::{Inventory, Mono, Now, ObjectName, VariantKey, Wall},
};

const TERMINAL: View = View {
    width: Some(100),
    colour: false,
    wide: false,
};
const PIPE: View = View {
    width: None,
    colour: false,
    wide: false,
};

fn facts() -> Facts {
    Facts {
        config: Config::default(),
        origin: Origin::Live {
            cluster: "https://127.0.0.1:6443".into(),
            version: Some("v1.33.1".into()),
        },
        now: Now {
            mono: Mono::default(),
            wall: Wall::UNIX_EPOCH,
        },
        objects: Objects::default(),
        unread: Vec::new(),
        gaps: Vec::new(),
        missing_namespaces: BTreeSet::new(),
        inventory: Inventory::default(),
        access: Vec::new(),
        account: Some("kubernetes-admin".into()),
        prometheus: Prom {
            servers: vec!["http://127.0.0.1:9090".into()],
            demand: Some(Ok(Vec::new())),
            seen: Some(Vec::new()),
            latency: Some(std::time::Duration::from_millis(12)),
            version: Some("2.42.0".into()),
            ..Prom::default()
        },
    }
}

fn key(name: &str) -> VariantKey {
    VariantKey::autoscaling(ObjectName::new("llm", name))
}

fn row(name: &str, first: Option<usize>) -> Row {
    Row {
        key: key(name),
        model: format!("meta/{name}"),
        target: Some(("Deployment".into(), name.into())),
        replicas: Some((0, 0)),
        pools: vec!["pool".into()],
        waiting: Some(0.0),
        state: "parked",
        reason: "at 0 replicas; no requests wait for it".into(),
        first,
    }
}

fn problem(code: &'static str, severity: Severity, name: &str) -> Problem {
    Problem::new(code, severity, Link::Pool, "no pool selects its pods")
        .about(format!("Deployment llm/{name}"))
        .concerning(Concerns::one(&key(name)))
        .seen("its pods are labelled app=llama")
        .mend("give its pods the labels that the pool selects by")
        .mend(format!("kubectl -n llm edit deployment {name}"))
}

fn page<'a>(facts: &'a Facts, report: &'a Report) -> Page<'a> {
    Page {
        facts,
        report,
        config: None,
        only: None,
    }
}

#[test]
fn a_page_tells_where_it_looked_what_is_wrong_and_what_it_comes_to() {
    let report = Report {
        variants: vec![row("llama", Some(0)), row("qwen", None)],
        problems: vec![problem("no_pool", Severity::Error, "llama")],
    };
    let facts = facts();
    assert_eq!(
        text(&page(&facts, &report), PIPE),
        "\
cluster     https://127.0.0.1:6443 (v1.33.1), as kubernetes-admin
Prometheus  http://127.0.0.1:9090 (2.42.0), answered in 12 ms
config      none given, the defaults
scope       all namespaces
time        1970-01-01 00:00:00 UTC

VARIANT    MODEL       TARGET  READY  POOL  QUEUE  STATE   FIRST PROBLEM
llm/llama  meta/llama  llama   0/0    pool  0      parked  [1] no_pool: no pool selects its pods
llm/qwen   meta/qwen   qwen    0/0    pool  0      parked

[1] error: no pool selects its pods (no_pool)
    object    Deployment llm/llama
    concerns  llm/llama
    seen      its pods are labelled app=llama
    mend      give its pods the labels that the pool selects by
              kubectl -n llm edit deployment llama

2 variants: 2 parked
1 error; begin with [1]
"
    );
}

#[test]
fn where_nothing_is_wrong_no_more_is_said_than_was_looked_at() {
    let report = Report {
        variants: vec![row("llama", None)],
        problems: Vec::new(),
    };
    let mut facts = facts();
    let told = |facts: &Facts| text(&page(facts, &report), PIPE);
    assert!(told(&facts).ends_with(
        "1 variant: 1 parked\nAll well: what is parked wakes as soon as a request waits for it.\n"
    ));
    facts.prometheus.seen = None;
    assert!(
        told(&facts).ends_with("cannot be told from what Prometheus has.\n"),
        "{}",
        told(&facts)
    );
    facts.prometheus.demand = None;
    assert!(
        told(&facts).ends_with("there are no samples.\n"),
        "{}",
        told(&facts)
    );
    let none = Report {
        variants: Vec::new(),
        problems: Vec::new(),
    };
    let told = text(&page(&facts, &none), PIPE);
    assert!(
        told.contains("No variants: ") && !told.contains("All well"),
        "{told}"
    );
}

#[test]
fn what_was_not_looked_at_is_told_and_what_is_not_there_is_no_gap() {
    let report = Report {
        variants: Vec::new(),
        problems: Vec::new(),
    };
    let mut facts = facts();
    let unread = |kind: &str, absent| Unread {
        group: String::new(),
        kind: kind.into(),
        namespace: Some("llm".into()),
        why: "403 Forbidden: no".into(),
        absent,
    };
    facts.unread = vec![unread("Pod", false), unread("Widget", true)];
    facts.prometheus.targets = Some(Err("404".into()));
    let told = text(&page(&facts, &report), PIPE);
    assert!(
        told.contains(
            "not seen    Pods in llm: 403 Forbidden: no\n            the scrape targets of Prometheus: 404\n"
        ),
        "{told}"
    );
    assert!(!told.contains("Widget"), "{told}");
    // That Prometheus does not answer is a problem, and one is enough.
    facts.prometheus.demand = Some(Err("no connection".into()));
    assert!(!text(&page(&facts, &report), PIPE).contains("scrape targets"));
}

#[test]
fn text_fits_the_terminal_and_commands_stay_whole() {
    let long = "a-variant-with-a-name-that-is-longer-than-any-column-has-room-for-on-a-terminal";
    let mut wide = row(long, Some(0));
    wide.model = "an-organisation/".to_owned() + long;
    wide.pools = vec![long.into(), long.into()];
    let report = Report {
        variants: vec![wide, row("llama", None)],
        problems: vec![problem("no_pool", Severity::Error, long).seen("word ".repeat(60))],
    };
    let facts = facts();
    for width in [60, 80, 100, 140] {
        let view = View {
            width: Some(width),
            ..TERMINAL
        };
        let told = text(&page(&facts, &report), view);
        for line in told.lines().filter(|line| !line.contains(long)) {
            assert!(line.chars().count() <= width, "{width}: {line:?}");
        }
        let command = format!("kubectl -n llm edit deployment {long}\n");
        assert!(told.contains(&command), "{width}: {told}");
        assert!(told.contains("[1] no_pool") || width < 100, "{width}: {told}");
    }
    let whole = View {
        wide: true,
        ..TERMINAL
    };
    let table = text(&page(&facts, &report), whole);
    assert!(table.contains(&format!("an-organisation/{long}")), "{table}");
}

#[test]
fn of_many_those_are_shown_that_have_something_to_tell() {
    let problems: Vec<_> = (0..50)
        .map(|n| problem("no_pool", Severity::Error, &format!("v{n:03}")))
        .collect();
    let rows = (0..1000).map(|n| row(&format!("v{n:03}"), (n < 50).then_some(n)));
    let report = Report {
        variants: rows.collect(),
        problems,
    };
    let facts = facts();
    let told = text(&page(&facts, &report), TERMINAL);
    assert!(
        told.contains(
            "… and 10 variants with a problem, 950 variants with nothing to tell; -o wide shows all\n"
        ),
        "{told}"
    );
    assert!(told.lines().count() < 100, "{}", told.lines().count());
    assert!(
        told.contains("[4] to [50] error: 47 more of the same: Deployment llm/v003, "),
        "{told}"
    );
    assert!(told.contains("and 42 more"), "{told}");
    assert!(
        told.contains("1000 variants: 1000 parked\n50 errors; begin with [1]\n"),
        "{told}"
    );
    // Into a file or pipe goes every variant; and with -o wide every problem.
    assert!(text(&page(&facts, &report), PIPE).contains("llm/v999"));
    let wide = View { wide: true, ..PIPE };
    assert!(text(&page(&facts, &report), wide).contains("[50] error: "));
}

#[test]
fn one_problem_of_many_names_a_few_of_them() {
    let variants: BTreeSet<_> = (0..1000).map(|n| key(&format!("v{n:03}"))).collect();
    let report = Report {
        variants: vec![row("v000", Some(0))],
        problems: vec![problem("no_pool", Severity::Warning, "x").concerning(Concerns::Variants(variants))],
    };
    let told = text(&page(&facts(), &report), PIPE);
    assert!(
        told.contains("concerns  llm/v000, llm/v001, llm/v002, llm/v003, llm/v004 and 995 more\n"),
        "{told}"
    );
    assert!(told.contains("1 warning; begin with [1]"), "{told}");
}

#[test]
fn notes_are_no_problems() {
    let report = Report {
        variants: vec![row("llama", Some(0))],
        problems: vec![problem("custom_expression", Severity::Note, "llama")],
    };
    let told = text(&page(&facts(), &report), PIPE);
    assert!(
        told.contains("[1] note: ") && told.contains("All well") && told.ends_with("1 note\n"),
        "{told}"
    );
}

/// No name moves the cursor, breaks a line or turns the direction round.
#[test]
fn hostile_names_stay_on_their_line() {
    let bad = "a\u{1b}[2J\nb\r\u{202e}c\u{9b}";
    let mut hostile = row("llama", Some(0));
    hostile.model = bad.into();
    hostile.pools = vec![bad.into()];
    let mut found = problem("no_variant", Severity::Error, "llama")
        .seen(bad)
        .mend(bad)
        .about(bad);
    found.what = bad.into();
    let report = Report {
        variants: vec![hostile],
        problems: vec![found],
    };
    let mut facts = facts();
    facts.account = Some(bad.into());
    facts.prometheus.servers = vec![bad.into()];
    let told_story = Story {
        namespace: Some(bad.into()),
        model: bad.into(),
        steps: vec![Step {
            title: "a step",
            mark: Mark::Broken,
            evidence: vec![bad.into()],
            why: None,
            problems: vec![0],
        }],
        end: End::Never,
        sentence: bad.into(),
        mend: vec![bad.into()],
        nearest: vec![bad.into()],
    };
    for view in [PIPE, TERMINAL] {
        let page = Page {
            only: Some(bad),
            ..page(&facts, &report)
        };
        for told in [
            text(&page, view),
            story(&page, std::slice::from_ref(&told_story), view),
        ] {
            assert!(
                !told
                    .chars()
                    .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
                "{told:?}"
            );
            assert!(!told.lines().any(|line| line.starts_with('b')), "{told}");
        }
    }
    let document = json::json(&page(&facts, &report), Some(&[told_story]), true).unwrap();
    assert_eq!(document.lines().count(), 1);
    assert!(
        !document
            .chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{document:?}"
    );
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(
        document["variants"][0]["model"], bad,
        "programs get what there is"
    );
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let report = Report {
        variants: vec![row("llama", Some(0))],
        problems: vec![problem("no_pool", Severity::Error, "llama")],
    };
    let facts = facts();
    let colour = View {
        colour: true,
        ..TERMINAL
    };
    let (plain, painted) = (
        text(&page(&facts, &report), TERMINAL),
        text(&page(&facts, &report), colour),
    );
    assert!(!plain.contains('\u{1b}'));
    assert!(painted.contains('\u{1b}'));
    assert_eq!(without_colours(&painted), plain, "they change nothing else");
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

#[test]
fn words_are_wrapped_at_blanks() {
    assert_eq!(wrapped("a bb ccc", Some(4)), ["a bb", "ccc"]);
    assert_eq!(wrapped("aaaaaa b", Some(4)), ["aaaaaa", "b"]);
    assert_eq!(wrapped("a bb", None), ["a bb"]);
    assert_eq!(wrapped("", Some(4)), [""]);
}

/// Paths of the fields of a document: `variants[].name`.
fn fields(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) if at != "summary.states" => {
            for (name, value) in map {
                let at = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                fields(value, &at, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                fields(item, &format!("{at}[]"), found);
            }
        }
        _ => {
            found.insert(at.to_owned());
        }
    }
}

#[test]
fn the_fields_are_those_of_the_document() {
    let report = Report {
        variants: vec![row("llama", Some(0))],
        problems: vec![problem("no_pool", Severity::Error, "llama")],
    };
    let mut live = facts();
    live.prometheus.targets = Some(Err("404".into()));
    let mut files = facts();
    files.origin = Origin::Files {
        objects: PathBuf::from("manifests"),
        samples: None,
    };
    let told = Story {
        namespace: None,
        model: "m".into(),
        steps: vec![Step {
            title: "t",
            mark: Mark::Ok,
            evidence: Vec::new(),
            why: None,
            problems: Vec::new(),
        }],
        end: End::Now,
        sentence: String::new(),
        mend: Vec::new(),
        nearest: Vec::new(),
    };
    let mut found = BTreeSet::new();
    for facts in [&live, &files] {
        let document = json::json(&page(facts, &report), Some(std::slice::from_ref(&told)), false).unwrap();
        fields(&serde_json::from_str(&document).unwrap(), "", &mut found);
    }
    let failure = json::failure("why", Wall::UNIX_EPOCH, true).unwrap();
    fields(&serde_json::from_str(&failure).unwrap(), "", &mut found);
    // Null where the other is there.
    found.remove("cluster");
    found.remove("files");

    let nested: Vec<_> = found
        .iter()
        .filter_map(|field| field.split_once("[]."))
        .map(|(list, _)| list.to_owned())
        .collect();
    found.retain(|field| !nested.contains(field));

    let document = include_str!("../../../docs/check.md");
    let section = document
        .split("## JSON")
        .nth(1)
        .unwrap()
        .split("## ")
        .next()
        .unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .map(|row| row.split('`').next().unwrap().to_owned())
        .collect();
    assert_eq!(found, documented);
}

#[test]
fn numbers_in_the_document_are_those_of_the_text() {
    let report = Report {
        variants: vec![row("llama", Some(1))],
        problems: vec![
            problem("no_pool", Severity::Error, "qwen"),
            problem("no_pool", Severity::Error, "llama"),
        ],
    };
    let document = json::json(&page(&facts(), &report), None, false).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["variants"][0]["firstProblem"], 2);
    assert_eq!(document["variants"][0]["problems"], serde_json::json!([2]));
    assert_eq!(document["problems"][1]["id"], 2);
    assert_eq!(
        document["problems"][1]["variants"],
        serde_json::json!(["llm/llama"])
    );
    assert_eq!(document["summary"]["status"], "problems");
    assert_eq!(document["summary"]["states"], serde_json::json!({"parked": 1}));
}

#[test]
fn what_qualifies_the_outcome_is_told() {
    use crate::check::Gap;

    let mut facts = facts();
    facts.prometheus.gaps = vec![Gap::new("the age of samples", "504 Gateway Timeout")];
    facts.gaps = (0..12)
        .map(|n| Gap::new(format!("f{n}.yaml"), "left out"))
        .collect();
    let report = Report {
        variants: Vec::new(),
        problems: Vec::new(),
    };
    let page = page(&facts, &report);
    let told = text(&page, PIPE);
    assert!(told.contains("not seen    f0.yaml: left out\n"), "{told}");
    assert!(told.contains("and 3 more; -o wide tells all"), "{told}");
    let wide = text(&page, View { wide: true, ..PIPE });
    assert!(wide.contains("the age of samples: 504 Gateway Timeout"), "{wide}");
    let document: Value = serde_json::from_str(&json::json(&page, None, true).unwrap()).unwrap();
    assert_eq!(document["notLookedAt"].as_array().unwrap().len(), 13);
    assert_eq!(document["notLookedAt"][12]["what"], "the age of samples");
}
