//! What a simulated EPP exports.

/// The name of its queue gauge.
pub const FAMILY: &str = "llm_d_epp_flow_control_queue_size";

/// What an EPP with flow control exports even while nobody waits.
pub const SATURATION: &str = "llm_d_epp_flow_control_pool_saturation";
/// What every EPP of today exports.
pub const ENDPOINTS: &str = "llm_d_epp_ready_endpoints";

/// One queue of an EPP, at the time of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Which queue.
    pub key: QueueKey,
    /// Requests waiting.
    pub waiting: f64,
    /// The EPP that holds it.
    pub epp: Epp,
}

/// What there is of an EPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epp {
    /// Its flow control is on: its queue is exported.
    #[default]
    FlowControl,
    /// Its flow control is off: it exports no queue, only that it is there.
    NoFlowControl,
    /// It is not scraped.
    NotScraped,
}

/// The labels of a queue. An empty one is a missing one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    /// `namespace`.
    pub namespace: String,
    /// `inference_pool`.
    pub pool: String,
    /// `target_model_name`.
    pub target_model: String,
    /// `model_name`.
    pub model: String,
}

/// Name and value of each label; an empty one is a missing one.
pub(super) type Labels<'a> = [(&'static str, &'a str); 5];

impl Queue {
    /// The labels of its own series, with the name of the gauge or without.
    pub(super) fn labels<'a>(&'a self, family: Option<&'a str>) -> Labels<'a> {
        let key = &self.key;
        [
            ("__name__", family.unwrap_or_default()),
            ("namespace", &key.namespace),
            ("inference_pool", &key.pool),
            ("target_model_name", &key.target_model),
            ("model_name", &key.model),
        ]
    }

    /// The rows of its EPP in the answer about signals.
    pub(super) fn signs(&self) -> impl Iterator<Item = Labels<'_>> {
        let sign = |family, pool| {
            let key = &self.key;
            [
                ("__name__", family),
                ("namespace", &*key.namespace),
                (pool, &*key.pool),
                ("", ""),
                ("", ""),
            ]
        };
        let flow_control = self.epp == Epp::FlowControl;
        let scraped = self.epp != Epp::NotScraped;
        let saturation = flow_control.then(|| sign(SATURATION, "inference_pool"));
        saturation
            .into_iter()
            .chain(scraped.then(|| sign(ENDPOINTS, "name")))
    }
}
