//! Wakes: sent, answered, guarded, and in place of others.

use super::{super::history::Decision, Journal, about, short};
use crate::{
    cluster::{RequestError, Warning},
    core::{Cause, Escalation, Failure, GuardChange, GuardWrite, Inventory, Told, Wake, Wall},
    report::{ResultLabel, metrics::Reason},
};

impl Journal {
    /// A wake is about to be sent.
    pub fn waking(&self, wake: &Wake, dry_run: bool, now: Wall) {
        tracing::debug!(
            name = &*wake.variant.name.name,
            namespace = &*wake.variant.name.namespace,
            "Processing variant"
        );
        let demanded = wake.cause.demanded();
        let metric_name = demanded.map(|d| d.family.as_deref().unwrap_or("expression"));
        let value = wake.cause.waiting();
        let model = short(&wake.key.model);
        let (variant, target) = (&wake.variant, &wake.target);
        let (decision, text) = match (&wake.cause, dry_run) {
            (_, true) => {
                self.count_wake("dry_run");
                tracing::info!(
                    metricName = metric_name,
                    value,
                    model,
                    %variant,
                    %target,
                    "Dry run: would scale up Target Workload from zero"
                );
                ("dry_run", format!("would scale {target} from 0 to 1"))
            }
            (Cause::Escalation { from, why, .. }, false) => {
                tracing::info!(
                    model,
                    %variant,
                    %target,
                    %from,
                    %why,
                    "A set does not become ready, scaling up the next one from zero"
                );
                (
                    "waking",
                    format!("scaling {target} from 0 to 1 in place of {from}: {why}"),
                )
            }
            _ => {
                tracing::info!(
                    metricName = metric_name,
                    value,
                    model,
                    %variant,
                    %target,
                    "Target workload has pending requests, scaling up from zero"
                );
                ("waking", format!("scaling {target} from 0 to 1"))
            }
        };
        self.history.add(of_wake(wake, decision, text, now));
    }

    /// A wake has been answered.
    pub fn woken(&self, wake: &Wake, answer: &Result<(), RequestError>, told: &Told, now: Wall) {
        let model = short(&wake.key.model);
        let (variant, target) = (&wake.variant, &wake.target);
        let result = answer
            .as_ref()
            .map_or_else(|error| error.failure.as_str(), |()| "accepted");
        self.count_wake(result);
        let (decision, text) = match answer {
            Ok(()) => {
                let took = told.sample_to_scale.map(|d| d.as_secs_f64());
                if let Some(took) = took {
                    self.metrics.demand_to_scale.observe(took);
                }
                tracing::info!(
                    %variant,
                    %target,
                    model,
                    sampleToScale = took,
                    "Successfully scaled up Target Workload"
                );
                let took = took
                    .map(|took| format!(", {took:.3} s after the sample"))
                    .unwrap_or_default();
                ("woken", format!("{target} is scaled to 1{took}"))
            }
            Err(error) if error.failure == Failure::Conflict => {
                tracing::info!(
                    %variant,
                    %target,
                    model,
                    "Somebody else wrote the target first; deciding afresh"
                );
                (
                    "failed",
                    "somebody else wrote the target first; deciding afresh".into(),
                )
            }
            Err(error) => {
                tracing::warn!(
                    %variant,
                    %target,
                    model,
                    reason = error.failure.as_str(),
                    %error,
                    "Could not scale up Target Workload; trying again while requests wait"
                );
                ("failed", error.to_string())
            }
        };
        let mut entry = of_wake(wake, decision, text, now);
        if answer.is_ok() {
            entry.sample_to_scale_seconds = told.sample_to_scale.map(|d| d.as_secs_f64());
        }
        entry.reason = answer.as_ref().err().map(|error| error.failure.as_str());
        self.history.add(entry);
    }

    /// Sets that others are woken in place of.
    pub fn escalated(&mut self, escalations: &[Escalation], inventory: &Inventory, now: Wall) {
        for Escalation { key, from } in escalations {
            for (target, why) in from {
                let reason = why.as_str();
                self.metrics.escalations.get_or_create(&Reason { reason }).inc();
                tracing::warn!(
                    model = short(&key.model),
                    namespace = &*key.namespace,
                    pool = &*key.pool,
                    %target,
                    reason,
                    %why,
                    "Target is overdue; it is left as it is, and another set is woken in its place"
                );
                self.history.add(Decision {
                    target: Some(target.to_string()),
                    reason: Some(reason),
                    text: format!("{target} is overdue ({why}); another set is woken in its place"),
                    ..about(key, "escalated", now)
                });
                if let Some(known) = inventory.target(target) {
                    self.warnings.push(Warning {
                        variant: None,
                        target: Some((target.clone(), known.uid.clone())),
                        reason: "OverdueFromZero",
                        note: format!(
                            "{why}; another set is woken for model {}, and this one is left as it is",
                            key.model
                        ),
                        occasion: format!("{}/{}", known.uid, known.generation),
                    });
                }
            }
        }
    }

    /// A write of a guard has been answered.
    pub fn guarded(&self, write: &GuardWrite, answer: &Result<(), RequestError>, now: Wall) {
        let scaler = &write.scaler;
        let (what, guard) = match &write.change {
            GuardChange::Put(guard) => ("put", guard),
            GuardChange::End(guard) => ("ended", guard),
            GuardChange::Forget(guard) => ("forgotten", guard),
        };
        let result = answer
            .as_ref()
            .map_or_else(|error| error.failure.as_str(), |()| what);
        self.metrics.guards.get_or_create(&ResultLabel { result }).inc();
        let text = match (&write.change, answer) {
            (_, Err(error)) if error.failure == Failure::Conflict => return,
            (_, Err(error)) => {
                tracing::warn!(%scaler, reason = error.failure.as_str(), %error, "Could not write a guard; trying again");
                format!("could not write the guard on {scaler}: {error}")
            }
            (GuardChange::Put(guard), Ok(())) => {
                tracing::info!(%scaler, until = %guard.until, "Guard put up: it keeps a woken target from being scaled back");
                format!("guard put up on {scaler} until {} at the latest", guard.until)
            }
            (GuardChange::End(_), Ok(())) => {
                tracing::info!(%scaler, "Guard taken away");
                format!("guard taken away from {scaler}")
            }
            (GuardChange::Forget(_), Ok(())) => {
                tracing::warn!(%scaler, "Somebody has changed what the guard had set; it is left as it is now");
                format!("somebody has changed what the guard on {scaler} had set; it is left as it is now")
            }
        };
        self.history.add(Decision {
            reason: answer.as_ref().err().map(|error| error.failure.as_str()),
            text,
            ..about(&guard.model, "guard", now)
        });
    }
}

fn of_wake(wake: &Wake, decision: &'static str, text: String, now: Wall) -> Decision {
    Decision {
        variant: Some(wake.variant.to_string()),
        target: Some(wake.target.to_string()),
        waiting: wake.cause.demanded().map(|demanded| demanded.waiting),
        sample_age_seconds: wake.sample_age.map(|age| age.as_secs_f64()),
        text,
        ..about(&wake.key, decision, now)
    }
}
