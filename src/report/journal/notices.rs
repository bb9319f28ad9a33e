//! What has happened to models and targets.

use super::{super::history::Decision, Journal, about, short};
use crate::{
    cluster::Warning,
    core::{Inventory, ModelKey, Moved, Notice, TakenBy, TargetKey, Waker, Wall},
};

impl Journal {
    /// What has happened since the last tick.
    pub fn notices(&mut self, notices: &[Notice], inventory: &Inventory, now: Wall) {
        for notice in notices {
            match notice {
                Notice::EpisodeBegan { key, waiting } => tracing::info!(
                    model = short(&key.model),
                    namespace = &*key.namespace,
                    pool = &*key.pool,
                    waiting,
                    "Requests wait for a model"
                ),
                Notice::EpisodeEnded { key, served } => tracing::info!(
                    model = short(&key.model),
                    namespace = &*key.namespace,
                    pool = &*key.pool,
                    served,
                    "Demand is over"
                ),
                Notice::Moved { target, moved } => self.moved(target, *moved, now),
                Notice::TakenBack {
                    target,
                    key,
                    by,
                    again_in,
                } => {
                    let again_in = again_in.as_secs() + u64::from(again_in.subsec_nanos() > 0);
                    self.taken_back(target, key.as_ref(), by, again_in, inventory, now);
                }
            }
        }
    }

    fn moved(&self, target: &TargetKey, moved: Moved, now: Wall) {
        match moved {
            Moved::Up(Waker::Us) => tracing::debug!(%target, "Target is starting"),
            Moved::Up(_) => {
                self.count_wake("other_waker");
                tracing::info!(%target, "Target was scaled up by somebody else");
                self.history.add(Decision {
                    text: format!("{target} was scaled up by somebody else while requests waited"),
                    ..of(target, "other_waker", now)
                });
            }
            // When it began to start is not known of one that did before the episode.
            Moved::Ready(_, Waker::Earlier) => tracing::info!(%target, "Target is ready"),
            Moved::Ready(took, _) => {
                let seconds = took.as_secs_f64();
                self.metrics.time_to_ready.observe(seconds);
                tracing::info!(%target, seconds, "Target is ready");
                self.history.add(Decision {
                    time_to_ready_seconds: Some(seconds),
                    text: format!("{target} is ready, {seconds:.1} s after it began to start"),
                    ..of(target, "ready", now)
                });
            }
            // Who did it is told once it is known.
            Moved::TakenBack => {
                self.metrics.reverts.inc();
            }
        }
    }

    fn taken_back(
        &mut self,
        target: &TargetKey,
        key: Option<&ModelKey>,
        by: &TakenBy,
        again_in: u64,
        inventory: &Inventory,
        now: Wall,
    ) {
        let what = if by.is_a_person() {
            format!("it is left alone for {again_in} s, unless somebody scales it up")
        } else if again_in == 0 {
            "the next request wakes it".into()
        } else {
            format!("if requests wait it is woken again in {again_in} s")
        };
        tracing::warn!(
            %target,
            %by,
            againInSeconds = again_in,
            "Target was scaled back to 0 before it had served for long; {what}"
        );
        let reason = if by.is_a_person() { "manual" } else { "taken_back" };
        let text = format!("{target} was scaled back to 0 by {by}; {what}");
        let entry = key.map_or_else(|| of(target, "reverted", now), |key| about(key, "reverted", now));
        self.history.add(Decision {
            target: Some(target.to_string()),
            reason: Some(reason),
            text: text.clone(),
            ..entry
        });
        let Some(known) = inventory.target(target) else {
            return;
        };
        let variant = inventory.variants_of(target).next();
        let variant =
            variant.and_then(|name| Some((name.clone(), inventory.entry(name)?.variant.uid.clone())));
        self.warnings.push(Warning {
            variant,
            target: Some((target.clone(), known.uid.clone())),
            reason: "ScaledBackToZero",
            note: text,
            occasion: format!("{}/{}", known.uid, known.generation),
        });
    }
}

/// A decision about a target, whatever its model.
fn of(target: &TargetKey, decision: &'static str, now: Wall) -> Decision {
    Decision {
        time: now,
        decision,
        namespace: Some(target.name.namespace.to_string()),
        target: Some(target.to_string()),
        ..Decision::default()
    }
}
