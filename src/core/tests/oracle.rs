//! Rules 2, 3, 7 to 10, 16 and 19 once more, slow and obvious: loops over plain lists, written from the
//! design's text.

mod sets;

use std::collections::{BTreeMap, BTreeSet};

use crate::core::*;

/// A cluster and a configuration.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub scope: ScopeRules,
    /// Whatever describes a variant, of every source.
    pub variants: BTreeMap<VariantKey, Variant>,
    /// What scales. Those among the variants that do say there what they describe.
    pub scalers: BTreeMap<ScalerKey, Scaler>,
    pub targets: Vec<(TargetKey, Target)>,
    pub pools: Vec<(PoolKey, Pool)>,
    pub namespaces: BTreeMap<String, Namespace>,
    pub rules: Rules,
}

/// What is to come of some rows.
#[derive(Debug, Default, PartialEq)]
pub struct Expected {
    /// Targets woken.
    pub wakes: BTreeSet<TargetKey>,
    /// Demand that a variant in scope answers.
    pub asked: BTreeSet<ModelKey>,
    /// For each row that wakes nothing since none in scope answers: the reasons that are right.
    pub blocked: Vec<BTreeSet<&'static str>>,
}

/// Why a row asks for nothing.
#[derive(Debug, Default)]
struct Nothing {
    /// The reasons that are right; none, if it is served.
    reasons: BTreeSet<&'static str>,
    /// Whether no variant asks for it.
    unmatched: bool,
}

impl Cluster {
    /// The inventory of it, with everything put in one by one.
    pub fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::new(self.scope.clone());
        for (key, variant) in &self.variants {
            if key.source == Source::VariantAutoscaling {
                inventory.apply(Change::Variant(key.name.clone(), Some(variant.clone())));
            }
        }
        for (key, scaler) in &self.scalers {
            let (name, source) = (key.name.clone(), key.kind.source());
            let variant = self.variants.get(&VariantKey { name, source }).cloned();
            let scaler = scaler.clone();
            inventory.apply(Change::Scaler(key.clone(), Some(Scaler { variant, ..scaler })));
        }
        for (name, marks) in &self.namespaces {
            inventory.apply(Change::Namespace(name.as_str().into(), Some(*marks)));
        }
        for (key, pool) in &self.pools {
            inventory.apply(Change::Pool(key.clone(), Some(pool.clone())));
        }
        for (key, target) in &self.targets {
            inventory.apply(Change::Target(key.clone(), Some(target.clone())));
        }
        inventory
    }

    /// The variants of the sources that count (rule 16).
    fn known(&self) -> impl Iterator<Item = &VariantKey> + Clone {
        self.variants
            .keys()
            .filter(|key| self.scope.sources.contains(&key.source))
    }

    fn target(&self, variant: &Variant) -> Option<(&TargetKey, &Target)> {
        let TargetRef::Known(wanted) = &variant.target else {
            return None;
        };
        let (key, target) = self.targets.iter().find(|(key, _)| key == wanted)?;
        Some((key, target))
    }

    /// Names of the pools that select the variant's target: those excluded, or the others.
    pub fn pools_of(&self, name: &VariantKey, excluded: bool) -> BTreeSet<String> {
        let Some((_, target)) = self.target(&self.variants[name]) else {
            return BTreeSet::new();
        };
        let selecting: Vec<_> = self
            .pools
            .iter()
            .filter(|(key, pool)| {
                key.name.namespace == name.name.namespace
                    && pool.selector.iter().count() > 0
                    && pool.selector.iter().all(|(n, v)| target.labels.get(n) == Some(v))
            })
            .collect();
        let names = selecting.iter().map(|(key, _)| key.name.name.to_string());
        let is_excluded = |name: &String| {
            selecting
                .iter()
                .any(|(key, pool)| *key.name.name == **name && pool.excluded)
        };
        names.filter(|name| is_excluded(name) == excluded).collect()
    }

    fn covers(&self, namespace: &str) -> bool {
        self.scope.namespaces.is_empty() || self.scope.namespaces.contains(&namespace.to_string())
    }

    /// Every reason that keeps a variant out of scope.
    pub fn out(&self, name: &VariantKey) -> BTreeSet<&'static str> {
        let variant = &self.variants[name];
        let target = self.target(variant).map(|(_, target)| target);
        let marks = self
            .namespaces
            .get(&*name.name.namespace)
            .copied()
            .unwrap_or_default();
        let mut out = BTreeSet::new();
        if !self.covers(&name.name.namespace) {
            out.insert("out_of_scope_namespace");
        }
        if let Some(instance) = &self.scope.controller_instance
            && variant.controller_instance.as_deref() != Some(instance)
        {
            out.insert("out_of_scope_instance");
        }
        if variant.deleting || target.is_some_and(|t| t.deleting) {
            out.insert("out_of_scope_deleting");
        }
        if variant.excluded {
            out.insert("out_of_scope_variant_excluded");
        }
        if target.is_some_and(|t| t.excluded) {
            out.insert("out_of_scope_target_excluded");
        }
        if marks.excluded {
            out.insert("out_of_scope_namespace_excluded");
        }
        let exactly_that = self.scope.namespaces == [name.name.namespace.to_string()];
        if marks.excluded_from_wva && !exactly_that {
            out.insert("out_of_scope_namespace_excluded_from_wva");
        }
        if variant.max_replicas == Some(0) {
            out.insert("out_of_scope_max_replicas");
        }
        // Rule 7: a ScaledObject on the target that is paused.
        let mut on_it = self
            .scalers
            .values()
            .filter(|scaler| scaler.target == variant.target);
        if target_is_known(variant) && on_it.any(|scaler| scaler.paused.is_some()) {
            out.insert("out_of_scope_paused");
        }
        // Rule 16: one variant per target, in order of precedence.
        let mut beside = self
            .known()
            .filter(|other| self.variants[*other].target == variant.target);
        if target_is_known(variant) && beside.any(|other| other.source < name.source) {
            out.insert("out_of_scope_outranked");
        }
        if self.pools_of(name, false).is_empty() && !self.pools_of(name, true).is_empty() {
            out.insert("out_of_scope_pool_excluded");
        }
        out
    }

    fn replicas(&self, name: &VariantKey) -> Option<i64> {
        let (_, target) = self.target(&self.variants[name])?;
        if !target.has_template {
            return None;
        }
        Some(match target.observed {
            Observed::Zero(_) => 0,
            Observed::Scaled { replicas, .. } => replicas,
        })
    }

    /// Whether requests for a variant may wait at the row's pool.
    fn waits_at(&self, name: &VariantKey, pool: Option<&str>) -> bool {
        let mut all = self.pools_of(name, false);
        all.extend(self.pools_of(name, true));
        all.iter().any(|p| pool.is_none_or(|wanted| wanted == p))
    }

    fn serves(&self, name: &VariantKey, model: &str) -> bool {
        let variant = &self.variants[name];
        *variant.model == *model || variant.aliases.iter().any(|alias| **alias == *model)
    }

    pub fn expect(&self, rows: &[Row]) -> Expected {
        let mut expected = Expected::default();
        for row in rows {
            if row.namespace.as_ref().is_some_and(|ns| !self.covers(ns)) {
                continue;
            }
            match self.asks(row) {
                Ok(keys) => expected.asked.extend(keys),
                Err(nothing) if nothing.reasons.is_empty() => {}
                Err(nothing) if nothing.unmatched => match self.of_its_pool(row) {
                    Ok(keys) if keys.is_empty() => expected.blocked.push(nothing.reasons),
                    Ok(keys) => expected.asked.extend(keys),
                    Err(why) => expected.blocked.push([why].into()),
                },
                Err(nothing) => expected.blocked.push(nothing.reasons),
            }
        }
        for key in &expected.asked {
            let chosen = self.chosen(key);
            expected.wakes.extend(chosen.wakes);
            expected.blocked.extend(chosen.blocked);
        }
        expected
    }

    /// What a row asks for; else the reasons that are right, none if it is served.
    fn asks(&self, row: &Row) -> Result<BTreeSet<ModelKey>, Nothing> {
        let pool = row.pool.as_deref();
        let here: Vec<&VariantKey> = self
            .known()
            .filter(|name| {
                row.namespace
                    .as_ref()
                    .is_none_or(|ns| **ns == *name.name.namespace)
            })
            .collect();
        // The namespaces that it may be for, and the model that it names in each.
        let mut models: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in &here {
            if !self.waits_at(name, pool) {
                continue;
            }
            match row.model.as_deref() {
                Some(model) if self.serves(name, model) => {
                    models.entry(&name.name.namespace).or_default().insert(model);
                }
                Some(_) => {}
                None => {
                    let model = &self.variants[*name].model;
                    models.entry(&name.name.namespace).or_default().insert(model);
                }
            }
        }
        if row.namespace.is_none() && models.len() > 1 && !self.rules.every_namespace {
            return Err(Nothing {
                reasons: ["ambiguous_namespace"].into(),
                unmatched: true,
            });
        }
        let mut keys = BTreeSet::new();
        let mut reasons = BTreeSet::new();
        let mut served = false;
        // The row's very pool is excluded, which is nearer than any other reason.
        let mut excluded = false;
        for name in here {
            let model = match row.model.as_deref() {
                Some(model) => model,
                None => match models.get(&*name.name.namespace) {
                    Some(only) if only.len() == 1 => only.first().expect("one"),
                    _ => continue,
                },
            };
            if !self.serves(name, model) {
                continue;
            }
            served |= self.waits_at(name, pool) && self.replicas(name).is_some_and(|n| n > 0);
            let out = self.out(name);
            let open = self.pools_of(name, false);
            let only_its_pool = out.iter().all(|why| *why == "out_of_scope_pool_excluded");
            let can_be_seen = !out.is_empty() || self.replicas(name).is_some();
            excluded |=
                only_its_pool && can_be_seen && self.pools_of(name, true).iter().any(|p| pool == Some(p));
            let asked = open.iter().filter(|p| pool.is_none_or(|wanted| wanted == *p));
            if !out.is_empty() {
                reasons.extend(out);
            } else if self.replicas(name).is_none() {
                reasons.insert("target");
            } else if asked.clone().next().is_some() {
                keys.extend(asked.map(|p| ModelKey {
                    namespace: name.name.namespace.clone(),
                    pool: p.as_str().into(),
                    model: model.into(),
                }));
            } else if self.pools_of(name, true).iter().any(|p| pool == Some(p)) {
                reasons.insert("out_of_scope_pool_excluded");
            } else if open.is_empty() {
                reasons.insert("no_pool");
            } else {
                reasons.insert("other_pool");
            }
        }
        if !keys.is_empty() {
            return Ok(keys);
        }
        if served {
            return Err(Nothing::default());
        }
        if reasons.is_empty() {
            reasons.insert(self.why_none(row));
        }
        // Rule 10: no variant asks for it, as against one that may not or cannot be woken.
        let no_variant_asks = [
            "no_variant",
            "wrong_namespace",
            "name_differs_by_case",
            "label_overflow",
            "other_pool",
            "no_pool",
            "unnamed_demand",
        ];
        let unmatched = !excluded && reasons.iter().any(|why| no_variant_asks.contains(why));
        Err(Nothing { reasons, unmatched })
    }

    /// Rule 10: the nearest reason where no variant of the model stands in the namespace.
    fn why_none(&self, row: &Row) -> &'static str {
        let Some(model) = row.model.as_deref() else {
            return "unnamed_demand";
        };
        let same = |name: &&VariantKey| {
            let variant = &self.variants[*name];
            let folded = model.to_lowercase();
            variant.model.to_lowercase() == folded
                || variant.aliases.iter().any(|alias| alias.to_lowercase() == folded)
        };
        let here = |name: &&VariantKey| row.namespace.as_deref() == Some(&*name.name.namespace);
        // Of the right name elsewhere and nearly the right name here, the latter is nearer.
        if self.known().any(|name| here(&name) && same(&name)) {
            "name_differs_by_case"
        } else if self.known().any(|name| self.serves(name, model)) {
            "wrong_namespace"
        } else if self.known().any(|name| same(&name)) {
            "name_differs_by_case"
        } else if model == "other" {
            "label_overflow"
        } else {
            "no_variant"
        }
    }

    /// Rule 10, `unmatched: pool`: what a row that no variant asks for asks of its pool. Of several pools of its name
    /// in several namespaces it is not known which is meant (rule 3).
    fn of_its_pool(&self, row: &Row) -> Result<BTreeSet<ModelKey>, &'static str> {
        let Some(pool) = row
            .pool
            .as_deref()
            .filter(|_| self.rules.unmatched == Unmatched::Pool)
        else {
            return Ok(BTreeSet::new());
        };
        let behind = self.known().filter(|name| {
            row.namespace
                .as_ref()
                .is_none_or(|ns| **ns == *name.name.namespace)
                && self.waits_at(name, Some(pool))
        });
        let namespaces: BTreeSet<_> = behind.clone().map(|name| &name.name.namespace).collect();
        if namespaces.len() > 1 && !self.rules.every_namespace {
            return Err("ambiguous_namespace");
        }
        let can_serve = |name: &&VariantKey| {
            self.out(name).is_empty()
                && self.replicas(name).is_some()
                && self.pools_of(name, false).contains(pool)
        };
        let keys = behind.filter(can_serve).map(|name| ModelKey {
            namespace: name.name.namespace.clone(),
            pool: pool.into(),
            model: row.model.as_deref().unwrap_or_default().into(),
        });
        Ok(keys.collect())
    }

    /// Rule 19: how many targets of a namespace, or of all, are starting.
    pub fn starting(&self, namespace: Option<&str>) -> usize {
        let names = self
            .known()
            .filter(|name| namespace.is_none_or(|ns| ns == &*name.name.namespace));
        let starting = names.filter(|name| self.out(name).is_empty()).filter_map(|name| {
            let (key, target) = self.target(&self.variants[name])?;
            let starts = matches!(target.observed, Observed::Scaled { ready: 0, .. });
            (starts && target.has_template).then_some(key)
        });
        starting.collect::<BTreeSet<_>>().len()
    }
}

fn target_is_known(variant: &Variant) -> bool {
    matches!(variant.target, TargetRef::Known(_))
}
