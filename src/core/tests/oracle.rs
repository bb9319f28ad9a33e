//! Rules 2, 3, 7, 8, 9 and 10 once more, slow and obvious: loops over plain lists, written from the
//! design's text.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::*;

/// A cluster and a configuration.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub scope: ScopeRules,
    pub variants: BTreeMap<ObjectName, Variant>,
    pub targets: Vec<(TargetKey, Target)>,
    pub pools: Vec<(PoolKey, Pool)>,
    pub namespaces: BTreeMap<String, Namespace>,
    pub select: Select,
    pub every_namespace: bool,
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

impl Cluster {
    /// The inventory of it, with everything put in one by one.
    pub fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::new(self.scope.clone());
        for (name, variant) in &self.variants {
            inventory.apply(Change::Variant(name.clone(), Some(variant.clone())));
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

    fn target(&self, variant: &Variant) -> Option<(&TargetKey, &Target)> {
        let TargetRef::Known(wanted) = &variant.target else {
            return None;
        };
        let (key, target) = self.targets.iter().find(|(key, _)| key == wanted)?;
        Some((key, target))
    }

    /// Names of the pools that select the variant's target: those excluded, or the others.
    pub fn pools_of(&self, name: &ObjectName, excluded: bool) -> BTreeSet<String> {
        let Some((_, target)) = self.target(&self.variants[name]) else {
            return BTreeSet::new();
        };
        let selecting: Vec<_> = self
            .pools
            .iter()
            .filter(|(key, pool)| {
                key.name.namespace == name.namespace
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
    pub fn out(&self, name: &ObjectName) -> BTreeSet<&'static str> {
        let variant = &self.variants[name];
        let target = self.target(variant).map(|(_, target)| target);
        let marks = self.namespaces.get(&*name.namespace).copied().unwrap_or_default();
        let mut out = BTreeSet::new();
        if !self.covers(&name.namespace) {
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
        let exactly_that = self.scope.namespaces == [name.namespace.to_string()];
        if marks.excluded_from_wva && !exactly_that {
            out.insert("out_of_scope_namespace_excluded_from_wva");
        }
        if variant.max_replicas == Some(0) {
            out.insert("out_of_scope_max_replicas");
        }
        if self.pools_of(name, false).is_empty() && !self.pools_of(name, true).is_empty() {
            out.insert("out_of_scope_pool_excluded");
        }
        out
    }

    fn replicas(&self, name: &ObjectName) -> Option<i64> {
        let (_, target) = self.target(&self.variants[name])?;
        Some(match target.observed {
            Observed::Zero(_) => 0,
            Observed::Scaled { replicas, .. } => replicas,
        })
    }

    /// Whether requests for a variant may wait at the row's pool.
    fn waits_at(&self, name: &ObjectName, pool: Option<&str>) -> bool {
        let mut all = self.pools_of(name, false);
        all.extend(self.pools_of(name, true));
        all.iter().any(|p| pool.is_none_or(|wanted| wanted == p))
    }

    fn serves(&self, name: &ObjectName, model: &str) -> bool {
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
                Err(reasons) if reasons.is_empty() => {}
                Err(reasons) => expected.blocked.push(reasons),
            }
        }
        for key in &expected.asked {
            expected.wakes.extend(self.chosen(key));
        }
        expected
    }

    /// What a row asks for; else the reasons that are right, none if it is served.
    fn asks(&self, row: &Row) -> Result<BTreeSet<ModelKey>, BTreeSet<&'static str>> {
        let pool = row.pool.as_deref();
        let here: Vec<&ObjectName> = self
            .variants
            .keys()
            .filter(|name| row.namespace.as_ref().is_none_or(|ns| **ns == *name.namespace))
            .collect();
        // The namespaces that it may be for, and the model that it names in each.
        let mut models: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in &here {
            if !self.waits_at(name, pool) {
                continue;
            }
            match row.model.as_deref() {
                Some(model) if self.serves(name, model) => {
                    models.entry(&name.namespace).or_default().insert(model);
                }
                Some(_) => {}
                None => {
                    let model = &self.variants[*name].model;
                    models.entry(&name.namespace).or_default().insert(model);
                }
            }
        }
        if row.namespace.is_none() && models.len() > 1 && !self.every_namespace {
            return Err(["ambiguous_namespace"].into());
        }
        let mut keys = BTreeSet::new();
        let mut reasons = BTreeSet::new();
        let mut served = false;
        for name in here {
            let model = match row.model.as_deref() {
                Some(model) => model,
                None => match models.get(&*name.namespace) {
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
            let asked = open.iter().filter(|p| pool.is_none_or(|wanted| wanted == *p));
            if !out.is_empty() {
                reasons.extend(out);
            } else if self.replicas(name).is_none() {
                reasons.insert("target");
            } else if asked.clone().next().is_some() {
                keys.extend(asked.map(|p| ModelKey {
                    namespace: name.namespace.clone(),
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
            return Err(BTreeSet::new());
        }
        if reasons.is_empty() {
            let all = self.variants.keys();
            let same = |name: &&ObjectName, model: &str| {
                let variant = &self.variants[*name];
                let folded = model.to_lowercase();
                variant.model.to_lowercase() == folded
                    || variant.aliases.iter().any(|alias| alias.to_lowercase() == folded)
            };
            reasons.insert(match row.model.as_deref() {
                None => "unnamed_demand",
                Some(model) if all.clone().any(|name| self.serves(name, model)) => "wrong_namespace",
                Some(model) if all.clone().any(|name| same(&name, model)) => "name_differs_by_case",
                Some("other") => "label_overflow",
                Some(_) => "no_variant",
            });
            // Of the right name elsewhere and nearly the right name here, the latter is nearer.
            if let Some(model) = row.model.as_deref()
                && all
                    .clone()
                    .any(|name| row.namespace.as_deref() == Some(&*name.namespace) && same(&name, model))
            {
                reasons = ["name_differs_by_case"].into();
            }
        }
        Err(reasons)
    }

    /// The targets that demand for a model wakes.
    fn chosen(&self, key: &ModelKey) -> Vec<TargetKey> {
        let all: Vec<&ObjectName> = self
            .variants
            .keys()
            .filter(|name| name.namespace == key.namespace && self.serves(name, &key.model))
            .filter(|name| self.pools_of(name, false).contains(&*key.pool))
            .collect();
        let inactive = all
            .iter()
            .filter(|name| self.out(name).is_empty() && self.replicas(name) == Some(0));
        let target = |name: &&&ObjectName| self.target(&self.variants[**name]).expect("a target").0.clone();
        let up = all.iter().any(|name| self.replicas(name).is_some_and(|n| n > 0));
        match self.select {
            Select::All => inactive.map(|name| target(&name)).collect(),
            Select::Cheapest if up => inactive
                .filter(|name| {
                    let status = &self.variants[**name].status;
                    let asks = status.desired.as_ref().is_some_and(|d| d.replicas >= 1);
                    let ours =
                        |c: &Condition| &*c.kind == "OptimizationReady" && &*c.reason == "ScaleFromZeroMode";
                    asks && !status.conditions.iter().any(ours)
                })
                .map(|name| target(&name))
                .collect(),
            Select::Cheapest => {
                let mut inactive: Vec<_> = inactive.collect();
                inactive.sort_by(|a, b| {
                    let cost = |name: &ObjectName| self.variants[name].cost.value();
                    let by_cost = cost(a).partial_cmp(&cost(b)).expect("costs are numbers");
                    by_cost.then_with(|| a.name.cmp(&b.name))
                });
                inactive.first().map(target).into_iter().collect()
            }
        }
    }
}
