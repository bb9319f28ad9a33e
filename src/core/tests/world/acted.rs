//! What becomes of a plan in a world: what is sent, answered, told of and looked at, and by whom things are known.

use std::time::Duration;

use super::{World, target, variant};
use crate::core::*;

impl World {
    /// The one wake of a tick with these rows is sent and answered so.
    pub fn wake(&mut self, rows: &[Row], answer: Result<(), (Failure, Option<Duration>)>) -> Wake {
        let ticked = self.tick(rows);
        let [wake] = &ticked.plan.wakes[..] else {
            panic!("not one wake: {ticked:?}");
        };
        self.send(&ticked.plan);
        self.answered(wake, answer);
        wake.clone()
    }

    /// Everything that a plan wakes is sent; nothing is answered yet.
    pub fn send(&mut self, plan: &Plan) {
        self.memory.escalated(plan, &self.inventory, &self.rules);
        for wake in &plan.wakes {
            self.memory.sent(wake);
        }
    }

    /// One tick with these rows, all wakes of which go through and are seen by the watch. Says which, as `ns/name`.
    pub fn wake_all(&mut self, rows: &[Row]) -> Vec<String> {
        let ticked = self.tick(rows);
        self.send(&ticked.plan);
        for wake in &ticked.plan.wakes {
            self.answered(wake, Ok(()));
            self.scale(&wake.target.to_string(), 1, 0);
        }
        ticked.wakes()
    }

    /// The answer to a wake has come.
    pub fn answered(&mut self, wake: &Wake, answer: Result<(), (Failure, Option<Duration>)>) {
        let told = Told {
            key: wake.key.clone(),
            cause: wake.cause.clone(),
            sample_age: wake.sample_age,
            sample_to_scale: None,
        };
        self.memory.answered(wake, answer, told, self.now, &self.rules);
    }

    /// The reports due now.
    pub fn reports(&mut self) -> Vec<Report> {
        self.memory.reports_due(&self.inventory, self.now, &self.rules)
    }

    /// A report has ended so.
    pub fn reported(&mut self, text: &str, events: bool, mark: bool) {
        let reported = Reported { events, mark };
        self.memory
            .reported(&variant(text), reported, self.now.mono, &self.rules);
    }

    /// A report has gone through, and the watch has shown the mark.
    pub fn told(&mut self, report: &Report) {
        let text = report.variant.to_string();
        self.reported(&text, true, true);
        match report.mark.clone().expect("a mark") {
            Mark::Status(update) => self.status(&text, |status| *status = written(update)),
            Mark::Annotation => {
                let now = self.now.wall;
                self.edit_scaler(&text, |scaler| {
                    scaler.variant.as_mut().expect("a variant").annotated = Some(now);
                });
            }
        }
    }

    /// What the pods of a target say: one cannot be scheduled from now on, for this reason; or none is held up.
    pub fn pods(&mut self, text: &str, unschedulable: Option<&str>) {
        let seen = unschedulable.map(|why| (self.now.wall, why.into()));
        self.memory.pods_seen(&target(text), seen, self.now);
    }

    /// All targets that were taken back and whose writer is looked up: found to be owned by these, or not readable.
    pub fn attribute(&mut self, owners: Option<&[Owner]>) -> Vec<Notice> {
        let due = self.memory.attributions_due().into_iter();
        due.filter_map(|target| {
            self.memory
                .attributed(&target, owners, &self.inventory, self.now.mono, &self.rules)
        })
        .collect()
    }

    /// The process ends and another goes on, as after a restart: all that it knows is what the objects say.
    /// Returns how many episodes it has taken up.
    pub fn restart(&mut self) -> usize {
        self.memory = Memory::default();
        self.signals = Signals::default();
        self.last = (Joined::default(), Vec::new());
        self.memory.restore(&self.inventory, self.now, &self.rules)
    }

    /// The writes of guards due now, apart from those that go before a scale (`Wake::guards`).
    pub fn guards(&mut self) -> Vec<GuardWrite> {
        self.memory.guards_due(&self.inventory, self.now, &self.rules)
    }

    /// A write of a guard has gone through or failed; what went through the watch has shown.
    pub fn guard(&mut self, write: &GuardWrite, accepted: bool) {
        if accepted {
            self.edit_scaler(&write.scaler.to_string(), |scaler| apply_guard(scaler, write));
        }
        let backoff = self.rules.backoff;
        self.memory
            .guard_answered(&write.scaler, accepted, self.now.mono, backoff);
    }
}

/// What a write of a guard makes of an object, as the API server would.
pub fn apply_guard(scaler: &mut Scaler, write: &GuardWrite) {
    let mut set = |value: Option<&str>| match write.scaler.kind {
        ScalerKind::ScaledObject => scaler.paused_scale_in = value.map(Into::into),
        ScalerKind::HorizontalPodAutoscaler => {
            scaler.min_replicas = value.map_or(1, |value| value.parse().expect("a number"));
        }
    };
    match &write.change {
        GuardChange::Put(guard) => {
            set(Some(&guard.ours));
            scaler.guard = Some(guard.clone());
        }
        GuardChange::End(guard) => {
            set(guard.before.as_deref());
            scaler.guard = None;
        }
        GuardChange::Forget(_) => scaler.guard = None,
    }
}

/// The status once a mark is written.
pub fn written(update: StatusUpdate) -> VariantStatus {
    VariantStatus {
        desired: Some(Desired {
            replicas: update.replicas,
            accelerator: Some(update.accelerator),
            last_run: Some(update.last_run),
        }),
        conditions: update.conditions.into(),
    }
}
