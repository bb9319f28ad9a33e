//! What follows for a variant from the objects that it is joined with.

use std::sync::Arc;

use super::{
    super::{Kind, Role, TargetKey, TargetKind, VariantKey},
    Gone, Inventory, OutOfScope, Scope, Target, TargetRef,
    pools::Selecting,
};

impl Inventory {
    /// Whether objects of a kind cannot be read in a namespace.
    pub(super) fn is_unreadable(&self, kind: Kind, namespace: &Arc<str>) -> bool {
        // It is asked for every target of every tick, and nearly always there is nothing.
        if self.unreadable.is_empty() {
            return false;
        }
        let everywhere = (kind, None);
        if self.unreadable.contains(&everywhere) {
            return true;
        }
        self.unreadable.contains(&(everywhere.0, Some(namespace.clone())))
    }

    /// Why there is no target to look at.
    fn why_gone(&self, target: &TargetRef) -> Gone {
        let TargetRef::Known(key) = target else {
            return Gone::Unsupported;
        };
        if matches!(&key.kind, TargetKind::Other(kind) if self.unscalable.contains(kind)) {
            Gone::Unsupported
        } else if self.is_unreadable(Kind::Target(key.kind.clone()), &key.name.namespace) {
            Gone::Unreadable
        } else {
            Gone::Missing
        }
    }

    /// Why what else is on the target keeps a variant out: a pause, or a source that comes before.
    fn target_keeps_out(&self, name: &VariantKey, target: &TargetKey) -> Option<OutOfScope> {
        let mut beside = self.variants_of(target);
        let outranked = beside.any(|other| other.source < name.source);
        let mut scalers = self.scalers_of(target);
        outranked.then_some(OutOfScope::Outranked).or_else(|| {
            scalers
                .any(|(_, scaler)| scaler.paused.is_some())
                .then_some(OutOfScope::Paused)
        })
    }

    /// Recomputes what follows for one variant from the other objects.
    pub(super) fn rejoin(&mut self, name: &VariantKey) {
        let Some(entry) = self.variants.get(name) else {
            return;
        };
        let target = entry.target().and_then(|key| self.targets.get(key));
        let observed = match target {
            Some(target) if target.has_template => Ok(target.observed.clone()),
            Some(_) => Err(Gone::NoTemplate),
            None => Err(self.why_gone(&entry.variant.target)),
        };
        let role = target.map_or(Role::Unknown, Target::role);
        let namespace = &name.name.namespace;
        let Selecting {
            pools,
            excluded_pools,
        } = target.map_or_else(Selecting::default, |t| self.pools.selecting(namespace, &t.labels));
        let only_excluded = pools.is_empty() && !excluded_pools.is_empty();
        let marks = self.namespaces.get(namespace).copied().unwrap_or_default();
        let kept_out = self
            .rules
            .keeps_out(namespace, &entry.variant, target, marks)
            .or_else(|| self.target_keeps_out(name, entry.target()?));
        let scope = match kept_out.or(only_excluded.then_some(OutOfScope::PoolExcluded)) {
            Some(why) => Scope::Out(why),
            None => Scope::In,
        };

        let Some(entry) = self.variants.get_mut(name) else {
            return;
        };
        let was_inactive = entry.is_inactive();
        entry.scope = scope;
        entry.observed = observed;
        entry.role = role;
        match (was_inactive, entry.is_inactive()) {
            (false, true) => self.inactive += 1,
            (true, false) => self.inactive -= 1,
            _ => {}
        }
        if entry.pools != pools || entry.excluded_pools != excluded_pools {
            let before: Vec<_> = entry.all_pools().cloned().collect();
            entry.pools = pools;
            entry.excluded_pools = excluded_pools;
            self.indexes.move_pools(name, before.iter(), entry.all_pools());
        }
    }
}
