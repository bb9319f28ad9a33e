//! One model in play: its requests, its targets, and how far its round has come.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    super::{
        columns::Columns,
        kubernetes::{Kube, Resource},
        prometheus::{Queue, QueueKey},
    },
    Pace,
    cast::Model,
    happening::What,
    pods, wall,
};

/// One model in play.
pub(super) struct Actor {
    model: Model,
    pub name: Arc<str>,
    key: QueueKey,
    targets: Vec<Target>,
    /// Arrival of each request that waits.
    waiting: Vec<Duration>,
    next_request: Option<Duration>,
    left: usize,
    next_serve: Duration,
    quiet_since: Option<Duration>,
    round: Round,
    /// Rounds it has been through.
    pub rounds: usize,
}

/// The target of one variant, as last seen.
#[derive(Clone, Copy, Debug, Default)]
struct Target {
    replicas: u64,
    woken: Duration,
    ready: bool,
    reported: bool,
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
    /// A model that is asked for at `start`.
    pub fn new(model: Model, start: Duration) -> Self {
        Self {
            name: model.name.as_str().into(),
            key: model.queue(),
            targets: vec![Target::default(); model.variants.len()],
            waiting: Vec::new(),
            next_request: Some(start),
            left: model.burst,
            next_serve: Duration::ZERO,
            quiet_since: None,
            round: Round::default(),
            rounds: 0,
            model,
        }
    }

    /// Its queue as the EPP exports it.
    #[expect(clippy::cast_precision_loss, reason = "a queue is short")]
    pub fn queue(&self) -> Queue {
        Queue {
            key: self.key.clone(),
            waiting: self.waiting.len() as f64,
            epp: self.model.pool.epp,
        }
    }

    /// New requests.
    pub fn arrive(&mut self, now: Duration, pace: &Pace, tell: &mut impl FnMut(What)) {
        while let Some(at) = self.next_request.filter(|at| *at <= now) {
            if self.round.first.is_none() {
                self.round.first = Some(at);
                tell(What::Requested {
                    ready: self.is_ready(),
                });
            }
            self.waiting.push(at);
            self.left -= 1;
            self.next_request = (self.left > 0).then_some(at + pace.spacing);
        }
    }

    fn is_ready(&self) -> bool {
        self.targets.iter().any(|target| target.ready)
    }

    /// Requests come again, after a while.
    fn come_again(&mut self, now: Duration, pace: &Pace) {
        self.left = self.model.burst;
        self.next_request = Some(now + pace.rest);
    }

    /// Takes note of what Prometheus said.
    pub fn be_told(&mut self, told: &BTreeMap<QueueKey, f64>, tell: &mut impl FnMut(What)) {
        if !self.round.told
            && self.round.first.is_some()
            && let Some(waiting) = told.get(&self.key).copied().filter(|waiting| *waiting > 0.0)
        {
            self.round.told = true;
            tell(What::Told { waiting });
        }
    }

    /// Looks at each target and variant in the API, and plays the controller of the target.
    pub fn look(&mut self, now: Duration, kube: &Kube, pace: &Pace, tell: &mut impl FnMut(What)) {
        let before: Vec<u64> = self.targets.iter().map(|target| target.replicas).collect();
        for (variant, target) in self.model.variants.iter().zip(&mut self.targets) {
            let (kind, namespace) = (variant.target_kind, &self.model.namespace);
            // One that is gone is none.
            let replicas = kube.look(kind, namespace, &variant.target, pods::replicas);
            target.replicas = replicas.unwrap_or_default();
        }
        for (index, before) in before.into_iter().enumerate() {
            match (before, self.targets[index].replicas) {
                (0, 1..) => self.woken(index, now, kube, tell),
                (1.., 0) => self.taken_back(index, kube, tell),
                _ => {}
            }
            if self.targets[index].replicas > 0 {
                self.bring_up(index, now, kube, pace, tell);
                self.read_status(index, kube, tell);
            }
        }
    }

    fn woken(&mut self, index: usize, now: Duration, kube: &Kube, tell: &mut impl FnMut(What)) {
        self.report_pods(index, false, kube);
        self.targets[index].woken = now;
        self.round.woken = true;
        tell(What::Woken {
            target: self.shown(index),
            replicas: self.targets[index].replicas,
            cost: self.model.variants[index].cost.clone(),
            parked: self.parked(),
            after: self.round.first.map(|first| now.saturating_sub(first)),
        });
    }

    fn taken_back(&mut self, index: usize, kube: &Kube, tell: &mut impl FnMut(What)) {
        self.report_pods(index, false, kube);
        self.targets[index] = Target::default();
        self.round.woken = self.targets.iter().any(|target| target.replicas > 0);
        tell(What::TakenBack {
            target: self.shown(index),
        });
    }

    /// A pod is ready once it has had the time.
    fn bring_up(
        &mut self,
        index: usize,
        now: Duration,
        kube: &Kube,
        pace: &Pace,
        tell: &mut impl FnMut(What),
    ) {
        let start_up = self.model.variants[index].start_up.div_f64(pace.speed);
        let target = &mut self.targets[index];
        if target.ready || now < target.woken + start_up {
            return;
        }
        target.ready = true;
        self.round.ready = true;
        self.next_serve = now;
        let after = now.saturating_sub(target.woken);
        self.report_pods(index, true, kube);
        tell(What::Ready { after });
    }

    fn read_status(&mut self, index: usize, kube: &Kube, tell: &mut impl FnMut(What)) {
        if self.targets[index].reported {
            return;
        }
        let (kind, name) = (Resource::VariantAutoscalings, &self.model.variants[index].name);
        let variant = kube.look(kind, &self.model.namespace, name, Columns::of);
        if let Some(variant) = variant.filter(says_running) {
            self.targets[index].reported = true;
            tell(What::Reported { variant });
        }
    }

    fn report_pods(&self, index: usize, ready: bool, kube: &Kube) {
        let variant = &self.model.variants[index];
        // A target that is gone in between needs no status.
        let _ = kube.update(
            variant.target_kind,
            &self.model.namespace,
            &variant.target,
            |target| {
                pods::report(target, ready, &wall());
            },
        );
    }

    fn shown(&self, index: usize) -> String {
        let variant = &self.model.variants[index];
        format!(
            "{} {}/{}",
            variant.target_kind(),
            self.model.namespace,
            variant.target
        )
    }

    /// The variants that are still at 0.
    fn parked(&self) -> Vec<(String, String)> {
        let both = self.model.variants.iter().zip(&self.targets);
        let parked = both.filter(|(_, target)| target.replicas == 0);
        parked
            .map(|(variant, _)| (variant.name.clone(), variant.cost.clone()))
            .collect()
    }

    /// Hands waiting requests to a ready pod, and gives up those that waited too long.
    pub fn serve(&mut self, now: Duration, pace: &Pace, tell: &mut impl FnMut(What)) {
        while self.is_ready() && !self.waiting.is_empty() && self.next_serve <= now {
            let waited = now.saturating_sub(self.waiting.remove(0));
            self.round.served += 1;
            self.round.longest = self.round.longest.max(waited);
            self.next_serve += pace.serve;
        }
        let before = self.waiting.len();
        self.waiting
            .retain(|since| now.saturating_sub(*since) < pace.patience);
        let lost = before - self.waiting.len();
        if lost > 0 {
            tell(What::Expired { lost });
        }
        let quiet = self.waiting.is_empty() && self.left == 0 && !self.round.drained;
        if quiet && self.is_ready() && self.round.served > 0 {
            self.round.drained = true;
            self.quiet_since = Some(now);
            tell(What::Drained {
                served: self.round.served,
                longest: self.round.longest,
            });
        } else if quiet && self.next_request.is_none() {
            self.come_again(now, pace);
        }
        if !self.round.finished && self.lacks().is_none() {
            self.round.finished = true;
            self.rounds += 1;
        }
    }

    /// Plays the autoscaler: what was idle for long enough goes to 0, the status first, so that nothing
    /// asks for replicas that are being taken away.
    pub fn park(&mut self, now: Duration, kube: &Kube, pace: &Pace, tell: &mut impl FnMut(What)) {
        let Some(since) = self
            .quiet_since
            .filter(|since| now.saturating_sub(*since) >= pace.idle)
        else {
            return;
        };
        let namespace = &self.model.namespace;
        for (variant, target) in self.model.variants.iter().zip(&mut self.targets) {
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
                pods::report(target, false, &wall());
            });
            *target = Target::default();
        }
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

/// Whether a variant's status says that it runs.
fn says_running(variant: &Columns) -> bool {
    variant.optimized.parse().is_ok_and(|replicas: u64| replicas > 0) && variant.metrics_ready == "True"
}
