//! The words that stand for something, each as the file writes it: read by `validate/`, written by `written.rs`.

use tracing::Level;

use super::{LogFormat, MissingNamespace, Select, Unmatched};

/// A few words and what they mean.
pub(super) type Words<T> = [(&'static str, T)];

pub(super) const SELECT: &Words<Select> = &[("cheapest", Select::Cheapest), ("all", Select::All)];

pub(super) const UNMATCHED: &Words<Unmatched> = &[("report", Unmatched::Report), ("pool", Unmatched::Pool)];

pub(super) const MISSING_NAMESPACE: &Words<MissingNamespace> =
    &[("one", MissingNamespace::One), ("all", MissingNamespace::All)];

pub(super) const LEVEL: &Words<Level> = &[
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

pub(super) const FORMAT: &Words<LogFormat> = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

/// The word for a meaning.
pub(super) fn word<T: PartialEq>(meaning: &T, words: &Words<T>) -> &'static str {
    let mut known = words.iter();
    // Each meaning has one: a test writes them all.
    known.find(|(_, of)| of == meaning).map_or("", |(word, _)| word)
}

/// Stands in `scope.namespaces` for the namespace of the pod.
pub(super) const OWN: &str = "own";

/// Stands in `scope.sources` for all of them.
pub(super) const AUTO: &str = "auto";

/// Stands in what `config` prints for a value that may be a secret. No file may hold it as a value of `prometheus.headers`
/// or `prometheus.params`: it would be sent.
pub(super) const HIDDEN: &str = "<hidden>";
