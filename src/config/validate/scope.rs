//! `scope`: which variants are ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::{check, names};
use crate::config::{
    Environment, Scope, Source,
    error::Problems,
    key::{Key, quoted, shown},
    keys::{is_near, likeness, listed},
    raw,
    scalar::{Given, WordOrList},
    words::{AUTO, OWN},
};

/// Ends what is said of the pod's own namespace.
pub(super) const UNKNOWN_OWN: &str =
    "is not known here; set the environment variable POD_NAMESPACE, or write the namespace's name";

pub(super) fn section(raw: raw::Scope, env: &Environment, problems: &mut Problems) -> Scope {
    Scope {
        namespaces: namespaces(raw.namespaces.unwrap_or_default(), env, problems),
        controller_instance: check::text(
            "scope.controllerInstance",
            raw.controller_instance,
            &names::LABEL_VALUE,
            problems,
        ),
        sources: sources(raw.sources, problems),
    }
}

fn namespaces(given: Vec<Given<String>>, env: &Environment, problems: &mut Problems) -> Vec<String> {
    let key = Key::of("scope.namespaces");
    let given = check::list("scope.namespaces", given, None, problems);
    let mut namespaces = Vec::new();
    for (index, name) in given.into_iter().enumerate() {
        let name = match (&*name, &env.namespace) {
            (OWN, Some(own)) => own.clone(),
            (OWN, None) => {
                problems.add(
                    key.item(index),
                    format!("\"{OWN}\" is the pod's own namespace, which {UNKNOWN_OWN}"),
                );
                continue;
            }
            _ => name,
        };
        check::keeps(key.item(index), &name, &names::NAMESPACE, problems);
        namespaces.push(name);
    }
    // `own` may come out as one that stands beside it: the same file serves in several namespaces.
    let mut known = BTreeSet::new();
    namespaces.retain(|name| known.insert(name.clone()));
    namespaces
}

fn sources(given: Option<Given<WordOrList>>, problems: &mut Problems) -> BTreeSet<Source> {
    let key = Key::of("scope.sources");
    let all = BTreeSet::from(Source::ALL);
    let items = match given {
        None => return all,
        Some(Given(WordOrList::Word(word))) => {
            if word != AUTO {
                problems.add(key, no_word(&word));
            }
            return all;
        }
        Some(Given(WordOrList::List(items))) => items,
    };
    if items.is_empty() {
        problems.add(
            key.clone(),
            format!("is empty; at least one source is needed, or {AUTO} for all of them"),
        );
    }
    let mut first = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        match source(item) {
            Err(message) => problems.add(key.item(index), message),
            Ok(source) => {
                let first = *first.entry(source).or_insert(index);
                if first != index {
                    problems.add(key.item(index), format!("repeats item [{first}]; remove one"));
                }
            }
        }
    }
    first.into_keys().collect()
}

/// What to say of a word other than `auto` where a list could stand.
fn no_word(word: &str) -> String {
    let shown = quoted(word);
    // One item without its brackets, or several.
    let parts = word
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(nearest);
    if let Some(meant) = parts.collect::<Option<BTreeSet<Source>>>()
        && !meant.is_empty()
    {
        let meant: Vec<&str> = meant.into_iter().map(Source::as_str).collect();
        return format!("{shown} is not a list; did you mean [{}]?", meant.join(", "));
    }
    if is_near(word, AUTO) {
        return format!("{shown} is not known; did you mean {AUTO}?");
    }
    format!(
        "{shown} is not known; write {AUTO}, or a list of {}",
        known("and")
    )
}

/// The source that an item names, or what to say of it.
fn source(item: &Value) -> Result<Source, String> {
    let text = item.as_str().unwrap_or_default();
    if let Some(source) = Source::ALL.into_iter().find(|source| source.as_str() == text) {
        return Ok(source);
    }
    if text == AUTO {
        return Err(format!(
            "\"{AUTO}\" stands for all sources, so not in a list; write scope.sources: {AUTO}"
        ));
    }
    let mend = match nearest(text) {
        Some(near) => format!("did you mean {}?", near.as_str()),
        None => format!("write {}", known("or")),
    };
    Err(format!("{} is not a source; {mend}", shown(item)))
}

/// The source that `text` means, if it is near one or the short name that `kubectl` takes for it.
fn nearest(text: &str) -> Option<Source> {
    let short = match text.to_ascii_lowercase().as_str() {
        "va" => Some(Source::VariantAutoscaling),
        "so" => Some(Source::ScaledObject),
        "hpa" => Some(Source::HorizontalPodAutoscaler),
        _ => None,
    };
    short.or_else(|| {
        Source::ALL
            .into_iter()
            .filter(|source| is_near(text, source.as_str()))
            .max_by(|a, b| likeness(text, a.as_str()).total_cmp(&likeness(text, b.as_str())))
    })
}

/// Every source by name.
fn known(last: &str) -> String {
    listed(Source::ALL.into_iter().map(Source::as_str), last)
}
