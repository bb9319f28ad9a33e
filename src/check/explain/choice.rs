//! The second half of the path: from the variants to a replica that stays.

use super::{Mark, Telling, Told, is_ready};
use crate::{
    check::{Need, Origin},
    core::{Gone, Observed, Role, Select, Source, State, TargetKey, TargetKind},
};

impl Telling<'_> {
    /// Link 5: the variants by cost, and which of them it would be.
    pub(super) fn chosen(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        for (name, entry) in self.variants {
            let role = match entry.role {
                Role::Unknown => None,
                Role::Known(_) => {
                    let target = entry
                        .target()
                        .and_then(|target| self.facts.inventory.target(target));
                    target.and_then(|target| target.role_label())
                }
            };
            let role = role.map(|role| format!(", role {role}"));
            let state = self.verdict.state(name, entry);
            // Without an answer of Prometheus nobody knows whether requests wait.
            let known = matches!(self.facts.prometheus.demand, Some(Ok(_)));
            let state = match state {
                State::Parked if !known => "at 0 replicas".to_owned(),
                state => state.to_string(),
            };
            told.say(format!(
                "{name}: cost {}{}: {state}",
                entry.variant.cost.value(),
                role.unwrap_or_default(),
            ));
        }
        let up = self.variants.iter().any(|(_, entry)| entry.is_scaled());
        let outcome = self.outcome();
        let wakes = &outcome.wakes;
        if wakes.is_empty() {
            let why = outcome.why.as_ref().map(|why| format!(": {why}"));
            let line = format!("a request would wake none of them{}", why.unwrap_or_default());
            told.found(if up { Mark::Ok } else { Mark::Broken }, line);
        } else {
            let how = match self.facts.config.wake.select {
                Select::Cheapest => "the cheapest set that serves (wake.select: cheapest)",
                Select::All => "all that can be woken (wake.select: all)",
            };
            let names: Vec<_> = wakes.iter().map(ToString::to_string).collect();
            told.say(format!("a request would wake {}: {how}", names.join(", ")));
        }
        told
    }

    /// Link 6: the target, and its labels against the selector.
    pub(super) fn target(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        let mut best = Mark::Broken;
        for (name, entry) in self.variants {
            let (fits, text) = match (&entry.observed, entry.target()) {
                (Ok(observed), Some(target)) => {
                    let at = match observed {
                        Observed::Zero(_) => "at 0 replicas".to_owned(),
                        Observed::Scaled { replicas, ready, .. } => {
                            format!("at {replicas} replicas, {ready} ready")
                        }
                    };
                    let labels = self.facts.inventory.target(target).map(|target| {
                        let pairs = target
                            .labels
                            .iter()
                            .map(|(name, value)| format!("{name}={value}"));
                        pairs.collect::<Vec<_>>().join(",")
                    });
                    let labels = labels.filter(|labels| !labels.is_empty());
                    let text = format!(
                        "{target}: {at}; its pods are labelled {}",
                        labels.as_deref().unwrap_or("with nothing")
                    );
                    (
                        if entry.pools.is_empty() {
                            Mark::Broken
                        } else {
                            Mark::Ok
                        },
                        text,
                    )
                }
                (Err(gone), target) => {
                    let target = target.map_or_else(|| "its target".to_owned(), ToString::to_string);
                    let (mark, why) = match gone {
                        Gone::Missing if matches!(self.facts.origin, Origin::Files { .. }) => {
                            (Mark::Broken, "is not among the files")
                        }
                        Gone::Missing => (Mark::Broken, "does not exist"),
                        Gone::Unreadable => (Mark::Unknown, "cannot be read"),
                        Gone::Unsupported => (Mark::Broken, "is of a kind that cannot be woken"),
                        Gone::NoTemplate => (Mark::Broken, "has no pod template"),
                    };
                    (mark, format!("{name}: {target} {why}"))
                }
                (Ok(_), None) => (Mark::Unknown, format!("{name}: its target is not known")),
            };
            // One that fits is enough.
            best = best.min(fits);
            told.found(fits, text);
        }
        for pool in self.pools() {
            let selector = self.pool(pool).map(|pool| {
                let labels = match pool.at("/spec/selector/matchLabels") {
                    Some(_) => pool.strings("/spec/selector/matchLabels"),
                    None => pool.strings("/spec/selector"),
                };
                let pairs = labels.into_iter().map(|(name, value)| format!("{name}={value}"));
                pairs.collect::<Vec<_>>().join(",")
            });
            let selector = selector.unwrap_or_default();
            told.say(format!("InferencePool {pool} selects {selector}: they have it"));
        }
        if self.pools().is_empty() {
            told.why = None;
            told.found(
                Mark::Broken,
                format!(
                    "no InferencePool in {} selects the pods of its target",
                    self.namespace
                ),
            );
        }
        told.mark = best;
        told
    }

    /// Link 7: whether the account may write.
    pub(super) fn written(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        if self.facts.config.dry_run {
            told.found(
                Mark::Broken,
                "dryRun: true stands in the configuration: nothing is written",
            );
        }
        if let Some(account) = &self.facts.account {
            told.say(format!("as {account}"));
        }
        let mut asked = false;
        for target in self.targets() {
            let scale = format!("{}/scale", resource(target));
            for access in self.facts.access.iter().filter(|access| {
                let here = access.namespace.as_deref();
                access.need == Need::Wake
                    && access.verb == "patch"
                    && access.resource == scale
                    && here.is_none_or(|here| *here == **self.namespace)
            }) {
                asked = true;
                let (found, answer) = match &access.allowed {
                    Ok(true) => (Mark::Ok, "allowed".to_owned()),
                    Ok(false) => (Mark::Broken, "not allowed".to_owned()),
                    Err(why) => (Mark::Unknown, format!("not known: {why}")),
                };
                told.found(found, format!("patch {scale} in {}: {answer}", self.namespace));
            }
        }
        if !asked {
            told.found(
                Mark::Unknown,
                "whether the account may patch its scale was not asked",
            );
        }
        told
    }

    /// Link 8: whether it is ready, or what keeps it from it.
    pub(super) fn ready(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        let up: Vec<_> = self
            .variants
            .iter()
            .filter(|(_, entry)| entry.is_scaled())
            .collect();
        if up.is_empty() {
            let patience = humantime::format_duration(self.facts.config.wake.ready_timeout);
            told.found(
                Mark::Unknown,
                format!("at 0 now, so not known; after wake.readyTimeout ({patience}) another set is tried"),
            );
            return told;
        }
        let mut serves = false;
        for (name, entry) in up {
            let state = self.verdict.state(name, entry);
            serves |= entry.is_serving();
            let mark = match state.as_str() {
                "serving" => Mark::Ok,
                "overdue" => Mark::Broken,
                _ => Mark::Unknown,
            };
            told.found(mark, format!("{name}: {state}"));
            let labels = entry
                .target()
                .and_then(|target| self.facts.inventory.target(target))
                .map(|target| target.labels.iter().collect::<Vec<_>>());
            for pod in self
                .pods(&labels.unwrap_or_default())
                .iter()
                .filter(|pod| !is_ready(pod))
            {
                let phase = pod.text("/status/phase").unwrap_or("Unknown");
                let conditions = pod.at("/status/conditions").and_then(|all| all.as_array());
                let why = conditions.into_iter().flatten().find_map(|condition| {
                    let unmet = condition["status"] == "False";
                    condition["message"].as_str().filter(|_| unmet)
                });
                told.say(format!(
                    "pod {}: {phase}, {}",
                    pod.name,
                    why.unwrap_or("not ready")
                ));
            }
        }
        if serves {
            told.mark = Mark::Ok;
        }
        told
    }

    /// Link 9: who else scales the target.
    pub(super) fn kept(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        for target in self.targets() {
            for (key, scaler) in self.facts.inventory.scalers_of(target) {
                let least = match key.kind.source() {
                    Source::ScaledObject => "minReplicaCount",
                    _ => "minReplicas",
                };
                let guard = scaler.guard.as_ref().map(|_| ", a guard of ours stands on it");
                let paused = scaler.paused.map(|_| ", it is paused");
                told.say(format!(
                    "{key} scales {target}: {least} {}{}{}",
                    scaler.min_replicas,
                    guard.unwrap_or_default(),
                    paused.unwrap_or_default()
                ));
            }
        }
        let unread = self
            .unread("autoscaling", "HorizontalPodAutoscaler")
            .or_else(|| self.unread("keda.sh", "ScaledObject"));
        if let Some(unread) = unread {
            let line = format!("{}s were not looked at: {}", unread.kind, unread.why);
            told.found(Mark::Unknown, line);
        } else if told.lines.is_empty() {
            told.say("no HorizontalPodAutoscaler and no ScaledObject scales it");
        }
        told
    }
}

/// The resource that a kind is served as. What discovery found is not kept in the facts; the API's own rule for names
/// of resources is the small letters of the kind in the plural.
fn resource(target: &TargetKey) -> String {
    match &target.kind {
        TargetKind::Deployment => "deployments".to_owned(),
        TargetKind::StatefulSet => "statefulsets".to_owned(),
        TargetKind::Other(other) => format!("{}s", other.kind.to_lowercase()),
    }
}
