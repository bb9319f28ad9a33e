//! What is remembered from tick to tick. All of it belongs to an episode and goes with it.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Answer, Attempt, Entry, Failure, Inventory, Joined, ModelKey, Mono, Moved, Now, ObjectName, Rules, Scope,
    TargetKey, Tracked, Wake, Wall,
    join::variants_of,
    report::{Due, Reporting, Told},
};

/// How long after `readyTimeout` an episode lasts when demand never comes back.
const AFTER_READY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A stretch of demand for one model: from its first request that waits until the model has served
/// them, or the time for that is over. Unknown demand never ends one early.
#[derive(Clone, Debug)]
pub struct Episode {
    /// When it began.
    pub since: Now,
    /// When demand was last present.
    pub last_present: Mono,
    /// Since when it has been serving with demand gone.
    calm: Option<Mono>,
    /// Until when its samples, found to be too old, are not looked at again.
    stale: Option<Mono>,
}

/// Something that happened, for logs and metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// First demand of a model.
    EpisodeBegan {
        /// The model.
        key: ModelKey,
        /// Requests waiting.
        waiting: f64,
    },
    /// The end of an episode.
    EpisodeEnded {
        /// The model.
        key: ModelKey,
        /// Whether it ended with the model serving and demand gone.
        served: bool,
    },
    /// A target moved.
    Moved {
        /// The target.
        target: TargetKey,
        /// How.
        moved: Moved,
    },
}

/// Episodes, and what was tried in them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    episodes: BTreeMap<ModelKey, Episode>,
    targets: BTreeMap<TargetKey, Tracked>,
    pub(super) reports: BTreeMap<ObjectName, Reporting>,
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
        for (key, asked) in &joined.asked {
            let episode = self.episodes.entry(key.clone()).or_insert_with(|| {
                notices.push(Notice::EpisodeBegan {
                    key: key.clone(),
                    waiting: asked.waiting,
                });
                Episode {
                    since: now,
                    last_present: now.mono,
                    calm: None,
                    stale: None,
                }
            });
            episode.last_present = now.mono;
        }
        self.end(inventory, answer, joined, now, rules, &mut notices);
        self.follow(inventory, now, rules, &mut notices);
        notices
    }

    /// Moves the attempts on all targets of open episodes on, and lets go of the others.
    fn follow(&mut self, inventory: &Inventory, now: Now, rules: &Rules, notices: &mut Vec<Notice>) {
        let mut open: BTreeMap<&TargetKey, &Episode> = BTreeMap::new();
        for (key, episode) in &self.episodes {
            let targets = variants_of(inventory, key).filter_map(|(_, entry)| entry.target());
            for target in targets {
                open.entry(target).or_insert(episode);
            }
        }
        self.targets
            .retain(|target, t| open.contains_key(target) || matches!(t.attempt, Attempt::Sent { .. }));
        self.reports.retain(|variant, reporting| {
            let target = inventory.entry(variant).and_then(Entry::target);
            target.is_some_and(|t| open.contains_key(t)) || matches!(reporting, Reporting::Sent(_))
        });
        for (target, episode) in open {
            let observed = inventory.target(target).map(|t| &t.observed);
            let tracked = self.targets.entry(target.clone()).or_insert_with(|| {
                let tracked = Tracked::new(observed, now.mono);
                if matches!(tracked.attempt, Attempt::Scaled { ready: None, .. }) {
                    witness(&mut self.reports, inventory, target, Wall::UNIX_EPOCH, now.mono);
                }
                tracked
            });
            let down = tracked.down;
            let moved = tracked.observe(observed, now, rules.settle, rules.backoff);
            if tracked.down != down {
                // What was told of is over, and the next wake is told of again.
                for variant in inventory.variants_of(target) {
                    if self
                        .reports
                        .get(variant)
                        .is_some_and(Reporting::ends_with_the_wake)
                    {
                        self.reports.remove(variant);
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
    }

    /// Ends the episodes that are over.
    fn end(
        &mut self,
        inventory: &Inventory,
        answer: &Answer,
        joined: &Joined,
        now: Now,
        rules: &Rules,
        notices: &mut Vec<Notice>,
    ) {
        let deadline = rules.ready_timeout.saturating_add(AFTER_READY_TIMEOUT);
        self.episodes.retain(|key, episode| {
            let known = matches!(answer, Answer::Complete(_));
            let present = joined.asked.contains_key(key);
            if present || !variants_of(inventory, key).any(|(_, e)| e.is_serving()) {
                episode.calm = None;
            } else if known {
                episode.calm.get_or_insert(now.mono);
            }
            let calm = episode
                .calm
                .is_some_and(|since| now.mono.since(since) >= rules.settle);
            let served = known && calm;
            let over = served || now.mono.since(episode.last_present) >= deadline;
            if over {
                notices.push(Notice::EpisodeEnded {
                    key: key.clone(),
                    served,
                });
            }
            !over
        });
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

    /// Whether samples of a model were found too old just now.
    pub(super) fn is_stale(&self, key: &ModelKey, now: Mono) -> bool {
        self.episodes
            .get(key)
            .and_then(|e| e.stale)
            .is_some_and(|until| now < until)
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
        }
        for reporting in self.reports.values_mut() {
            if let Reporting::Sent(due) = reporting {
                *reporting = Reporting::Owed(due.clone());
            }
        }
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
                status_done: false,
            };
            self.reports.insert(wake.variant.clone(), Reporting::Owed(due));
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
    reports: &mut BTreeMap<ObjectName, Reporting>,
    inventory: &Inventory,
    target: &TargetKey,
    since: Wall,
    now: Mono,
) {
    const WAKER_REPORTS_WITHIN: Duration = Duration::from_secs(1);
    let Some(generation) = inventory.target(target).map(|t| t.generation) else {
        return;
    };
    let in_scope = |v: &&ObjectName| inventory.entry(v).is_some_and(|e| e.scope == Scope::In);
    for variant in inventory.variants_of(target).filter(in_scope) {
        let due = Due {
            at: now + WAKER_REPORTS_WITHIN,
            generation,
            told: None,
            since,
            tries: 0,
            events_done: false,
            status_done: false,
        };
        reports.entry(variant.clone()).or_insert(Reporting::Owed(due));
    }
}
