//! One model in play: its requests, its targets, its broken links, and how far its round has come.

mod requests;
mod targets;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{
    super::{
        columns::Columns,
        kubernetes::{FaultId, Kube, Resource},
        prometheus::{Epp, Queue, QueueKey},
    },
    Pace,
    cast::Model,
    happening::What,
    link::Link,
    pods, wall,
};
use targets::Target;

/// One model in play.
pub(super) struct Actor {
    pub model: Model,
    pub name: Arc<str>,
    key: QueueKey,
    targets: Vec<Target>,
    /// Requests that have come into its queues.
    taken: usize,
    /// Arrival of each request that waits.
    waiting: Vec<Duration>,
    /// The same of requests for names that nobody serves, which wait at this model's pool.
    strays: BTreeMap<String, Vec<Duration>>,
    story: Burst,
    next_serve: Duration,
    quiet_since: Option<Duration>,
    round: Round,
    /// Rounds it has been through.
    pub rounds: usize,
    /// The links of its wake path that are broken.
    pub broken: BTreeSet<Link>,
    /// What makes the API server refuse its scales, while it does.
    forbidden: Vec<FaultId>,
}

/// Requests that have come, that wait, and that wait for what nobody serves, and what there is of the EPP.
pub(super) type Exported = (usize, usize, usize, Epp);

/// The requests that come by themselves.
#[derive(Clone, Copy, Debug)]
struct Burst {
    /// When the next one comes.
    next: Option<Duration>,
    /// How many of the burst are still to come.
    left: usize,
    /// How many a burst has.
    of: usize,
    /// How much later than other models' the next one comes.
    later: Duration,
}

/// What has come of a burst so far.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "milestones, which may come in any order"
)]
struct Round {
    first: Option<Duration>,
    told: bool,
    woken: bool,
    ready: bool,
    drained: bool,
    served: usize,
    longest: Duration,
    finished: bool,
}

impl Actor {
    /// A model that is asked for at `start`, and then again, so much `later` than the first one.
    pub fn new(model: Model, start: Duration, later: Duration) -> Self {
        Self {
            name: model.name.as_str().into(),
            key: model.queue(),
            targets: vec![Target::default(); model.variants.len()],
            taken: 0,
            waiting: Vec::new(),
            strays: BTreeMap::new(),
            story: Burst {
                next: Some(start),
                left: model.burst,
                of: model.burst,
                later,
            },
            next_serve: Duration::ZERO,
            quiet_since: None,
            round: Round::default(),
            rounds: 0,
            broken: BTreeSet::new(),
            forbidden: Vec::new(),
            model,
        }
    }

    /// What its queues follow from: as long as it stays the same, so do they.
    pub fn exported(&self) -> Exported {
        let strays = self.strays.values().map(Vec::len).sum();
        (self.taken, self.waiting.len(), strays, self.epp())
    }

    /// Its queues as the EPP exports them: its own, and those of names that nobody serves.
    #[expect(clippy::cast_precision_loss, reason = "a queue is short")]
    pub fn queues(&self) -> impl Iterator<Item = Queue> + '_ {
        let queue = |key: QueueKey, waiting: usize| Queue {
            key,
            waiting: waiting as f64,
            epp: self.epp(),
        };
        let strays = self.strays.iter().map(move |(name, waiting)| {
            let (target_model, model) = (name.clone(), name.clone());
            let key = QueueKey {
                target_model,
                model,
                ..self.key.clone()
            };
            queue(key, waiting.len())
        });
        std::iter::once(queue(self.key.clone(), self.waiting.len())).chain(strays)
    }

    /// Requests that wait for it.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What there is of its EPP.
    fn epp(&self) -> Epp {
        if self.broken.contains(&Link::EppNotScraped) {
            Epp::NotScraped
        } else if self.broken.contains(&Link::FlowControlOff) {
            Epp::NoFlowControl
        } else {
            self.model.pool.epp
        }
    }

    fn is_ready(&self) -> bool {
        self.targets.iter().any(|target| target.ready)
    }

    /// Plays the autoscaler: what was idle for long enough goes to 0, the status first, so that nothing
    /// asks for replicas that are being taken away.
    pub fn park(&mut self, now: Duration, kube: &Kube, pace: &Pace, tell: &mut dyn FnMut(What)) {
        let Some(since) = self
            .quiet_since
            .filter(|since| now.saturating_sub(*since) >= pace.idle)
        else {
            return;
        };
        let namespace = &self.model.namespace;
        for (index, variant) in self.model.variants.iter().enumerate() {
            // An object that is gone needs no parking.
            let _ = kube.update(
                Resource::VariantAutoscalings,
                namespace,
                &variant.name,
                |variant| {
                    if variant["status"]["desiredOptimizedAlloc"].is_object() {
                        variant["status"]["desiredOptimizedAlloc"]["numReplicas"] = 0.into();
                    }
                },
            );
            let _ = kube.update(variant.target_kind, namespace, &variant.target, |target| {
                target["spec"]["replicas"] = 0.into();
                pods::report(target, pods::State::Starting, &wall());
            });
            self.remove_pod(index, kube);
        }
        self.targets.fill(Target::default());
        tell(What::Parked {
            idle: now.saturating_sub(since),
        });
        self.quiet_since = None;
        self.round = Round::default();
        self.come_again(now, pace);
    }

    /// What the round still lacks.
    pub fn lacks(&self) -> Option<String> {
        let (round, waiting) = (&self.round, self.waiting.len());
        let reported = self.targets.iter().any(|target| target.reported);
        let lacks = if round.first.is_none() {
            "not asked for yet".to_owned()
        } else if !round.told && !round.woken {
            format!("{waiting} waiting, and Prometheus was not asked since they were scraped")
        } else if !round.woken {
            format!("{waiting} waiting, not woken")
        } else if !round.ready {
            "woken, not ready yet".to_owned()
        } else if !round.drained {
            format!("ready, {waiting} still waiting")
        } else if !reported {
            "served, but no variant's status says so".to_owned()
        } else {
            return None;
        };
        Some(lacks)
    }

    /// Whether an object reference means one of its variants.
    pub fn is_about(&self, reference: &Value) -> bool {
        reference["kind"] == "VariantAutoscaling"
            && reference["namespace"] == *self.model.namespace
            && self
                .model
                .variants
                .iter()
                .any(|variant| reference["name"] == *variant.name)
    }
}
