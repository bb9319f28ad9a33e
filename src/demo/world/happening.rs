//! What the world tells.

use std::{sync::Arc, time::Duration};

use super::{super::columns::Columns, link::Link};

/// Something that was seen to happen to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// The model.
    pub model: Arc<str>,
    /// What it was.
    pub what: What,
}

/// What was seen to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The first request of a burst came.
    Requested {
        /// Whether a pod was ready for it.
        ready: bool,
    },
    /// A person sent requests.
    Asked {
        /// How many.
        count: usize,
        /// By what name, where that is not the model's own.
        name: Option<String>,
        /// Whether a pod was ready for them.
        ready: bool,
    },
    /// The EPP refused requests at once: it has no queue, and no pod was ready.
    Refused {
        /// How many.
        count: usize,
    },
    /// A pod was handed requests for a model that it does not know.
    NotFound {
        /// The model asked for.
        name: String,
        /// How many.
        count: usize,
    },
    /// A link of its wake path was broken.
    Broken {
        /// Which one.
        link: Link,
        /// How one would mend it in real life.
        mend: String,
    },
    /// A link of its wake path was mended.
    Mended {
        /// Which one.
        link: Link,
    },
    /// Prometheus told the loop of requests waiting.
    Told {
        /// How many.
        waiting: f64,
    },
    /// A target went from 0 to more.
    Woken {
        /// Kind, namespace and name.
        target: String,
        /// Replicas now.
        replicas: u64,
        /// The variant's cost.
        cost: String,
        /// Variants of the model that are still parked, with their costs.
        parked: Vec<(String, String)>,
        /// Since the first request, if there was one.
        after: Option<Duration>,
    },
    /// The variant's status says that it runs.
    Reported {
        /// The variant, as `kubectl get va` shows it.
        variant: Columns,
    },
    /// An Event was written about the variant.
    Noted {
        /// Its reason.
        reason: String,
        /// Its text.
        note: String,
    },
    /// The first pod of a target is ready.
    Ready {
        /// Since it was woken.
        after: Duration,
    },
    /// Nothing waits any more.
    Drained {
        /// Requests served since the first.
        served: usize,
        /// The longest that one of them had to wait.
        longest: Duration,
    },
    /// Requests waited in vain.
    Expired {
        /// How many.
        lost: usize,
    },
    /// The simulated autoscaler parked the model, idle for so long.
    Parked {
        /// How long it was idle.
        idle: Duration,
    },
    /// Somebody else took a target back to 0.
    TakenBack {
        /// Kind, namespace and name.
        target: String,
        /// Who, if it was somebody of this world.
        by: Option<String>,
    },
}
