//! Rules 8 and 9 once more: what is woken for a model. Every choice of variants is tried.

use std::collections::BTreeSet;

use super::{Cluster, Expected};
use crate::core::*;

impl Cluster {
    /// What comes of demand for a model.
    pub(super) fn chosen(&self, key: &ModelKey) -> Expected {
        let behind = self.known().filter(|name| {
            name.name.namespace == key.namespace && self.pools_of(name, false).contains(&*key.pool)
        });
        let mut all: Vec<&VariantKey> = behind
            .clone()
            .filter(|name| self.serves(name, &key.model))
            .collect();
        if all.is_empty() && self.rules.unmatched == Unmatched::Pool {
            all = behind.collect();
        }
        let is_up = |name: &&VariantKey| self.replicas(name).is_some_and(|n| n > 0);
        let up: Vec<_> = all.iter().copied().filter(is_up).collect();
        let parked = |name: &&VariantKey| self.out(name).is_empty() && self.replicas(name) == Some(0);
        let parked: Vec<_> = all.iter().copied().filter(parked).collect();
        let candidates: Vec<_> = parked
            .iter()
            .copied()
            .filter(|name| self.does(name).is_some())
            .collect();
        let mut expected = Expected::default();
        let target = |name: &VariantKey| self.target(&self.variants[name]).expect("a target").0.clone();
        let unknown = (parked.len() > candidates.len()).then(|| BTreeSet::from(["unknown_role"]));
        if self.rules.select == Select::All {
            expected.wakes = candidates.iter().map(|name| target(name)).collect();
            expected.blocked.extend(unknown);
            return expected;
        }
        if let Some(set) = self.cheapest_set(&up, &candidates) {
            if set.is_empty() {
                expected.wakes = self
                    .beside_what_serves(&up, &candidates)
                    .iter()
                    .map(|n| target(n))
                    .collect();
            } else {
                expected.wakes = set.iter().map(|name| target(name)).collect();
            }
        } else {
            expected.blocked.extend(unknown);
            if up.len() + candidates.len() > 0 {
                expected.blocked.push(["incomplete_set"].into());
            }
        }
        expected
    }

    /// Rule 8: what the role of a variant's target does: decodes, prefills, encodes. `None` for a word that is no role.
    fn does(&self, name: &VariantKey) -> Option<&'static str> {
        let (_, target) = self.target(&self.variants[name])?;
        match target.labels.get("llm-d.ai/role") {
            None | Some("both" | "prefill-decode" | "encode-prefill-decode") => Some("dpe"),
            Some("decode") => Some("d"),
            Some("prefill") => Some("p"),
            Some("encode-prefill") => Some("pe"),
            Some("encode") => Some("e"),
            Some(_) => None,
        }
    }

    /// What a word that is no role does is not known: anything, so that nothing is woken beside it.
    fn may_do(&self, name: &VariantKey, part: char) -> bool {
        self.does(name).is_none_or(|does| does.contains(part))
    }

    fn decodes(&self, name: &VariantKey) -> bool {
        self.may_do(name, 'd')
    }

    /// Whether there is one that prefills and no more, up or to be woken.
    fn prefill_exists(&self, up: &[&VariantKey], candidates: &[&VariantKey]) -> bool {
        let mut all = up.iter().chain(candidates);
        all.any(|name| self.may_do(name, 'p') && !self.decodes(name))
    }

    /// Rule 8: one that does both, or a decode with a prefill; decode alone where no prefill exists.
    fn is_a_set(&self, of: &[&VariantKey], prefill_exists: bool) -> bool {
        let prefills = of.iter().any(|name| self.may_do(name, 'p'));
        of.iter().any(|name| self.decodes(name)) && (prefills || !prefill_exists)
    }

    /// Rule 8: the cheapest of the candidates that make a set with what is up; nothing, if that is one.
    fn cheapest_set<'a>(
        &self,
        up: &[&VariantKey],
        candidates: &[&'a VariantKey],
    ) -> Option<Vec<&'a VariantKey>> {
        let prefill_exists = self.prefill_exists(up, candidates);
        // Every choice of none, one or two of them, each once.
        let mut choices = vec![vec![]];
        for (at, first) in candidates.iter().enumerate() {
            choices.push(vec![*first]);
            for second in &candidates[at + 1..] {
                choices.push(vec![*first, *second]);
            }
        }
        let with_up = |choice: &Vec<&'a VariantKey>| {
            let all: Vec<&VariantKey> = up.iter().copied().chain(choice.iter().copied()).collect();
            self.is_a_set(&all, prefill_exists)
        };
        let sets = choices.iter().filter(|choice| with_up(choice)).cloned();
        // Without one that adds nothing.
        let sets = sets.filter(|set| {
            set.iter().all(|left_out| {
                let rest = set.iter().copied().filter(|name| name != left_out).collect();
                !with_up(&rest)
            })
        });
        let cost = |set: &Vec<&VariantKey>| set.iter().map(|n| self.variants[*n].cost.value()).sum::<f64>();
        sets.map(|mut set| {
            // The decode gives a set its name.
            set.sort_by_key(|name| (!self.decodes(name), *name));
            set
        })
        .min_by(|a, b| cost(a).total_cmp(&cost(b)).then_with(|| a.cmp(b)))
    }

    /// Rule 9: what is woken beside a set that is up. What encodes for it, once it serves, if nothing does; else whose
    /// VA asks by itself.
    fn beside_what_serves<'a>(
        &self,
        up: &[&VariantKey],
        candidates: &[&'a VariantKey],
    ) -> Vec<&'a VariantKey> {
        let ready = |name: &VariantKey| {
            let (_, target) = self.target(&self.variants[name]).expect("a target");
            matches!(target.observed, Observed::Scaled { ready, .. } if ready > 0)
        };
        let serving: Vec<_> = up.iter().copied().filter(|name| ready(name)).collect();
        let serves = self.is_a_set(&serving, self.prefill_exists(up, candidates));
        let encodes = |name: &VariantKey| self.may_do(name, 'e');
        let only_encodes = candidates
            .iter()
            .copied()
            .filter(|name| self.does(name) == Some("e"));
        let encode = only_encodes.min_by(|a, b| {
            let cost = |name: &VariantKey| self.variants[name].cost.value();
            cost(a).total_cmp(&cost(b)).then_with(|| a.cmp(b))
        });
        if let Some(encode) = encode.filter(|_| serves && !up.iter().any(|name| encodes(name))) {
            return vec![encode];
        }
        let asks = |name: &&VariantKey| {
            let status = &self.variants[*name].status;
            let asks = status.desired.as_ref().is_some_and(|d| d.replicas >= 1);
            let ours = |c: &Condition| &*c.kind == "OptimizationReady" && &*c.reason == "ScaleFromZeroMode";
            asks && !status.conditions.iter().any(ours)
        };
        candidates.iter().copied().filter(asks).collect()
    }
}
