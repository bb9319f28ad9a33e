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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// `*_flow_control_pool_saturation` or `*_flow_control_queue_size`: its flow control is on.
    FlowControl,
    /// `llm_d_epp_ready_endpoints` or `inference_pool_ready_pods`: it is scraped.
    Endpoints,
    /// Any other metric of an EPP, which names no pool: it is scraped, and may be too old for those names.
    Other,
}
