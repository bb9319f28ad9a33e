//! The log of the decision: at info one line when something changes, never one per tick.

use std::{collections::HashMap, time::Duration};

use super::metrics::{Metrics, ResultLabel};
use crate::{
    cluster::RequestError,
    core::{Blocked, Failure, Held, Inventory, Mono, Moved, Notice, Now, Plan, Told, Wake, Waker},
};

/// Demand, as lines about it are told apart.
type Subject = (Option<Box<str>>, Option<Box<str>>, Option<Box<str>>);

/// How long demand must be away before its return is said again.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// Lines about blocked demand in one minute.
const MOST_A_MINUTE: u32 = 50;
/// Characters of a name in such a line.
const LONGEST_NAME: usize = 200;
/// Blocked demand remembered at once: anybody can ask for any model name.
const MOST_REMEMBERED: usize = 10_000;

/// Says what changes, and counts it.
#[derive(Debug)]
pub struct Journal {
    metrics: Metrics,
    inactive: Option<usize>,
    /// What was said of blocked demand, by reason, and when it was last there: one model may be held for two.
    blocked: HashMap<(Subject, &'static str), (Blocked, Mono)>,
    /// When the minute began in which lines about blocked demand are counted, and how many there were.
    minute: (Mono, u32),
    query_failing: bool,
    age_failing: bool,
}

impl Journal {
    /// A journal that counts in these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            inactive: None,
            blocked: HashMap::new(),
            minute: (Mono::default(), 0),
            query_failing: false,
            age_failing: false,
        }
    }

    /// How many variants are inactive.
    pub fn inventory(&mut self, inventory: &Inventory) {
        let count = inventory.inactive();
        if self.inactive.replace(count) != Some(count) {
            tracing::debug!(count, "Found inactive VariantAutoscaling resources");
        }
        self.metrics.inventory(inventory);
    }

    /// A query has succeeded.
    pub fn query_answered(&mut self) {
        if std::mem::take(&mut self.query_failing) {
            tracing::info!("Prometheus answers again");
        }
    }

    /// A query has failed. Said when it starts to fail, counted each time.
    pub fn query_failed(&mut self, reason: &'static str, error: &dyn std::fmt::Display) {
        self.metrics
            .query_errors
            .get_or_create(&super::metrics::Reason { reason })
            .inc();
        if !std::mem::replace(&mut self.query_failing, true) {
            tracing::warn!(reason, %error, "Query failed: demand is unknown, nothing is woken until it works");
        }
    }

    /// The query for the ages of samples has failed, or works again.
    pub fn ages(&mut self, failed: Option<(&'static str, &dyn std::fmt::Display)>) {
        let was_failing = std::mem::replace(&mut self.age_failing, failed.is_some());
        if let Some((reason, error)) = failed {
            self.metrics
                .query_errors
                .get_or_create(&super::metrics::Reason { reason })
                .inc();
            if !was_failing {
                tracing::warn!(reason, %error, "The age of samples is unknown; waking all the same");
            }
        }
    }

    /// What has happened since the last tick.
    pub fn notices(&mut self, notices: &[Notice]) {
        for notice in notices {
            match notice {
                Notice::EpisodeBegan { key, waiting } => tracing::info!(
                    model = &*key.model,
                    namespace = &*key.namespace,
                    pool = &*key.pool,
                    waiting,
                    "Requests wait for a model"
                ),
                Notice::EpisodeEnded { key, served } => tracing::info!(
                    model = &*key.model,
                    namespace = &*key.namespace,
                    pool = &*key.pool,
                    served,
                    "Demand is over"
                ),
                Notice::Moved { target, moved } => match moved {
                    Moved::Up(Waker::Us) => tracing::debug!(%target, "Target is starting"),
                    Moved::Up(_) => {
                        self.count_wake("other_waker");
                        tracing::info!(%target, "Target was scaled up by somebody else");
                    }
                    // When it began to start is not known of one that did before the episode.
                    Moved::Ready(_, Waker::Earlier) => tracing::info!(%target, "Target is ready"),
                    Moved::Ready(took, _) => {
                        self.metrics.time_to_ready.observe(took.as_secs_f64());
                        tracing::info!(%target, seconds = took.as_secs_f64(), "Target is ready");
                    }
                    Moved::TakenBack => {
                        self.metrics.reverts.inc();
                        tracing::warn!(
                            %target,
                            "Something scaled the target back to 0 before it had served for long; look for an HPA or KEDA on it"
                        );
                    }
                },
            }
        }
    }

    /// A wake is about to be sent.
    pub fn waking(&self, wake: &Wake, dry_run: bool) {
        tracing::debug!(
            name = &*wake.variant.name,
            namespace = &*wake.variant.namespace,
            "Processing variant"
        );
        let metric_name = wake.family.as_deref().unwrap_or("expression");
        if dry_run {
            self.count_wake("dry_run");
            tracing::info!(
                metricName = metric_name,
                value = wake.waiting,
                model = &*wake.key.model,
                variant = %wake.variant,
                target = %wake.target,
                "Dry run: would scale up Target Workload from zero"
            );
            return;
        }
        tracing::info!(
            metricName = metric_name,
            value = wake.waiting,
            model = &*wake.key.model,
            variant = %wake.variant,
            target = %wake.target,
            "Target workload has pending requests, scaling up from zero"
        );
    }

    /// A wake has been answered.
    pub fn woken(&self, wake: &Wake, answer: &Result<(), RequestError>, told: &Told) {
        match answer {
            Ok(()) => {
                self.count_wake("accepted");
                if let Some(took) = told.sample_to_scale {
                    self.metrics.demand_to_scale.observe(took.as_secs_f64());
                }
                tracing::info!(
                    variant = %wake.variant,
                    target = %wake.target,
                    model = &*wake.key.model,
                    sampleToScale = told.sample_to_scale.map(|d| d.as_secs_f64()),
                    "Successfully scaled up Target Workload"
                );
            }
            Err(error) if error.failure == Failure::Conflict => {
                self.count_wake(error.failure.as_str());
                tracing::info!(
                    variant = %wake.variant,
                    target = %wake.target,
                    model = &*wake.key.model,
                    "Somebody else wrote the target first; deciding afresh"
                );
            }
            Err(error) => {
                self.count_wake(error.failure.as_str());
                tracing::warn!(
                    variant = %wake.variant,
                    target = %wake.target,
                    model = &*wake.key.model,
                    reason = error.failure.as_str(),
                    %error,
                    "Could not scale up Target Workload; trying again while requests wait"
                );
            }
        }
    }

    /// What the plan holds back. Only complete answers say so.
    pub fn planned(&mut self, plan: &Plan, now: Now) {
        for held in &plan.blocked {
            let subject = (held.namespace.clone(), held.pool.clone(), held.model.clone());
            let subject = (subject, held.why.as_str());
            let known = self.blocked.len() < MOST_REMEMBERED || self.blocked.contains_key(&subject);
            if !known {
                continue;
            }
            let before = self.blocked.insert(subject, (held.why.clone(), now.mono));
            if before.is_none_or(|(why, _)| why != held.why) {
                self.say_blocked(held, now.mono);
            }
        }
        self.blocked
            .retain(|_, (_, last)| now.mono.since(*last) < FORGET_AFTER);
        self.metrics.blocked(&plan.blocked);
    }

    /// Names of models come from clients: they are fields, which the formatter escapes, never the message, and
    /// neither their length nor their number can flood the log.
    fn say_blocked(&mut self, held: &Held, now: Mono) {
        let (since, said) = self.minute;
        let said = if now.since(since) >= FORGET_AFTER { 0 } else { said };
        self.minute = (if said == 0 { now } else { since }, said + 1);
        match said {
            0..MOST_A_MINUTE => tracing::warn!(
                reason = held.why.as_str(),
                model = short(held.model.as_deref()),
                namespace = short(held.namespace.as_deref()),
                pool = short(held.pool.as_deref()),
                waiting = held.waiting,
                why = %held.why,
                "Requests wait and nothing is woken"
            ),
            MOST_A_MINUTE => tracing::warn!(
                "Requests wait for more models and nothing is woken; /metrics counts them by reason, and a minute from now the log goes on"
            ),
            _ => {}
        }
    }

    fn count_wake(&self, result: &'static str) {
        self.metrics.wakes.get_or_create(&ResultLabel { result }).inc();
    }
}

/// A name as clients send it, cut to what a line can bear.
fn short(name: Option<&str>) -> Option<String> {
    name.map(|name| name.chars().take(LONGEST_NAME).collect())
}
