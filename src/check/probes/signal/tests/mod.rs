//! Each problem is found where it is, with what helps, and nowhere else.

mod interval;
mod scrape;
mod series;

use super::probe;
use crate::{
    check::{
        Facts, Series, Severity,
        probes::given::{self, files, healthy, only, seen, series, targets},
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

/// The queue's series.
fn has(series: impl IntoIterator<Item = Series>) -> impl FnOnce(&mut Facts) {
    let series = series.into_iter().collect();
    |facts| facts.prometheus.series = series
}
