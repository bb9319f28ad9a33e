//! Which model is meant, and which are called nearly so.

use std::{collections::BTreeSet, sync::Arc};

use super::{End, Mark, Step, Story};
use crate::{
    check::{Facts, Report, Verdict, near, paste},
    core::{Entry, VariantKey},
};

/// At most so many of them are told.
const NEAREST: usize = 3;

/// A model with variants in one namespace.
pub(super) struct Found<'a> {
    pub namespace: Arc<str>,
    pub model: Arc<str>,
    /// By cost, the cheapest first.
    pub variants: Vec<(&'a VariantKey, &'a Entry)>,
}

/// The variants that a word on the command line means: those of a model or alias of that name, else those of the models
/// of the variants of that name.
pub fn variants_of(facts: &Facts, asked: &str, namespace: Option<&str>) -> BTreeSet<VariantKey> {
    let found = find(facts, asked, namespace);
    let names = found.iter().flat_map(|found| &found.variants);
    names.map(|(name, _)| (*name).clone()).collect()
}

pub(super) fn find<'a>(facts: &'a Facts, asked: &str, namespace: Option<&str>) -> Vec<Found<'a>> {
    let inventory = &facts.inventory;
    let here = |other: &str| namespace.is_none_or(|namespace| namespace == other);
    let mut wanted: BTreeSet<(Arc<str>, Arc<str>)> = inventory
        .variants_of_model(asked)
        .filter(|name| here(&name.name.namespace))
        .map(|name| (name.name.namespace.clone(), asked.into()))
        .collect();
    if wanted.is_empty() {
        let named = inventory.entries().filter(|(name, _)| {
            here(&name.name.namespace)
                && (*name.name.name == *asked || name.name.to_string() == asked || name.to_string() == asked)
        });
        wanted.extend(named.map(|(name, entry)| (name.name.namespace.clone(), entry.variant.model.clone())));
    }
    let found = wanted.into_iter().map(|(namespace, model)| {
        let names = inventory.variants_in(&model, &namespace);
        let mut variants: Vec<_> = names
            .filter_map(|name| Some((name, inventory.entry(name)?)))
            .collect();
        variants.sort_by(|(a, a_entry), (b, b_entry)| {
            let cost = |entry: &Entry| entry.variant.cost.value();
            cost(a_entry).total_cmp(&cost(b_entry)).then_with(|| a.cmp(b))
        });
        Found {
            namespace,
            model,
            variants,
        }
    });
    found.collect()
}

/// The story of a name that nothing has.
pub(super) fn unknown(report: &Report, verdict: &Verdict<'_>, asked: &str, namespace: Option<&str>) -> Story {
    let facts = verdict.facts();
    let names = near::models(facts, None);
    let alike = near::ranked(asked, names.keys().copied());
    let alike: Vec<_> = alike.into_iter().map(|name| (name, names[name])).collect();
    let told = alike.iter().take(NEAREST);
    let nearest: Vec<_> = told.map(|(name, key)| format!("{name} ({key})")).collect();
    let waiting = verdict.held().iter().filter(|held| {
        let here = namespace.is_none_or(|namespace| held.namespace.as_deref().is_none_or(|n| n == namespace));
        here && held.model.as_deref() == Some(asked)
    });
    let waiting: Vec<_> = waiting.collect();
    let problems = report.problems.iter().enumerate();
    let problems = problems.filter(|(_, problem)| problem.object == about(asked));
    let place = namespace.map(|namespace| format!(" in namespace {namespace}"));
    let why = format!(
        "no variant serves a model called {asked}{}",
        place.unwrap_or_default()
    );
    let mut evidence = vec![why.clone()];
    evidence.extend(waiting.iter().map(|held| {
        let pool = held.pool.as_deref().map(|pool| format!(" at pool {pool}"));
        let namespace = held
            .namespace
            .as_deref()
            .map(|namespace| format!(" in {namespace}"));
        format!(
            "{} requests wait for it{}{}: {}",
            held.waiting,
            pool.unwrap_or_default(),
            namespace.unwrap_or_default(),
            held.why
        )
    }));
    if !nearest.is_empty() {
        evidence.push(format!("there is {}", nearest.join(", ")));
    }
    Story {
        namespace: None,
        model: asked.to_owned(),
        steps: vec![Step {
            title: "a variant serves the model that a request names",
            mark: Mark::Broken,
            evidence,
            why: Some(why.clone()),
            problems: problems.map(|(index, _)| index).collect(),
        }],
        end: End::Never,
        sentence: format!("It cannot wake, because {why}."),
        mend: mend(facts, asked, alike.first().map(|(_, key)| *key)),
        nearest,
    }
}

/// The object of a problem with demand for a model that nothing serves.
pub fn about(model: &str) -> String {
    format!("model {model}")
}

/// How a variant comes to have this name: the one that is called nearly so.
fn mend(facts: &Facts, asked: &str, nearest: Option<&VariantKey>) -> Vec<String> {
    let words = "ask by a name that a variant has, or let a variant have this one: as its spec.modelID, or beside it as".to_owned();
    let command = nearest.and_then(|key| paste::alias(key, facts.inventory.entry(key)?, asked));
    let general = || "metadata: {annotations: {scale-from-zero/models: \"NAME,NAME\"}}".to_owned();
    vec![words, command.unwrap_or_else(general)]
}
