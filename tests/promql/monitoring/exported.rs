//! What is exported, by docs/metrics.md. That its first table is what the program exports, a trial of the integration suite
//! holds (`metrics_as_documented`); that its words are those of the code, this does.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use scale_from_zero::{
    cluster::WatchState,
    core::{Blocked, Failure, Gone, OutOfScope, Overdue, State, TakenBy},
    prometheus::Reason,
};

use super::text;

/// A metric.
#[derive(Debug)]
pub struct Metric {
    pub histogram: bool,
    /// Labels with the values they may have; none where anything goes.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

/// Every metric, by its name.
pub fn metrics() -> BTreeMap<String, Metric> {
    let document = text("docs/metrics.md");
    let rows = document.lines().take_while(|line| !line.starts_with("## "));
    let rows = rows.filter(|line| line.starts_with("| `scale_from_zero_"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        let values = |label: &str| match (label, name.as_str()) {
            ("reason", "scale_from_zero_query_errors_total") => reasons(&document, "`scale_from_zero_query"),
            ("reason", "scale_from_zero_escalations_total") | ("result" | "state", _) => quoted(cells[4]),
            ("reason", _) => reasons(&document, "`scale_from_zero_blocked`"),
            _ => BTreeSet::new(),
        };
        let labels = quoted(cells[3]).into_iter().map(|label| {
            let values = values(&label);
            (label, values)
        });
        let metric = Metric {
            histogram: cells[2] == "histogram",
            labels: labels.collect(),
        };
        (name, metric)
    })
    .collect()
}

/// What stands in backquotes.
fn quoted(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// The first column of the table of reasons of these metrics. `_word` goes on from the word before it.
fn reasons(document: &str, of: &str) -> BTreeSet<String> {
    let (_, table) = document
        .split_once(&format!("\nOf {of}"))
        .unwrap_or_else(|| panic!("no table of reasons of {of}"));
    let rows = table.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        if cells[1].contains("`out_of_scope_*`") {
            let words = quoted(cells[2]).into_iter();
            let words = words.filter(|word| word.starts_with('_') || word.starts_with("out_of_scope"));
            let whole = |word: String| format!("out_of_scope{}", word.trim_start_matches("out_of_scope"));
            words.map(whole).collect()
        } else {
            quoted(cells[1])
        }
    })
    .collect()
}

/// The words of the document are those of the code.
pub fn words_are_those_of_the_code() {
    let metrics = metrics();
    let documented =
        |metric: &str, label: &str| metrics[&format!("scale_from_zero_{metric}")].labels[label].clone();
    let words =
        |words: &[&'static str]| -> BTreeSet<String> { words.iter().map(ToString::to_string).collect() };

    let blocked: Vec<_> = all_blocked().iter().map(Blocked::as_str).collect();
    assert_eq!(documented("blocked", "reason"), words(&blocked));
    assert_eq!(documented("variants_by_state", "state"), words(&State::WORDS));
    assert_eq!(documented("watch_state", "state"), words(&WatchState::WORDS));
    let overdue = all_overdue().map(|why| why.as_str());
    assert_eq!(documented("escalations_total", "reason"), words(&overdue));
    let failed = Reason::ALL.map(Reason::as_str);
    assert_eq!(documented("query_errors_total", "reason"), words(&failed));
    let wakes = documented("wakes_total", "result");
    for failure in Failure::ALL {
        assert!(wakes.contains(failure.as_str()), "{failure:?}");
    }
    let document = text("docs/metrics.md");
    for state in State::WORDS {
        assert!(document.contains(&format!("\n| `{state}` | ")), "{state}");
    }
}

fn all_overdue() -> [Overdue; 4] {
    [
        Overdue::NotReady(Duration::ZERO),
        Overdue::Unschedulable("".into()),
        Overdue::ReplicaFailure("".into()),
        Overdue::NotProgressing("".into()),
    ]
}

/// One of each reason. A new one does not compile before it is here.
fn all_blocked() -> Vec<Blocked> {
    let nobody = TakenBy::Unknown;
    let mut all = vec![
        Blocked::NoVariant,
        Blocked::WrongNamespace("n".into()),
        Blocked::NameDiffersByCase("n".into()),
        Blocked::OtherPool("n".into()),
        Blocked::NoPool,
        Blocked::LabelOverflow,
        Blocked::UnnamedDemand,
        Blocked::AmbiguousNamespace,
        Blocked::StaleDemand,
        Blocked::WakeFailed(Failure::Forbidden),
        Blocked::TakenBack(None),
        Blocked::Manual(nobody),
        Blocked::UnknownRole("r".into()),
        Blocked::Incomplete,
        Blocked::Capped,
        Blocked::FlowControlOff,
        Blocked::EppNotScraped,
    ];
    let gone = [
        Gone::Missing,
        Gone::Unreadable,
        Gone::Unsupported,
        Gone::NoTemplate,
    ];
    all.extend(gone.map(Blocked::Target));
    all.extend(OutOfScope::ALL.map(Blocked::OutOfScope));
    all.extend(all_overdue().map(Blocked::Overdue));
    for blocked in &all {
        match blocked {
            Blocked::Target(Gone::Missing | Gone::Unreadable | Gone::Unsupported | Gone::NoTemplate)
            | Blocked::NoVariant
            | Blocked::WrongNamespace(_)
            | Blocked::NameDiffersByCase(_)
            | Blocked::OtherPool(_)
            | Blocked::NoPool
            | Blocked::OutOfScope(_)
            | Blocked::LabelOverflow
            | Blocked::UnnamedDemand
            | Blocked::AmbiguousNamespace
            | Blocked::StaleDemand
            | Blocked::WakeFailed(_)
            | Blocked::TakenBack(_)
            | Blocked::Manual(_)
            | Blocked::UnknownRole(_)
            | Blocked::Incomplete
            | Blocked::Capped
            | Blocked::Overdue(
                Overdue::NotReady(_)
                | Overdue::Unschedulable(_)
                | Overdue::ReplicaFailure(_)
                | Overdue::NotProgressing(_),
            )
            | Blocked::FlowControlOff
            | Blocked::EppNotScraped => {}
        }
    }
    all
}
