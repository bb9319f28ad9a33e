//! Every word that reports use for a state or a reason is explained somewhere.

use std::collections::BTreeSet;

use super::{read, tables};

/// The words of an enum, read from its `as_str`: instances of all its variants would be a second list to keep.
fn words(source: &str, of: &str) -> BTreeSet<String> {
    let text = read(source);
    let body = text
        .split_once(&format!("impl {of} {{"))
        .and_then(|(_, after)| after.split_once("fn as_str("))
        .and_then(|(_, after)| after.split_once("\n    }\n"))
        .map_or_else(|| panic!("{source}: {of} has no as_str"), |(body, _)| body);
    let arms = body.lines().filter_map(|line| line.split_once("=> \""));
    arms.map(|(_, after)| after.split('"').next().unwrap().to_owned())
        .collect()
}

/// Everything in backquotes, the words that share a beginning written out.
fn explained(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let mut words = BTreeSet::new();
    for line in text.lines() {
        for word in tables::quoted(line) {
            words.insert(word.to_owned());
            // `out_of_scope_namespace`, `_instance`, ...
            if word.starts_with('_') && line.contains("`out_of_scope_") {
                words.insert(format!("out_of_scope{word}"));
            }
        }
    }
    words
}

#[test]
fn every_reason_and_every_state_is_explained() {
    let mut explained = explained("docs/troubleshooting.md");
    explained.extend(self::explained("docs/metrics.md"));
    for (source, of, least) in [
        ("src/core/blocked.rs", "Blocked", 20),
        ("src/core/inventory/scope.rs", "OutOfScope", 10),
        ("src/core/state.rs", "State", 9),
        ("src/core/signal.rs", "Signal", 4),
        ("src/core/overdue.rs", "Overdue", 4),
        ("src/core/failure.rs", "Failure", 5),
        ("src/prometheus/error.rs", "Reason", 10),
        ("src/cluster/health.rs", "WatchState", 5),
    ] {
        let words = words(source, of);
        assert!(words.len() >= least, "the words of {of} are found: {words:?}");
        let unsaid: Vec<_> = words.difference(&explained).collect();
        assert!(
            unsaid.is_empty(),
            "neither docs/troubleshooting.md nor docs/metrics.md explains {unsaid:?} of {of}"
        );
    }
}

/// The reasons that say why a model sleeps on though requests wait for it are where people look first.
#[test]
fn troubleshooting_names_every_reason_that_holds_demand_back() {
    let explained = explained("docs/troubleshooting.md");
    let unsaid: Vec<_> = words("src/core/blocked.rs", "Blocked")
        .difference(&explained)
        .cloned()
        .collect();
    assert!(unsaid.is_empty(), "docs/troubleshooting.md lacks {unsaid:?}");
}
