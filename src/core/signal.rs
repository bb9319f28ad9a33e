//! Whether there is a signal at all (rule 4): no demand from a pool whose EPP has no queue, or is not scraped, says
//! nothing.

/// One row of the slow query: something that an EPP exports even while nobody waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seen {
    /// Namespace of the EPP, where the row says it.
    pub namespace: Option<Box<str>>,
    /// Name of the InferencePool, where the row says it.
    pub pool: Option<Box<str>>,
    /// What was seen.
    pub what: Sign,
}

/// What a series says of the EPP that exports it.
///
/// The strongest sign of a pool decides, in this order. Only [`Endpoints`](Self::Endpoints) without
/// [`FlowControl`](Self::FlowControl) says that flow control is off: the EPPs that export that gauge start
/// their flow controller with the process, and it sets the saturation every millisecond (llm-d-router,
/// `pkg/epp/flowcontrol/controller`; pull requests 1311 and 1661, both before v0.9.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// `*_flow_control_pool_saturation` or a queue gauge: its flow control is on. EPPs from before December
    /// 2025 name no pool here.
    FlowControl,
    /// `llm_d_epp_ready_endpoints`, of llm-d-router 0.9 and newer: it is scraped.
    Endpoints,
    /// `inference_pool_ready_pods` of an EPP without the former: it is scraped, and whether its flow control is
    /// on cannot be told before its first request. Up to gateway-api-inference-extension 1.3 there is no
    /// saturation gauge (pull request 2343, February 2026), and the flow controller of 1.4 and 1.5 starts with the
    /// first request (`getOrStartWorker`); llm-d-inference-scheduler 0.8 and older are built on these.
    OldEndpoints,
    /// The build information of an EPP that names no pool: it is scraped. Until January 2026 an EPP that never
    /// had an endpoint exported nothing else (gateway-api-inference-extension, pull request 2049); newer ones do
    /// so while their pool does not exist.
    Other,
}
