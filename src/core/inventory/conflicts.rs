//! Objects that contradict each other: what is to be told of them (rules 7 and 16).

use super::{
    super::{Few, TargetKey},
    Entry, Inventory, OutOfScope, Scope,
};

impl Inventory {
    /// What contradicts, in words, in order: two VariantAutoscalings on one target, and sources of one target that do
    /// not say the same of its model or cost.
    pub fn conflicts(&self) -> Vec<String> {
        let targets = self.indexes.targets.keys();
        let mut conflicts: Vec<_> = targets.flat_map(|target| self.conflicts_on(target)).collect();
        conflicts.sort();
        conflicts
    }

    /// Those of one target.
    pub fn conflicts_on(&self, target: &TargetKey) -> Vec<String> {
        let mut conflicts = Vec::new();
        let names = self.indexes.targets.get(target).filter(|names| names.len() > 1);
        let known = |name| Some((name, self.variants.get(name)?));
        let first = names.and_then(|names| names.iter().min_by_key(|name| name.source));
        let Some((first, counts)) = first.and_then(known) else {
            return conflicts;
        };
        for (name, entry) in names.into_iter().flat_map(Few::iter).filter_map(known) {
            if name == first {
                continue;
            }
            if name.source == first.source {
                conflicts.push(format!(
                    "{first} and {name} are both on {target}: they are woken as one"
                ));
            } else if let Some(what) = differs(counts, entry) {
                conflicts.push(format!(
                    "{first} and {name}, both on {target}, differ in {what}: {first} counts"
                ));
            }
        }
        conflicts.sort();
        conflicts
    }
}

/// In what a variant that is outranked says something else than the one that counts.
fn differs(counts: &Entry, other: &Entry) -> Option<&'static str> {
    if other.scope != Scope::Out(OutOfScope::Outranked) {
        return None;
    }
    let (counts, other) = (&counts.variant, &other.variant);
    match (counts.model != other.model, counts.cost != other.cost) {
        (true, true) => Some("model and cost"),
        (true, false) => Some("model"),
        (false, true) => Some("cost"),
        (false, false) => None,
    }
}
