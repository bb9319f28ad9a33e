//! Memory after a restart, or of the next leader: rebuilt from what the objects say (rule 15).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry, Episode, Inventory, Memory, ModelKey, Now, Observed, Overdue, Parts, Rules, Scope, TargetKey,
    Tracked, VariantKey, Wall, report::Reporting,
};

/// A variant that a wake was told of, and when.
type Told<'a> = (Wall, &'a VariantKey, &'a Entry);

impl Memory {
    /// Goes on with the episodes that another process has left: those of variants that a wake was told of, and those
    /// that a guard stands for, not longer ago than an episode lasts. To be called once the inventory is whole, before
    /// the first tick that decides. What is remembered already stays. Returns how many episodes there are more.
    pub fn restore(&mut self, inventory: &Inventory, now: Now, rules: &Rules) -> usize {
        let before = self.episodes.len();
        (self.followed, self.reported_on) = (None, None);
        let longest = Episode::longest(rules);
        let recent = |told: &Wall| now.mono.since(now.mono_of(*told)) < longest;
        let in_scope = inventory.entries().filter(|(_, entry)| entry.scope == Scope::In);
        let mut told: Vec<Told<'_>> = in_scope
            .filter_map(|(name, entry)| Some((entry.variant.told_at().filter(recent)?, name, entry)))
            .collect();
        // The earliest first, so that an episode begins with it, and every copy comes to the same.
        told.sort_by_key(|(at, name, _)| (*at, *name));
        let known: BTreeSet<_> = self.episodes.keys().cloned().collect();
        for one in &told {
            self.restore_episodes(one, now);
        }
        let mut by_model: BTreeMap<&str, Vec<&Told<'_>>> = BTreeMap::new();
        for one in &told {
            by_model.entry(&one.2.variant.model).or_default().push(one);
        }
        let mut given_up = Vec::new();
        for (key, episode) in self.episodes.iter_mut().filter(|(key, _)| !known.contains(key)) {
            let sets = sets_given_up(key, by_model.get(&*key.model).map_or(&[], Vec::as_slice));
            episode.escalations = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            given_up.extend(sets.into_iter().flatten());
        }
        // Of two variants on one target the last tells of the wake that it is up by.
        for one in told.iter().rev() {
            self.restore_target(one, now);
        }
        for target in given_up {
            let tracked = self.targets.get_mut(target);
            if let Some(tracked) = tracked.filter(|tracked| tracked.starting_since().is_some()) {
                tracked.passed_over = Some(Overdue::NotReady(rules.ready_timeout));
            }
        }
        for (_, scaler) in inventory.guarded() {
            let Some(guard) = &scaler.guard else { continue };
            let began = guard.until.checked_sub(longest).unwrap_or(now.wall);
            // Names that are too long for an annotation are left out of it: then it only ends at its time.
            let is_named = !guard.model.model.is_empty() || !guard.model.pool.is_empty();
            if is_named && now.wall < guard.until {
                let episode = || Episode::restored(now, began.min(now.wall));
                self.episodes.entry(guard.model.clone()).or_insert_with(episode);
            }
        }
        self.episodes.len() - before
    }

    fn restore_episodes(&mut self, (told, _, entry): &Told<'_>, now: Now) {
        let (Ok(_), Some(target)) = (&entry.observed, entry.target()) else {
            return;
        };
        for pool in &entry.pools {
            let key = ModelKey {
                namespace: target.name.namespace.clone(),
                pool: pool.clone(),
                model: entry.variant.model.clone(),
            };
            let last = now.mono_of(*told);
            self.episodes
                .entry(key)
                .and_modify(|episode| episode.last_present = episode.last_present.max(last))
                .or_insert_with(|| Episode::restored(now, *told));
        }
    }

    /// An annotation says nothing of what came after; a status that still tells of the wake does: nobody has decided
    /// otherwise since.
    fn restore_target(&mut self, (told, name, entry): &Told<'_>, now: Now) {
        let (Ok(observed), Some(target)) = (&entry.observed, entry.target()) else {
            return;
        };
        let is_scaled = matches!(observed, Observed::Scaled { .. });
        if is_scaled {
            // It has been told; from here on its mark is looked after.
            let reporting = self.reports.entry((*name).clone());
            reporting.or_insert(Reporting::Done(0));
        }
        if is_scaled || entry.variant.status.is_from_a_wake() {
            self.targets
                .entry(target.clone())
                .or_insert_with(|| Tracked::restored(observed, now.mono_of(*told), now));
        }
    }
}

/// The sets of a model beside which another was woken in its episode: each time, one was given up for it (rule 11), and
/// the next copy may not do so oftener than this one, nor wait for what was given up.
fn sets_given_up<'a>(key: &ModelKey, told: &[&Told<'a>]) -> Vec<Vec<&'a TargetKey>> {
    let up = told
        .iter()
        .filter(|(_, name, _)| name.name.namespace == key.namespace)
        .map(|(_, _, entry)| *entry)
        .filter(|entry| entry.is_scaled() && entry.role.parts().decode | entry.role.parts().prefill)
        .filter(|entry| entry.pools.contains(&key.pool));
    let apart = up.clone().any(|entry| !entry.role.parts().decode);
    let (mut seen, mut parts, mut set, mut sets) =
        (BTreeSet::new(), Parts::default(), Vec::new(), Vec::new());
    for entry in up.filter(|entry| seen.insert(entry.target())) {
        if parts.decode && (parts.prefill || !apart) {
            sets.push(std::mem::take(&mut set));
            parts = Parts::default();
        }
        parts = parts.and(entry.role.parts());
        set.extend(entry.target());
    }
    sets
}
