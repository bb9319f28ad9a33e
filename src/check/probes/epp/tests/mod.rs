//! Each problem is found where it is, with what helps, and nowhere else.

mod flow;
mod there;

use super::probe;
use crate::{
    check::{
        Facts, Severity,
        probes::given::{self, healthy, only, seen},
    },
    core::Sign,
};

pub(super) const EPP: &str = "chat-epp";
const POD: &str = "chat-epp-7d9-x2";

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

/// Nothing is scraped: the configuration is all that is known.
fn unseen(facts: &mut Facts) {
    facts.prometheus.seen = None;
}

/// Its flow control is off, as far as Prometheus can tell.
fn off(facts: &mut Facts) {
    facts.prometheus.seen = Some(vec![seen("llm", "chat", Sign::Endpoints)]);
}
