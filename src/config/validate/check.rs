//! One check for each kind of value. Each takes what the file gives, notes what is wrong with it, and returns a
//! value to go on with, so that a single reading tells every problem.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

use super::names::Rule;
use crate::config::{
    error::Problems,
    key::{Key, quoted},
    keys::listed,
    scalar::Given,
};

/// Longest span anything may be told to wait. None of them makes sense above it, and sums of them stay far from
/// what a clock can hold.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Least span where nothing else sets a limit: a millisecond is what logs and Prometheus count in.
pub(super) const ABOVE_ZERO: Least = Least {
    span: Duration::from_millis(1),
    why: "",
};

/// For a span that may be no time at all.
pub(super) const FROM_ZERO: Least = Least {
    span: Duration::ZERO,
    why: "",
};

/// The least span a key takes.
#[derive(Clone, Copy)]
pub(super) struct Least {
    /// It.
    pub span: Duration,
    /// Empty, or the reason, beginning with ", since".
    pub why: &'static str,
}

/// A span within its limits, or `default`.
pub(super) fn span(
    key: &str,
    given: Option<Given<Duration>>,
    default: Duration,
    least: Least,
    problems: &mut Problems,
) -> Duration {
    let Some(Given(span)) = given else { return default };
    if span < least.span {
        let least_span = humantime::format_duration(least.span);
        let why = least.why;
        problems.add(
            Key::of(key),
            format!(
                "{} is too short; write at least {least_span}{why}",
                humantime::format_duration(span)
            ),
        );
        return default;
    }
    if span > LONGEST {
        problems.add(
            Key::of(key),
            format!(
                "{} is too long; write at most 24h",
                humantime::format_duration(span)
            ),
        );
        return default;
    }
    span
}

/// A whole number `within` its limits, or `default`.
pub(super) fn count<T: TryFrom<u64> + PartialOrd + fmt::Display>(
    key: &str,
    given: Option<Given<u64>>,
    default: T,
    within: &RangeInclusive<T>,
    problems: &mut Problems,
) -> T {
    let Some(Given(number)) = given else {
        return default;
    };
    match T::try_from(number) {
        Ok(number) if within.contains(&number) => number,
        _ => {
            let (least, most) = (within.start(), within.end());
            problems.add(
                Key::of(key),
                format!("{number} is out of range; write a number from {least} to {most}"),
            );
            default
        }
    }
}

/// How many of something there may be at once, at least 1; `None` where nothing is given: any number.
pub(super) fn cap(key: &str, given: Option<Given<u64>>, problems: &mut Problems) -> Option<usize> {
    let Given(number) = given?;
    if number == 0 {
        problems.add(
            Key::of(key),
            "0 would hold back every wake; write at least 1, or null for no cap",
        );
        return None;
    }
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

/// One of a few words, or `default`.
pub(super) fn word<T: Copy>(
    key: &str,
    given: Option<Given<String>>,
    default: T,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> T {
    let Some(Given(word)) = given else { return default };
    if let Some((_, meaning)) = words.iter().find(|(known, _)| *known == word) {
        return *meaning;
    }
    let known = listed(words.iter().map(|(known, _)| known), "or");
    problems.add(
        Key::of(key),
        format!("{} is not known; write {known}", quoted(&word)),
    );
    default
}

/// A text that keeps a rule, if one is given. One that does not is noted and returned, so that what depends on
/// whether something is given is told all the same.
pub(super) fn text(
    key: &str,
    given: Option<Given<String>>,
    rule: &Rule,
    problems: &mut Problems,
) -> Option<String> {
    let Given(text) = given?;
    keeps(Key::of(key), &text, rule, problems);
    Some(text)
}

/// Whether `text` keeps the rule; noted if not.
pub(super) fn keeps(key: Key, text: &str, rule: &Rule, problems: &mut Problems) -> bool {
    let kept = (rule.holds)(text);
    if !kept {
        problems.add(key, format!("{} is not {}", quoted(text), rule.wanted));
    }
    kept
}

/// Texts that differ from each other. `what` completes "at least one ... is needed"; `None` where it may be empty.
pub(super) fn list(
    key: &str,
    given: Vec<Given<String>>,
    what: Option<&str>,
    problems: &mut Problems,
) -> Vec<String> {
    let key = Key::of(key);
    if let (Some(what), []) = (what, &*given) {
        problems.add(key.clone(), format!("is empty; at least one {what} is needed"));
    }
    let given: Vec<String> = given.into_iter().map(|Given(text)| text).collect();
    let mut first = BTreeMap::new();
    for (index, text) in given.iter().enumerate() {
        let first = *first.entry(text).or_insert(index);
        if first != index {
            // Not the text itself: a URL may hold a password that should not be there.
            problems.add(key.item(index), format!("repeats item [{first}]; remove one"));
        }
    }
    given
}

/// Names with values; `refusal` says why a name cannot be there.
pub(super) fn map(
    key: &str,
    given: Option<BTreeMap<String, Given<String>>>,
    refusal: impl Fn(&str) -> Option<String>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let key = Key::of(key);
    let mut map = BTreeMap::new();
    for (name, Given(value)) in given.unwrap_or_default() {
        if let Some(refusal) = refusal(&name) {
            problems.add(key.name(&name), refusal);
        }
        map.insert(name, value);
    }
    map
}
