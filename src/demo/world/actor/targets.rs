//! Its targets: what is seen of them in the API, and what their controllers do.

use std::time::Duration;

use super::{Actor, Columns, Kube, Pace, Resource, What, pods, wall};

/// The target of one variant, as last seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Target {
    pub replicas: u64,
    pub woken: Duration,
    /// When its pods began to start, which is later where something held them up.
    pub started: Duration,
    pub ready: bool,
    pub reported: bool,
    /// What keeps its pods from becoming ready.
    pub held_up: Option<pods::HeldUp>,
}

impl Actor {
    /// Looks at each target and variant in the API, if there is news in it, and plays the controller of the target.
    pub fn look(&mut self, now: Duration, news: bool, kube: &Kube, pace: &Pace, tell: &mut dyn FnMut(What)) {
        if !news {
            for index in 0..self.targets.len() {
                if self.targets[index].replicas > 0 {
                    self.bring_up(index, now, kube, pace, tell);
                }
            }
            return;
        }
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
                (1.., 0) => self.taken_back(index, None, kube, tell),
                _ => {}
            }
            if self.targets[index].replicas > 0 {
                self.bring_up(index, now, kube, pace, tell);
                self.read_status(index, kube, tell);
            }
        }
    }

    fn woken(&mut self, index: usize, now: Duration, kube: &Kube, tell: &mut dyn FnMut(What)) {
        self.report_pods(index, pods::State::Starting, kube);
        let target = &mut self.targets[index];
        (target.woken, target.started) = (now, now);
        self.round.woken = true;
        tell(What::Woken {
            target: self.shown(index),
            replicas: self.targets[index].replicas,
            cost: self.model.variants[index].cost.clone(),
            parked: self.parked(),
            after: self.round.first.map(|first| now.saturating_sub(first)),
        });
    }

    /// A target is at 0 again; `by` is who did it, where that is known here.
    pub(super) fn taken_back(
        &mut self,
        index: usize,
        by: Option<String>,
        kube: &Kube,
        tell: &mut dyn FnMut(What),
    ) {
        self.report_pods(index, pods::State::Starting, kube);
        self.remove_pod(index, kube);
        self.at_zero(index);
        tell(What::TakenBack {
            target: self.shown(index),
            by,
        });
    }

    /// Nothing is left of a target's pods.
    pub(super) fn at_zero(&mut self, index: usize) {
        self.targets[index] = Target::default();
        self.round.woken = self.targets.iter().any(|target| target.replicas > 0);
        self.round.ready = self.is_ready();
    }

    /// A pod is ready once it has had the time, unless something holds it up.
    fn bring_up(
        &mut self,
        index: usize,
        now: Duration,
        kube: &Kube,
        pace: &Pace,
        tell: &mut dyn FnMut(What),
    ) {
        if self.targets[index].ready {
            return;
        }
        let held_up = self.held_up(index);
        if self.targets[index].held_up != held_up {
            self.targets[index].held_up = held_up;
            self.targets[index].started = now;
            self.report_pods(index, pods::State::of(held_up), kube);
            self.remove_pod(index, kube);
            if held_up == Some(pods::HeldUp::Unschedulable) {
                self.make_pending_pod(index, kube);
            }
        }
        let start_up = self.model.variants[index].start_up.div_f64(pace.speed);
        let target = &mut self.targets[index];
        if held_up.is_some() || now < target.started + start_up {
            return;
        }
        target.ready = true;
        self.round.ready = true;
        self.next_serve = now;
        let after = now.saturating_sub(target.woken);
        self.report_pods(index, pods::State::Ready, kube);
        tell(What::Ready { after });
    }

    fn read_status(&mut self, index: usize, kube: &Kube, tell: &mut dyn FnMut(What)) {
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

    fn report_pods(&self, index: usize, state: pods::State, kube: &Kube) {
        let variant = &self.model.variants[index];
        // A target that is gone in between needs no status.
        let _ = kube.update(
            variant.target_kind,
            &self.model.namespace,
            &variant.target,
            |target| pods::report(target, state, &wall()),
        );
    }

    /// The pod that no node takes, as the loop finds it: by the labels of the target's pod template.
    fn make_pending_pod(&self, index: usize, kube: &Kube) {
        let variant = &self.model.variants[index];
        let target = kube.get(variant.target_kind, &self.model.namespace, &variant.target);
        // One that is gone has no pods.
        if let Some(target) = target {
            let _ = kube.apply(pods::pending(&target, &variant.accelerator, &wall()));
        }
    }

    /// Takes that pod away, if it is there.
    pub(super) fn remove_pod(&self, index: usize, kube: &Kube) {
        let variant = &self.model.variants[index];
        let name = pods::name(variant.target_kind(), &variant.target);
        let _ = kube.delete(Resource::Pods, &self.model.namespace, &name);
    }

    pub(super) fn shown(&self, index: usize) -> String {
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
}

/// Whether a variant's status says that it runs.
fn says_running(variant: &Columns) -> bool {
    variant.optimized.parse().is_ok_and(|replicas: u64| replicas > 0) && variant.metrics_ready == "True"
}

impl pods::State {
    /// The state of pods that something holds up, or nothing.
    fn of(held_up: Option<pods::HeldUp>) -> Self {
        match held_up {
            Some(pods::HeldUp::Refused) => Self::Refused,
            _ => Self::Starting,
        }
    }
}
