//! How many targets may be starting at once (rule 19).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Entry, Inventory, Memory, Now, Overdue, Rules, TargetKey};

/// How many more targets may begin to start (rule 19).
pub(super) struct Caps<'a> {
    starting: BTreeMap<Arc<str>, usize>,
    all: usize,
    rules: &'a Rules,
}

impl<'a> Caps<'a> {
    /// Counts what is starting, where that matters. What is overdue makes room: one that hangs for good must not keep all
    /// others from starting (rule 18).
    pub(super) fn new(
        inventory: &'a Inventory,
        memory: &'a Memory,
        now: Now,
        rules: &'a Rules,
        idle: bool,
    ) -> Self {
        let mut starting = BTreeMap::new();
        if !idle && (rules.max_starting.is_some() || rules.max_starting_per_namespace.is_some()) {
            let up = inventory.entries().filter(|(_, entry)| {
                let under_way = || memory.is_under_way(entry.target());
                let starts = entry.is_starting() && !hangs(entry, memory, now, rules);
                starts || (entry.is_inactive() && under_way())
            });
            let targets: BTreeSet<_> = up.filter_map(|(_, entry)| entry.target()).collect();
            for target in targets {
                *starting.entry(target.name.namespace.clone()).or_default() += 1;
            }
        }
        let all = starting.values().sum();
        Self { starting, all, rules }
    }

    /// Whether one more may start in this namespace; if so, it counts.
    pub(super) fn take(&mut self, target: &TargetKey) -> bool {
        if self.rules.max_starting.is_none() && self.rules.max_starting_per_namespace.is_none() {
            return true;
        }
        let here = self.starting.entry(target.name.namespace.clone()).or_default();
        let free = self.rules.max_starting.is_none_or(|max| self.all < max)
            && self
                .rules
                .max_starting_per_namespace
                .is_none_or(|max| *here < max);
        if free {
            *here += 1;
            self.all += 1;
        }
        free
    }
}

/// Whether what starts is overdue.
fn hangs(entry: &Entry, memory: &Memory, now: Now, rules: &Rules) -> bool {
    let tracked = entry.target().and_then(|target| memory.tracked(target));
    tracked.is_some_and(|t| t.passed_over.is_some() || Overdue::of(entry, t, now, rules).is_some())
}
