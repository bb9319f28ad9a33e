//! Where demand comes from: queues of EPPs that do not exist.
//!
//! For the real Prometheus an [`Exporter`] shows them all; trials tell theirs apart by the namespace.
//! Beside the embedded API stands a [`Scripted`] Prometheus for each trial, which knows the
//! program's two queries by their text and nothing else.

mod exporter;
mod scripted;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub use self::{
    exporter::Exporter,
    scripted::{COPY, Scripted},
};

/// The gauge of today's EPPs.
pub const TODAY: &str = "llm_d_epp_flow_control_queue_size";
/// The gauge of the guide.
pub const GUIDE: &str = "inference_extension_flow_control_queue_size";

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

/// The queues there are, with the requests that wait. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Queues(Arc<Mutex<BTreeMap<Queue, f64>>>);

impl Queues {
    /// So many requests wait.
    pub fn set(&self, queue: Queue, waiting: f64) {
        self.0.lock().unwrap().insert(queue, waiting);
    }

    /// The queues of a namespace are gone.
    pub fn forget(&self, namespace: &str) {
        self.0
            .lock()
            .unwrap()
            .retain(|queue, _| queue.namespace != namespace);
    }

    fn all(&self) -> Vec<(Queue, f64)> {
        let queues = self.0.lock().unwrap();
        queues
            .iter()
            .map(|(queue, waiting)| (queue.clone(), *waiting))
            .collect()
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
