//! Where demand comes from: queues of EPPs that do not exist.
//!
//! For the real Prometheus an [`Exporter`] shows them all; trials tell theirs apart by the namespace.
//! Beside the embedded API stands a [`Scripted`] Prometheus for each trial, which knows the
//! program's queries by their text and nothing else.

mod exporter;
mod scripted;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

pub use self::{
    exporter::Exporter,
    scripted::{COPY, Scripted},
    trouble::Trouble,
};

/// The gauge of today's EPPs.
pub const TODAY: &str = "llm_d_epp_flow_control_queue_size";
/// The gauge of the guide.
pub const GUIDE: &str = "inference_extension_flow_control_queue_size";

/// What an EPP with flow control exports even while nobody waits.
const SATURATION: &str = "llm_d_epp_flow_control_pool_saturation";
/// What every EPP of today exports.
const ENDPOINTS: &str = "llm_d_epp_ready_endpoints";

/// One series of the gauge. An empty label is a missing one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Queue {
    /// The metric.
    pub family: &'static str,
    /// `namespace`.
    pub namespace: String,
    /// `inference_pool`.
    pub pool: String,
    /// `target_model_name`.
    pub model: String,
}

impl Queue {
    /// The labels that are there.
    fn labels(&self) -> BTreeMap<&'static str, &str> {
        let all = [
            ("namespace", self.namespace.as_str()),
            ("inference_pool", &self.pool),
            ("target_model_name", &self.model),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// What the EPP of a pool exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Flow control is on. So it is for every pool that has a queue, unless something else is said.
    On,
    /// Flow control is off: no queue, only that the EPP is there.
    Off,
    /// Nothing: it is not scraped.
    NotScraped,
}

/// What EPPs export beside their queues. An empty label is a missing one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sign {
    family: &'static str,
    namespace: String,
    /// The label that holds the pool.
    label: &'static str,
    pool: String,
}

impl Sign {
    /// The labels that are there.
    fn labels(&self) -> BTreeMap<&'static str, &str> {
        let all = [("namespace", self.namespace.as_str()), (self.label, &self.pool)];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// The queues there are, with the requests that wait, and what there is of their EPPs. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Queues(Arc<Mutex<Epps>>);

#[derive(Debug, Default)]
struct Epps {
    waiting: BTreeMap<Queue, f64>,
    /// What was said of pools, by namespace and name.
    signals: BTreeMap<(String, String), Signal>,
}

impl Epps {
    fn signal(&self, namespace: &str, pool: &str) -> Signal {
        let pool = (namespace.to_owned(), pool.to_owned());
        self.signals.get(&pool).copied().unwrap_or(Signal::On)
    }
}

impl Queues {
    /// So many requests wait.
    pub fn set(&self, queue: Queue, waiting: f64) {
        self.set_all([(queue, waiting)]);
    }

    /// The same of many queues: one scrape sees all of it or nothing.
    pub fn set_all(&self, waiting: impl IntoIterator<Item = (Queue, f64)>) {
        self.0.lock().unwrap().waiting.extend(waiting);
    }

    /// The queue is idle for so long that its series goes.
    pub fn sweep(&self, queue: &Queue) {
        self.0.lock().unwrap().waiting.remove(queue);
    }

    /// What the EPP of a pool exports from now on. A pool without flow control, or that is not scraped, shows
    /// none of its queues.
    pub fn signal(&self, namespace: &str, pool: &str, signal: Signal) {
        let pool = (namespace.to_owned(), pool.to_owned());
        self.0.lock().unwrap().signals.insert(pool, signal);
    }

    /// The queues and EPPs of a namespace are gone.
    pub fn forget(&self, namespace: &str) {
        let mut epps = self.0.lock().unwrap();
        epps.waiting.retain(|queue, _| queue.namespace != namespace);
        epps.signals.retain(|(of, _), _| of != namespace);
    }

    /// The queues that are scraped.
    pub fn all(&self) -> Vec<(Queue, f64)> {
        let epps = self.0.lock().unwrap();
        let shown = epps
            .waiting
            .iter()
            .filter(|(queue, _)| epps.signal(&queue.namespace, &queue.pool) == Signal::On);
        shown.map(|(queue, waiting)| (queue.clone(), *waiting)).collect()
    }

    /// What else EPPs export: each of a pool that has a queue, or that something was said of.
    fn signs(&self) -> BTreeSet<Sign> {
        let epps = self.0.lock().unwrap();
        let of_queues = epps.waiting.keys().map(|queue| (&queue.namespace, &queue.pool));
        let said = epps.signals.keys().map(|(namespace, pool)| (namespace, pool));
        let mut signs = BTreeSet::new();
        for (namespace, pool) in of_queues.chain(said) {
            let mut sign = |family, label| {
                signs.insert(Sign {
                    family,
                    namespace: namespace.clone(),
                    label,
                    pool: pool.clone(),
                });
            };
            let signal = epps.signal(namespace, pool);
            if signal == Signal::On {
                sign(SATURATION, "inference_pool");
            }
            // An EPP that names no pool in its queue names none here.
            if signal != Signal::NotScraped && !pool.is_empty() {
                sign(ENDPOINTS, "name");
            }
        }
        signs
    }
}

/// The Prometheus of a trial.
pub enum Demand {
    /// Its own, scripted one.
    Scripted(Scripted),
    /// The real one.
    Scraped {
        /// Base URL.
        url: String,
        /// What is scraped.
        queues: Queues,
    },
}

impl Demand {
    /// Base URL.
    pub fn url(&self) -> &str {
        match self {
            Self::Scripted(prometheus) => prometheus.url(),
            Self::Scraped { url, .. } => url,
        }
    }

    /// The queues.
    pub fn queues(&self) -> &Queues {
        match self {
            Self::Scripted(prometheus) => prometheus.queues(),
            Self::Scraped { queues, .. } => queues,
        }
    }

    /// The scripted one, for what it counts and for its troubles.
    pub fn scripted(&self) -> &Scripted {
        match self {
            Self::Scripted(prometheus) => prometheus,
            Self::Scraped { .. } => panic!("this trial is for the scripted Prometheus"),
        }
    }
}
