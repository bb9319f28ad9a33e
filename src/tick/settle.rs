//! What the tick loop takes in of what was carried out.

use std::time::Duration;

use super::Ticker;
use crate::{
    actuate::Done,
    core::{Failure, Now, Told, Wake},
    report::ResultLabel,
};

/// How long pods are not looked at where that is not permitted.
const PODS_AGAIN: Duration = Duration::from_secs(60);

impl Ticker {
    /// Takes in what has been carried out.
    pub(super) fn settle(&mut self, done: Vec<Done>) {
        for done in done {
            self.settle_one(done);
        }
    }

    fn settle_one(&mut self, done: Done) {
        let now = self.clock.now();
        match done {
            Done::Woken(wake, answer, at) => {
                let told = told(&wake, at);
                self.journal.woken(&wake, &answer, &told, at.wall);
                let answer = answer.map_err(|error| (error.failure, error.retry_after));
                self.memory.answered(&wake, answer, told, at, &self.rules);
            }
            Done::Guarded(write, answer) => {
                self.journal.guarded(&write, &answer, now.wall);
                let backoff = self.rules.backoff;
                self.memory
                    .guard_answered(&write.scaler, answer.is_ok(), now.mono, backoff);
            }
            Done::Reported(report, reported) => {
                let result = if reported.events && reported.mark {
                    "done"
                } else {
                    "retried"
                };
                self.metrics.reports.get_or_create(&ResultLabel { result }).inc();
                self.memory
                    .reported(&report.variant, reported, now.mono, &self.rules);
            }
            Done::Looked(look) => match look.change {
                // Where the watch has brought something since, that may be the newer.
                Ok(change) if self.inventory.target(&look.target) == look.known.as_ref() => {
                    self.inventory.apply(change);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(target = %look.target, %error, "Could not look at a target");
                }
            },
            Done::Attributed(target, owners) => {
                if let Err(error) = &owners {
                    tracing::debug!(%target, %error, "Could not look who scaled a target back");
                }
                let owners = owners.ok().flatten();
                let notice = self.memory.attributed(
                    &target,
                    owners.as_deref(),
                    &self.inventory,
                    now.mono,
                    &self.rules,
                );
                self.journal.notices(notice.as_slice(), &self.inventory, now.wall);
            }
            Done::Pods(target, Ok(seen)) => self.memory.pods_seen(&target, seen, now),
            Done::Pods(target, Err(error)) => {
                // The right to list pods is optional; without it the target's own conditions serve.
                tracing::debug!(%target, %error, "Could not look at the pods of a target");
                if error.failure == Failure::Forbidden {
                    self.journal.pods_forbidden();
                }
                let forbidden = (error.failure == Failure::Forbidden).then_some(PODS_AGAIN);
                self.memory.pods_unseen(&target, forbidden, now.mono);
            }
            Done::Nothing => {}
        }
    }
}

/// What is known of a wake when its answer comes.
fn told(wake: &Wake, answered: Now) -> Told {
    let total = |age: Duration| age + answered.mono.since(wake.decided);
    Told {
        key: wake.key.clone(),
        cause: wake.cause.clone(),
        sample_age: wake.sample_age,
        sample_to_scale: wake.sample_age.map(total),
    }
}
