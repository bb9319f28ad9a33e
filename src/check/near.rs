//! The nearest of the names that exist, for one that does not.
//!
//! Names come from whoever sends a request or may create an object, and to compare two takes as many steps as the product
//! of their lengths. So what is long is not compared, and neither is more than can be in a moment: a hint is not worth more.

use std::collections::BTreeMap;

use super::Facts;
use crate::core::VariantKey;

/// Of so many problems of one code the nearest name is looked for; few of them are told in full.
pub(super) const HINTS: usize = 5;

/// The longest name that another is looked for, in characters.
const LONGEST: usize = 200;
/// Most steps that are taken, of some nanoseconds each.
const MOST_STEPS: usize = 20_000_000;

/// The nearest name; `None` where more than every third character would have to change. Capitals do not count, nor what
/// stands before a slash in one of the two.
pub(super) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    ranked(wanted, names).into_iter().next()
}

/// All that are near, the nearest first.
pub(super) fn ranked<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let Some(wanted) = Name::of(wanted) else {
        return Vec::new();
    };
    let mut left = MOST_STEPS;
    let mut near = Vec::new();
    for name in names {
        let Some(other) = Name::of(name) else { continue };
        if left == 0 {
            break;
        }
        if let Some(steps) = wanted.steps(&other, &mut left) {
            near.push((steps, name));
        }
    }
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).collect()
}

/// The names that a request may use, of the variants in one namespace or all, each with the first variant that has it.
pub(super) fn models<'a>(facts: &'a Facts, namespace: Option<&str>) -> BTreeMap<&'a str, &'a VariantKey> {
    let mut names: BTreeMap<&str, &VariantKey> = BTreeMap::new();
    for (key, entry) in facts.inventory.entries() {
        if namespace.is_some_and(|namespace| *key.name.namespace != *namespace) {
            continue;
        }
        let variant = &entry.variant;
        for model in std::iter::once(&variant.model).chain(&variant.aliases) {
            let first = names.entry(model).or_insert(key);
            *first = (*first).min(key);
        }
    }
    names
}

/// A name without its capitals.
struct Name {
    whole: String,
    /// Where what follows the last slash begins, where there is one.
    last: Option<usize>,
}

impl Name {
    fn of(name: &str) -> Option<Self> {
        if name.is_empty() || name.chars().nth(LONGEST).is_some() {
            return None;
        }
        let whole = name.to_lowercase();
        let last = whole.rfind('/').map(|slash| slash + 1);
        let last = last.filter(|last| *last < whole.len());
        Some(Self { whole, last })
    }

    fn last(&self) -> &str {
        &self.whole[self.last.unwrap_or_default()..]
    }

    /// The characters that have to change, where they are few.
    fn steps(&self, other: &Self, left: &mut usize) -> Option<usize> {
        // Where both name an organisation it counts.
        let pairs = if self.last.is_some() == other.last.is_some() {
            (self.whole.as_str(), other.whole.as_str())
        } else {
            (self.last(), other.last())
        };
        few(pairs.0, pairs.1, left)
    }
}

fn few(wanted: &str, name: &str, left: &mut usize) -> Option<usize> {
    let (long, other) = (wanted.chars().count(), name.chars().count());
    let most = long.div_ceil(3);
    if long.abs_diff(other) > most {
        return None;
    }
    *left = left.saturating_sub(long * other);
    // Two characters that changed places are one step.
    let steps = strsim::osa_distance(wanted, name);
    (steps <= most).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::{nearest, ranked};

    #[test]
    fn near_is_what_a_slip_of_the_finger_makes() {
        let names = ["meta/llama-8b", "qwen/qwen-32b", "llm"];
        for (wanted, near) in [
            ("meta/lama-8b", Some("meta/llama-8b")),
            ("llama-8b", Some("meta/llama-8b")),
            ("Meta/Llama-8B", Some("meta/llama-8b")),
            ("lml", Some("llm")),
            ("gpt", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names), near, "{wanted:?}");
        }
        assert_eq!(
            ranked("llama-8b", ["llama-9c", "x/llama-8b", "y"]),
            ["x/llama-8b", "llama-9c"]
        );
    }

    #[test]
    fn what_is_long_or_much_is_not_compared() {
        let long = "a".repeat(201);
        assert_eq!(nearest(&long, [&*long]), None);
        assert_eq!(nearest(&long[..200], [&long[..200]]), Some(&long[..200]));
        let most = super::MOST_STEPS / (200 * 200);
        let far = format!("{}{}", "a".repeat(100), "b".repeat(100));
        let many = std::iter::repeat_n(&*far, most).chain([&long[..200]]);
        assert_eq!(nearest(&long[..200], many), None, "the time is up");
    }
}
