//! What is remembered from tick to tick. All of it belongs to an episode and goes with it.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Answer, Attempt, Entry, Episode, EpisodeEnd, Failure, Inventory, Joined, Map, ModelKey, Mono, Moved,
    Notice, Now, Owner, Presence, Rules, Scope, TakenBy, TargetKey, Tracked, VariantKey, Wake, Wall,
    guard::Guards,
    inventory::Revision,
    join::variants_of,
    maps::{Cursor, map_for},
    report::{Due, Reporting, Told},
};

/// Episodes, and what was tried in them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(super) episodes: Map<ModelKey, Episode>,
    pub(super) targets: Map<TargetKey, Tracked>,
    pub(super) reports: Map<VariantKey, Reporting>,
    pub(super) guards: Guards,
    /// The inventory that everything here was last followed on, while nothing else has happened to it since.
    pub(super) followed: Option<Revision>,
    /// The inventory that reports were last looked for on, likewise.
    pub(super) reported_on: Option<Revision>,
}

impl Memory {
    /// Takes in what this tick has seen: begins and ends episodes, moves attempts on.
    pub fn observe(
        &mut self,
        inventory: &Inventory,
        answer: &Answer,
        joined: &Joined,
        now: Now,
        rules: &Rules,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut episodes = Cursor::default();
        for (key, asked) in &joined.asked {
            if episodes.find(&self.episodes, key).is_none() {
                notices.push(Notice::EpisodeBegan {
                    key: key.clone(),
                    waiting: asked.waiting,
                });
                let mut episode = Episode::new(now);
                episode.escalations = self.escalations_beside(inventory, key, rules);
                self.episodes.insert(key.clone(), episode);
            }
        }
        let unchanged = self.followed.as_ref() == Some(inventory.revision());
        let targets = &self.targets;
        let mut asked = Cursor::default();
        self.episodes.retain(|key, episode| {
            let demand = match answer {
                Answer::Unknown => Presence::Unknown,
                Answer::Complete(_) if asked.find(&joined.asked, key).is_some() => Presence::Present,
                Answer::Complete(_) => Presence::Gone,
            };
            // What a person holds is not forgotten before that is over.
            let held = || {
                let mut entries = variants_of(inventory, key, rules.unmatched);
                entries.any(|(_, entry)| {
                    let tracked = entry.target().and_then(|target| targets.get(target));
                    tracked.is_some_and(|tracked| tracked.is_held(now.mono))
                })
            };
            let end = episode.observe(key, inventory, (demand, unchanged), now.mono, rules);
            let end = end.filter(|_| !held());
            notices.extend(end.map(|end| Notice::EpisodeEnded {
                key: key.clone(),
                served: end == EpisodeEnd::Served,
            }));
            end.is_none()
        });
        let steady = || self.targets.values().all(Tracked::is_steady);
        if !notices.is_empty() || !unchanged || !steady() {
            self.follow(inventory, now, rules, &mut notices);
            self.followed = Some(inventory.revision().clone());
        }
        notices
    }

    /// Moves the attempts on all targets of open episodes on, and lets go of the others.
    fn follow(&mut self, inventory: &Inventory, now: Now, rules: &Rules, notices: &mut Vec<Notice>) {
        let mut open: Map<&TargetKey, (&ModelKey, &Episode)> = map_for(self.episodes.len());
        for (key, episode) in &self.episodes {
            let targets =
                variants_of(inventory, key, rules.unmatched).filter_map(|(_, entry)| entry.target());
            for target in targets {
                open.entry(target).or_insert((key, episode));
            }
        }
        let mut places = Cursor::default();
        let over: BTreeSet<TargetKey> = self
            .targets
            .keys()
            .filter(|target| places.find(&open, target).is_none())
            // Where it, or the variants, cannot be read just now, it is not known whether it still belongs to one.
            .filter(|target| {
                inventory.reads_target(target) && inventory.reads_variants(&target.name.namespace)
            })
            .cloned()
            .collect();
        if !over.is_empty() {
            self.targets
                .retain(|target, t| !over.contains(target) || matches!(t.attempt, Attempt::Sent { .. }));
        }
        let mut places = Cursor::default();
        self.reports.retain(|variant, reporting| {
            let target = inventory.entry(variant).and_then(Entry::target);
            target.is_some_and(|t| places.find(&open, &t).is_some())
                || matches!(reporting, Reporting::Sent(_))
                || !inventory.reads_variants(&variant.name.namespace)
                || target.is_some_and(|t| !inventory.reads_target(t))
        });
        let mut known = Cursor::default();
        for (target, (key, episode)) in open {
            // Nothing is known of it just now, which is not to say that it is gone.
            if !inventory.reads_target(target) {
                continue;
            }
            let observed = inventory.target(target).map(|t| &t.observed);
            let place = known.find(&self.targets, target).unwrap_or_else(|| {
                let tracked = Tracked::new(observed, now.mono);
                if matches!(tracked.attempt, Attempt::Scaled { ready: None, .. }) {
                    witness(&mut self.reports, inventory, target, Wall::UNIX_EPOCH, now.mono);
                }
                self.targets.insert_full(target.clone(), tracked).0
            });
            let Some((_, tracked)) = self.targets.get_index_mut(place) else {
                continue;
            };
            if tracked.model.as_ref() != Some(key) {
                tracked.model = Some(key.clone());
            }
            let down = tracked.down;
            let moved = tracked.observe(observed, now, rules);
            if tracked.down != down {
                // What was told of is over, and the next wake is told of again.
                for variant in inventory.variants_of(target) {
                    let over = self
                        .reports
                        .get(variant)
                        .is_some_and(Reporting::ends_with_the_wake);
                    if over {
                        self.reports.swap_remove(variant);
                    }
                }
            }
            if let Some(moved) = moved {
                // Ours too: the waker's own report stands already, another variant's of that target does not.
                if let Moved::Up(_) = moved {
                    let since = tracked.down.unwrap_or(episode.since.wall);
                    witness(&mut self.reports, inventory, target, since, now.mono);
                }
                notices.push(Notice::Moved {
                    target: target.clone(),
                    moved,
                });
            }
        }
        for target in over {
            self.end_guards(inventory, &target);
        }
    }

    /// The episode of a model, while one is open.
    pub fn episode(&self, key: &ModelKey) -> Option<&Episode> {
        self.episodes.get(key)
    }

    /// How many episodes are open.
    pub fn episodes(&self) -> usize {
        self.episodes.len()
    }

    /// What has been tried on a target in the open episodes.
    pub fn tracked(&self, target: &TargetKey) -> Option<&Tracked> {
        self.targets.get(target)
    }

    /// Its samples are too old: not looked at again before `until`.
    pub(super) fn found_stale(&mut self, key: &ModelKey, until: Mono) {
        if let Some(episode) = self.episodes.get_mut(key) {
            episode.stale = Some(until);
        }
    }

    /// A wake is on its way.
    pub fn sent(&mut self, wake: &Wake) {
        let tracked = self.targets.entry(wake.target.clone());
        tracked
            .or_insert_with(|| Tracked::new(None, Mono::default()))
            .sent(wake.parked.clone());
    }

    /// A dry run has told of a wake instead of sending it.
    pub fn only_reported(&mut self, wake: &Wake) {
        if let Some(tracked) = self.targets.get_mut(&wake.target) {
            tracked.attempt = Attempt::Reported;
        }
    }

    /// No write is under way any more. What still counts as sent has lost its task, and with it its answer.
    pub fn nothing_under_way(&mut self, now: Mono, rules: &Rules) {
        for tracked in self.targets.values_mut() {
            tracked.answered(Err((Failure::NoAnswer, None)), now, rules.backoff);
            tracked.pods.asked = false;
        }
        for reporting in self.reports.values_mut() {
            if let Reporting::Sent(due) = reporting {
                *reporting = Reporting::Owed(due.clone());
                self.followed = None;
            }
        }
        self.no_guard_under_way(now);
    }

    /// Waking is no longer a dry run: what it has only told of may be woken.
    pub fn no_dry_run(&mut self) {
        for tracked in self.targets.values_mut() {
            if tracked.attempt == Attempt::Reported {
                tracked.attempt = Attempt::Idle;
            }
        }
    }

    /// The answer to a wake has come. From one that went through, its report follows.
    pub fn answered(
        &mut self,
        wake: &Wake,
        answer: Result<(), (Failure, Option<Duration>)>,
        told: Told,
        now: Now,
        rules: &Rules,
    ) {
        if answer.is_ok() {
            let due = Due {
                at: now.mono,
                generation: wake.generation + 1,
                told: Some(told),
                since: now.wall,
                tries: 0,
                events_done: false,
                mark_done: false,
            };
            self.reports.insert(wake.variant.clone(), Reporting::Owed(due));
            self.followed = None;
        }
        if let Some(tracked) = self.targets.get_mut(&wake.target) {
            tracked.answered(answer, now.mono, rules.backoff);
        }
    }

    /// Targets that one GET is due for, since the watch has been silent after a write.
    pub fn look_due(&mut self, now: Mono) -> Vec<TargetKey> {
        let due = self
            .targets
            .iter_mut()
            .filter_map(|(key, t)| t.look_due(now).then(|| key.clone()));
        due.collect()
    }

    /// Targets that were scaled back, and that one GET is due for which tells by whom (rule 12).
    pub fn attributions_due(&mut self) -> Vec<TargetKey> {
        let due = self
            .targets
            .iter_mut()
            .filter_map(|(key, t)| t.attribution_due().then(|| key.clone()));
        due.collect()
    }

    /// That GET has brought the owners of `spec.replicas`; `None` if it has failed.
    pub fn attributed(
        &mut self,
        target: &TargetKey,
        owners: Option<&[Owner]>,
        inventory: &Inventory,
        now: Mono,
        rules: &Rules,
    ) -> Option<Notice> {
        let by = TakenBy::tell(owners, inventory, target);
        let tracked = self.targets.get_mut(target)?;
        if tracked.restored && by == TakenBy::Person(None) {
            // It may have been parked long after it served: who names nobody is not told of, nor left alone.
            tracked.attributed(TakenBy::Unknown, rules.manual_hold);
            return None;
        }
        let retry = tracked.attributed(by.clone(), rules.manual_hold)?;
        Some(Notice::TakenBack {
            target: target.clone(),
            key: tracked.model.clone(),
            by,
            again_in: retry.since(now),
        })
    }

    /// Whether a wake of a target is under way or has just gone through.
    pub(super) fn is_under_way(&self, target: Option<&TargetKey>) -> bool {
        target
            .and_then(|t| self.targets.get(t))
            .is_some_and(Tracked::is_under_way)
    }
}

/// A target has gone up: if the status of one of its variants does not say so after a moment, written
/// after `since`, its waker has died in between, and the report is ours. What is out of scope is left
/// to whom it belongs.
fn witness(
    reports: &mut Map<VariantKey, Reporting>,
    inventory: &Inventory,
    target: &TargetKey,
    since: Wall,
    now: Mono,
) {
    const WAKER_REPORTS_WITHIN: Duration = Duration::from_secs(1);
    let Some(generation) = inventory.target(target).map(|t| t.generation) else {
        return;
    };
    let in_scope = |v: &&VariantKey| inventory.entry(v).is_some_and(|e| e.scope == Scope::In);
    for variant in inventory.variants_of(target).filter(in_scope) {
        let due = Due {
            at: now + WAKER_REPORTS_WITHIN,
            generation,
            told: None,
            since,
            tries: 0,
            events_done: false,
            mark_done: false,
        };
        reports.entry(variant.clone()).or_insert(Reporting::Owed(due));
    }
}
