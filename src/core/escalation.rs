//! What memory knows of sets that do not become ready (rule 11): their pods, and what was given up for others.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Inventory, Joined, Memory, ModelKey, Mono, Now, Plan, Rules, TargetKey, Wall, join::variants_of,
};

impl Memory {
    /// Models of open episodes that nothing asks for just now, while one of their targets is starting.
    /// As nothing but what is overdue is decided on there, none where nothing is.
    pub(super) fn starting_without<'a>(
        &'a self,
        joined: &Joined,
        now: Now,
        rules: &Rules,
    ) -> impl Iterator<Item = &'a ModelKey> {
        let mut all = self.targets.values();
        let unasked: BTreeSet<_> = if all.any(|tracked| tracked.may_be_overdue(now, rules)) {
            let starting = self.targets.values().filter(|t| t.starting_since().is_some());
            let models = starting.filter_map(|t| t.model.as_ref());
            models.filter(|key| !joined.asked.contains_key(*key)).collect()
        } else {
            BTreeSet::new()
        };
        unasked.into_iter()
    }

    /// Sets that the plan gives up for others. What is given up counts as not there until it is ready. It counts in
    /// every episode that it belongs to: a model and its alias are the same targets.
    pub fn escalated(&mut self, plan: &Plan, inventory: &Inventory, rules: &Rules) {
        let given_up = || plan.escalations.iter().flat_map(|escalation| &escalation.from);
        if plan.escalations.is_empty() {
            return;
        }
        for (key, episode) in &mut self.episodes {
            let mut entries = variants_of(inventory, key, rules.unmatched);
            let is_its = |target: Option<&TargetKey>| given_up().any(|(from, _)| Some(from) == target);
            if entries.any(|(_, entry)| is_its(entry.target())) {
                episode.escalations = episode.escalations.saturating_add(1);
            }
        }
        for (target, why) in given_up() {
            if let Some(tracked) = self.targets.get_mut(target) {
                tracked.passed_over = Some(why.clone());
            }
        }
    }

    /// How often sets were given up in the episodes that a model shares its targets with.
    pub(super) fn escalations_beside(&self, inventory: &Inventory, key: &ModelKey, rules: &Rules) -> u32 {
        let targets = variants_of(inventory, key, rules.unmatched).filter_map(|(_, entry)| entry.target());
        let models = targets.filter_map(|target| self.targets.get(target)?.model.as_ref());
        let episodes = models.filter_map(|model| self.episodes.get(model));
        episodes.map(|episode| episode.escalations).max().unwrap_or(0)
    }

    /// Targets whose pods are to be looked at: those that are starting (rule 11). They are put off to their next turn.
    pub fn pods_due(&mut self, now: Mono, rules: &Rules) -> Vec<TargetKey> {
        /// How often, or more often where `wake.unschedulableAfter` is shorter; in a burst less often, so that it stays at 20 lists a second.
        const EVERY: Duration = Duration::from_secs(10);
        const APART: Duration = Duration::from_millis(50);
        let starting = self
            .targets
            .values()
            .filter(|t| t.starting_since().is_some())
            .count();
        let every = EVERY
            .min(rules.unschedulable_after)
            .max(APART.saturating_mul(u32::try_from(starting).unwrap_or(u32::MAX)));
        let mut due = Vec::new();
        for (target, tracked) in &mut self.targets {
            let is_due = now >= tracked.pods.look && !tracked.pods.asked;
            if tracked.starting_since().is_some() && is_due {
                tracked.pods.look = now + every;
                tracked.pods.asked = true;
                due.push(target.clone());
            }
        }
        due
    }

    /// What the pods of a target say: since when and why one cannot be scheduled, or that none is held up.
    pub fn pods_seen(&mut self, target: &TargetKey, unschedulable: Option<(Wall, Box<str>)>, now: Now) {
        if let Some(tracked) = self.targets.get_mut(target) {
            tracked.pods_seen(unschedulable.map(|(since, why)| (now.mono_of(since), why)));
        }
    }

    /// Pods of a target could not be looked at. Where that is not permitted they are not looked at again before that wait
    /// is over, and the target's own conditions serve.
    pub fn pods_unseen(&mut self, target: &TargetKey, forbidden: Option<Duration>, now: Mono) {
        if let Some(tracked) = self.targets.get_mut(target) {
            // What they said before may be over: they count only without a break.
            tracked.pods.unschedulable = None;
            tracked.pods.asked = false;
            if let Some(wait) = forbidden {
                tracked.pods.look = now + wait;
                tracked.pods.unseen = true;
            }
        }
    }
}
