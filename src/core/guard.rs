//! The guard keeps whoever scales a target from taking a wake back during its episode (rule 17).
//!
//! It is a level, not a step: what stands is read off the objects, what should stand follows from the open episodes,
//! and each tick writes the difference. So a restart, a second copy and a failed scale need no case of their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Attempt, Backoff, Episode, Guard, Inventory, Memory, ModelKey, Mono, Now, Rules, Scaler, ScalerKey,
    ScalerKind, TargetKey, Tracked, Wall,
};

/// One write of a guard. It holds only while nobody has written the object since.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardWrite {
    /// The HPA or ScaledObject.
    pub scaler: ScalerKey,
    /// `metadata.resourceVersion` that it was decided on.
    pub resource_version: Box<str>,
    /// What is written.
    pub change: GuardChange,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardChange {
    /// The value that guards, and our annotation with what stood there before.
    Put(Guard),
    /// What stood there before; our annotation goes.
    End(Guard),
    /// Our annotation goes, and nothing else: somebody has written another value since.
    Forget(Guard),
}

/// What has come of the guards of a target in its episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guarded {
    /// None has been seen yet.
    #[default]
    NotYet,
    /// One stands, or stood when last seen.
    Standing,
    /// It went before its time: by another copy at the end of its episode, or by somebody who does not want it. It is
    /// not put up again.
    Undone,
}

/// How long after its guard another copy's scale may come: the deadlines of both writes.
const ANOTHER_COPY_SCALES: Duration = Duration::from_secs(7);

/// Guards that this process has to do with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Guards {
    /// Those that are to end.
    ending: BTreeSet<ScalerKey>,
    /// Writes that were sent: how many in a row have failed, and before when none is sent again.
    sent: BTreeMap<ScalerKey, (u32, Mono)>,
}

/// The value of a ScaledObject's annotation, and an HPA's `minReplicas`, that guards.
fn guarding(kind: ScalerKind) -> &'static str {
    match kind {
        ScalerKind::ScaledObject => "true",
        ScalerKind::HorizontalPodAutoscaler => "1",
    }
}

/// The value that stands there.
fn value(kind: ScalerKind, scaler: &Scaler) -> Option<Box<str>> {
    match kind {
        ScalerKind::ScaledObject => scaler.paused_scale_in.clone(),
        ScalerKind::HorizontalPodAutoscaler => Some(scaler.min_replicas.to_string().into()),
    }
}

/// What scales a target to 0 by itself and nothing keeps from it. An HPA of a ScaledObject is left to that.
fn unguarded<'a>(
    inventory: &'a Inventory,
    target: &'a TargetKey,
) -> impl Iterator<Item = (&'a ScalerKey, &'a Scaler)> {
    let is_scaled_object = |key: &ScalerKey| key.kind == ScalerKind::ScaledObject;
    let has_scaled_object = inventory.scalers_of(target).any(|(key, _)| is_scaled_object(key));
    inventory.scalers_of(target).filter(move |(key, scaler)| {
        let ours = !scaler.deleting && !scaler.is_child && (is_scaled_object(key) || !has_scaled_object);
        let scales_in =
            scaler.min_replicas == 0 && value(key.kind, scaler).as_deref() != Some(guarding(key.kind));
        ours && scales_in && scaler.guard.is_none()
    })
}

/// The guards to be put up before a target is scaled.
pub(super) fn before_scale(
    inventory: &Inventory,
    target: &TargetKey,
    model: &ModelKey,
    now: Now,
    rules: &Rules,
) -> Vec<GuardWrite> {
    if !rules.guard {
        return Vec::new();
    }
    unguarded(inventory, target)
        .map(|(key, scaler)| put(key, scaler, model, now.wall, rules))
        .collect()
}

fn put(key: &ScalerKey, scaler: &Scaler, model: &ModelKey, now: Wall, rules: &Rules) -> GuardWrite {
    let until = now.checked_add(Episode::longest(rules)).unwrap_or(Wall::MAX);
    GuardWrite {
        scaler: key.clone(),
        resource_version: scaler.resource_version.clone(),
        change: GuardChange::Put(Guard {
            before: value(key.kind, scaler),
            ours: guarding(key.kind).into(),
            until,
            model: model.clone(),
        }),
    }
}

impl Memory {
    /// The difference between the guards that should stand and those that do.
    pub fn guards_due(&mut self, inventory: &Inventory, now: Now, rules: &Rules) -> Vec<GuardWrite> {
        let mut due = Vec::new();
        self.keep_guards(inventory);
        for (key, scaler) in inventory.guarded() {
            let Some(guard) = &scaler.guard else { continue };
            let is_ours = value(key.kind, scaler).as_deref() == Some(&*guard.ours);
            let change = if !is_ours {
                GuardChange::Forget(guard.clone())
            } else if !rules.guard || now.wall >= guard.until || self.guards.ending.contains(key) {
                GuardChange::End(guard.clone())
            } else {
                continue;
            };
            due.push(GuardWrite {
                scaler: key.clone(),
                resource_version: scaler.resource_version.clone(),
                change,
            });
        }
        let stands = |key: &ScalerKey| inventory.scaler(key).is_some_and(|s| s.guard.is_some());
        self.guards.ending.retain(|key| stands(key));
        if rules.guard {
            self.follow_guards(inventory, now, rules, &mut due);
        }
        // What is not wanted any more is not waited for either.
        let wanted: BTreeSet<_> = due.iter().map(|write| write.scaler.clone()).collect();
        let waits = |key: &ScalerKey, next: Mono| next > now.mono || wanted.contains(key);
        self.guards.sent.retain(|key, (_, next)| waits(key, *next));
        due.retain(|write| {
            self.guards
                .sent
                .get(&write.scaler)
                .is_none_or(|(_, next)| now.mono >= *next)
        });
        // Not again before its answer.
        for write in &due {
            let tries = self.guards.sent.get(&write.scaler).map_or(0, |(tries, _)| *tries);
            let never = Mono(Duration::MAX);
            self.guards.sent.insert(write.scaler.clone(), (tries, never));
        }
        due
    }

    /// A guard that was to end and still stands is kept where its target has been woken again meanwhile.
    fn keep_guards(&mut self, inventory: &Inventory) {
        if self.guards.ending.is_empty() {
            return;
        }
        for (target, _) in self.targets.iter().filter(|(_, tracked)| tracked.wants_guard()) {
            for (key, _) in inventory.scalers_of(target) {
                self.guards.ending.remove(key);
            }
        }
    }

    /// Guards of the targets of open episodes: those that are missing are put up, once an episode.
    fn follow_guards(&mut self, inventory: &Inventory, now: Now, rules: &Rules, due: &mut Vec<GuardWrite>) {
        for (target, tracked) in &mut self.targets {
            let Some(model) = tracked.model.clone() else {
                continue;
            };
            let is_up = tracked.wants_guard();
            let standing = inventory
                .scalers_of(target)
                .any(|(_, scaler)| scaler.guard.is_some());
            tracked.guarded = match (tracked.guarded, standing) {
                (Guarded::NotYet, true) => Guarded::Standing,
                (Guarded::Standing, false) if is_up => Guarded::Undone,
                (Guarded::Standing, false) => Guarded::NotYet,
                (before, _) => before,
            };
            tracked.idle_guard = (!is_up && standing).then(|| tracked.idle_guard.unwrap_or(now.mono));
            // Another copy may have put it up just now, and its scale is yet to come.
            if tracked
                .idle_guard
                .is_some_and(|since| now.mono.since(since) >= ANOTHER_COPY_SCALES)
            {
                let guarded = inventory
                    .scalers_of(target)
                    .filter(|(_, scaler)| scaler.guard.is_some());
                self.guards.ending.extend(guarded.map(|(key, _)| key.clone()));
            }
            // While a wake is sent, the guard goes before it in the same task.
            let missing = matches!(tracked.attempt, Attempt::Accepted { .. } | Attempt::Scaled { .. });
            if missing && tracked.guarded == Guarded::NotYet {
                due.extend(
                    unguarded(inventory, target)
                        .map(|(key, scaler)| put(key, scaler, &model, now.wall, rules)),
                );
            }
        }
    }

    /// The episode of a target is over: so are its guards.
    pub(super) fn end_guards(&mut self, inventory: &Inventory, target: &TargetKey) {
        let guarded = inventory
            .scalers_of(target)
            .filter(|(_, scaler)| scaler.guard.is_some());
        self.guards.ending.extend(guarded.map(|(key, _)| key.clone()));
    }

    /// A write of a guard has been answered. One that went through is left alone until the watch has shown it.
    pub fn guard_answered(&mut self, scaler: &ScalerKey, accepted: bool, now: Mono, backoff: Backoff) {
        let tries = self.guards.sent.get(scaler).map_or(0, |(tries, _)| *tries);
        let (tries, wait) = if accepted {
            (0, backoff.wait(0))
        } else {
            (tries.saturating_add(1), backoff.wait(tries))
        };
        self.guards.sent.insert(scaler.clone(), (tries, now + wait));
        self.guards
            .sent
            .retain(|_, (tries, next)| *tries > 0 || *next > now);
    }

    /// No write is under way any more: those without an answer may be sent again.
    pub(super) fn no_guard_under_way(&mut self, now: Mono) {
        for (_, next) in self.guards.sent.values_mut() {
            if *next == Mono(Duration::MAX) {
                *next = now;
            }
        }
    }
}

impl Tracked {
    /// Whether it is up, or is being woken: then a guard stands, or is to.
    fn wants_guard(&self) -> bool {
        matches!(
            self.attempt,
            Attempt::Sent { .. } | Attempt::Accepted { .. } | Attempt::Failed { .. } | Attempt::Scaled { .. }
        )
    }
}
