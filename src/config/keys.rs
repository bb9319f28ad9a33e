//! Which keys there are, and what to say about one that there is not.

use std::fmt::Write as _;

use serde_yaml::{Mapping, Value};

use super::{
    error::Problems,
    key::{Key, kind},
    raw::Raw,
};

/// Likeness of two names, 0 to 1, from which on one is offered for the other. `concurency` and `cert` are offered
/// `concurrency` and `certFile`; `token` is not offered `timeout`.
const NEAR: f64 = 0.85;

/// The full path of every key of the file that takes a value, e.g. `wake.backoff.max`, in the order of the design.
pub fn keys() -> Vec<String> {
    let mut all = Vec::new();
    collect(&schema(), &Key::default(), &mut all);
    all.into_iter()
        .filter(|(_, section)| !section)
        .map(|(key, _)| key.to_string())
        .collect()
}

/// Takes out of `file` what cannot be there (unknown keys, values where a group of keys belongs) and notes each as a
/// problem. What stays is read as [`Raw`].
pub(super) fn check(file: &mut Mapping, problems: &mut Problems) {
    let schema = schema();
    let mut all = Vec::new();
    collect(&schema, &Key::default(), &mut all);
    check_section(file, &schema, &Key::default(), &all, problems);
}

/// Every key of [`Raw`], as a mapping of mappings. It is what serde itself goes by, so it cannot go stale.
fn schema() -> Mapping {
    match serde_yaml::to_value(Raw::default()) {
        Ok(Value::Mapping(schema)) => schema,
        // A struct of structs and options becomes a mapping, and nothing on the way can fail.
        _ => unreachable!("Raw is a struct"),
    }
}

/// Every key below `at` and whether it is a section.
fn collect(schema: &Mapping, at: &Key, all: &mut Vec<(Key, bool)>) {
    for (name, below) in schema {
        let key = at.name(name.as_str().unwrap_or_default());
        all.push((key.clone(), below.is_mapping()));
        if let Value::Mapping(below) = below {
            collect(below, &key, all);
        }
    }
}

fn check_section(
    section: &mut Mapping,
    schema: &Mapping,
    at: &Key,
    all: &[(Key, bool)],
    problems: &mut Problems,
) {
    section.retain(|name, value| {
        if problems.is_full() {
            return false;
        }
        let name = name.as_str().unwrap_or_default();
        let key = at.name(name);
        match (schema.get(name), value) {
            (None, _) => {
                problems.add(key, unknown(name, at, all));
                false
            }
            (Some(Value::Mapping(inner)), Value::Mapping(below)) => {
                check_section(below, inner, &key, all, problems);
                true
            }
            // A section whose keys are all commented out.
            (Some(Value::Mapping(_)), Value::Null) => false,
            (Some(Value::Mapping(inner)), other) => {
                let names = listed(inner.keys().filter_map(Value::as_str), "and");
                let kind = kind(other);
                problems.add(
                    key,
                    format!("is {kind}, but holds keys of its own: write {names} below it"),
                );
                false
            }
            (Some(_), _) => true,
        }
    });
}

/// What to say of a `name` that is no key of the section `at`.
fn unknown(name: &str, at: &Key, all: &[(Key, bool)]) -> String {
    let likeness = |key: &Key| likeness(name, key.last());
    let (siblings, others): (Vec<&Key>, Vec<&Key>) = all
        .iter()
        .map(|(key, _)| key)
        .partition(|key| key.parent().as_ref() == Some(at));
    let near = nearest(&siblings, likeness).or_else(|| nearest(&others, likeness));
    let mut text = "unknown key".to_owned();
    // Writing to a String cannot fail.
    let _ = match near {
        Some(near) => write!(
            text,
            "; did you mean {}?",
            listed(near.iter().map(ToString::to_string), "or")
        ),
        None => write!(
            text,
            "; known here: {}",
            listed(siblings.iter().map(|key| key.last()), "and")
        ),
    };
    text
}

/// The keys most like, if they are near; several where they are equally so.
fn nearest<'a>(among: &[&'a Key], likeness: impl Fn(&Key) -> f64) -> Option<Vec<&'a Key>> {
    let best = among
        .iter()
        .map(|key| likeness(key))
        .filter(|&l| l >= NEAR)
        .max_by(f64::total_cmp)?;
    Some(
        among
            .iter()
            .copied()
            .filter(|key| likeness(key) >= best)
            .collect(),
    )
}

/// Whether `name` is near enough to `known` to be offered it.
pub(super) fn is_near(name: &str, known: &str) -> bool {
    likeness(name, known) >= NEAR
}

/// How alike two names are, 0 to 1.
pub(super) fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(&plain(a), &plain(b))
}

/// Spelling that tells no two keys apart: `max_sample_age`, `max-sample-age` and `maxSampleAge` are the same.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// `a, b and c`.
pub(super) fn listed<S: AsRef<str>>(names: impl Iterator<Item = S>, last: &str) -> String {
    let names: Vec<S> = names.collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}
