//! Which model is meant, and which are called nearly so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{End, Mark, Step, Story};
use crate::{
    check::{Facts, Report, Verdict},
    core::{Entry, VariantKey},
};

/// Names at least so alike (Jaro-Winkler, 0 to 1) are told.
const ALIKE: f64 = 0.85;
/// At most so many of them.
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
        .variants_by_namespace(asked)
        .filter(|(namespace, _)| here(namespace))
        .map(|(namespace, _)| (namespace.clone(), asked.into()))
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
pub(super) fn unknown(
    facts: &Facts,
    report: &Report,
    verdict: &Verdict<'_>,
    asked: &str,
    namespace: Option<&str>,
) -> Story {
    let nearest = nearest(facts, asked);
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
        mend: mend(facts, asked),
        nearest,
    }
}

/// The object of a problem with demand for a model that nothing serves.
pub fn about(model: &str) -> String {
    format!("model {model}")
}

/// How a variant comes to have this name: the one that is called nearly so.
fn mend(facts: &Facts, asked: &str) -> Vec<String> {
    let words = "ask by a name that a variant has, or let a variant have this one: as its spec.modelID, or beside it as".to_owned();
    let Some(key) = nearest_variant(facts, asked) else {
        return vec![
            words,
            "metadata: {annotations: {scale-from-zero/models: \"NAME,NAME\"}}".to_owned(),
        ];
    };
    let entry = facts.inventory.entry(key);
    let aliases = entry.into_iter().flat_map(|entry| &entry.variant.aliases);
    let names: Vec<_> = aliases.map(|alias| &**alias).chain([asked]).collect();
    let quoted = format!("scale-from-zero/models={}", names.join(",")).replace('\'', "'\\''");
    let command = format!(
        "kubectl -n {} annotate {} {} --overwrite '{quoted}'",
        key.name.namespace,
        key.source.as_str().to_lowercase(),
        key.name.name
    );
    vec![words, command]
}

/// How alike two names are, however they are written: in capitals, with the organisation before a slash or without.
fn likeness(a: &str, b: &str) -> f64 {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let last = |name: &str| plain(name.rsplit('/').next().unwrap_or(name));
    let (a_last, b_last) = (last(a), last(b));
    if !a_last.is_empty() && a_last == b_last {
        return 1.0;
    }
    strsim::jaro_winkler(&plain(a), &plain(b)).max(strsim::jaro_winkler(&a_last, &b_last))
}

/// Every name that one could have meant, with what has it.
fn names(facts: &Facts) -> BTreeMap<&str, &VariantKey> {
    let mut names = BTreeMap::new();
    let mut entries: Vec<_> = facts.inventory.entries().collect();
    entries.sort_by_key(|(name, _)| *name);
    for (key, entry) in entries {
        let variant = &entry.variant;
        for model in std::iter::once(&variant.model).chain(&variant.aliases) {
            names.entry(&**model).or_insert(key);
        }
    }
    names
}

fn nearest(facts: &Facts, asked: &str) -> Vec<String> {
    let mut alike: Vec<_> = names(facts)
        .into_iter()
        .map(|(name, key)| (likeness(name, asked), name, key))
        .filter(|(likeness, ..)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|(a, a_name, _), (b, b_name, _)| b.total_cmp(a).then_with(|| a_name.cmp(b_name)));
    let told = alike.into_iter().take(NEAREST);
    told.map(|(_, name, key)| format!("{name} ({key})")).collect()
}

/// The variant whose name is nearest, for a command that can be copied.
fn nearest_variant<'a>(facts: &'a Facts, asked: &str) -> Option<&'a VariantKey> {
    let names = names(facts).into_iter();
    let (likeness, key) = names
        .map(|(name, key)| (likeness(name, asked), key))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (likeness >= ALIKE).then_some(key)
}
