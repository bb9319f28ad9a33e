//! The labels of the metrics: few, and with few values.

use prometheus_client::encoding::EncodeLabelSet;

/// One label `reason`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// The reason.
    pub reason: &'static str,
}

/// One label `result`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResultLabel {
    /// The result.
    pub result: &'static str,
}

/// Labels of `blocked`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BlockedLabels {
    pub(super) namespace: String,
    pub(super) model: String,
    pub(super) reason: &'static str,
}

/// One label `state`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabel {
    pub(super) state: &'static str,
}

/// Labels of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WatchLabels {
    pub(super) kind: String,
    pub(super) namespace: String,
}

/// Labels of the state of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WatchStateLabels {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) state: &'static str,
}
