//! What a check has found, as text for people and as JSON for programs. Pure: facts and report in, text out.

mod columns;
mod head;
pub mod json;
mod paint;
mod problems;
mod story;
mod table;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, path::Path};

use super::{Facts, Report, Severity, explain::Story};

/// The states of variants, in the order in which they are counted.
const STATES: [&str; 10] = [
    "serving",
    "starting",
    "asked",
    "parked",
    "no_signal",
    "blocked",
    "overdue",
    "reverted",
    "surplus",
    "out_of_scope",
];

/// How text is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal; `None`: lines are as long as they need to be.
    pub width: Option<usize>,
    /// Whether colours are used.
    pub colour: bool,
    /// Every variant and every problem in full, and nothing cut.
    pub wide: bool,
}

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What was looked at.
    pub facts: &'a Facts,
    /// What was found, narrowed down to what was asked for.
    pub report: &'a Report,
    /// The file that the configuration is from; `None`: the defaults.
    pub config: Option<&'a Path>,
    /// What was asked for, where it was not everything: `namespace llm`.
    pub only: Option<&'a str>,
}

/// The whole page: where it looked, a row for each variant, the problems, and the sum of it.
pub fn text(page: &Page<'_>, view: View) -> String {
    let paint = paint::Paint(view.colour);
    let mut out = head::head(page, view, paint);
    if !page.report.variants.is_empty() {
        out.push('\n');
        out.push_str(&table::table(page.report, view, paint));
    }
    if !page.report.problems.is_empty() {
        out.push('\n');
        out.push_str(&problems::problems(&page.report.problems, view, paint));
    }
    out.push('\n');
    out.push_str(&summary(page, paint));
    out
}

/// The story of a model, with what it was told from.
pub fn story(page: &Page<'_>, stories: &[Story], view: View) -> String {
    let paint = paint::Paint(view.colour);
    let mut out = head::head(page, view, paint);
    for told in stories {
        out.push('\n');
        out.push_str(&story::story(told, page.report, view, paint));
    }
    out
}

/// The last lines: how many there are of what, and what it comes to.
fn summary(page: &Page<'_>, paint: paint::Paint) -> String {
    let report = page.report;
    let counts = Counts::of(report);
    let mut out = String::new();
    if report.variants.is_empty() {
        let within = page
            .only
            .map(|only| format!(" in {}", crate::text::visible(only)));
        let _ = writeln!(
            out,
            "No variants{}: no VariantAutoscaling was found, and no managed ScaledObject or HorizontalPodAutoscaler; there is nothing to wake.",
            within.unwrap_or_default()
        );
    } else {
        let states: Vec<_> = counts
            .states
            .iter()
            .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
            .collect();
        let variants = report.variants.len();
        let _ = writeln!(out, "{}: {}", plural(variants, "variant"), states.join(", "));
    }
    let found = [
        (counts.errors, "error", paint::Tone::Bad),
        (counts.warnings, "warning", paint::Tone::Warn),
        (counts.notes, "note", paint::Tone::Dim),
    ];
    let found: Vec<_> = found
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, tone)| paint.on(*tone, &plural(*count, word)))
        .collect();
    if report.has_problems() {
        let _ = writeln!(out, "{}; begin with [1]", found.join(", "));
    } else {
        out.push_str(&well(page, paint));
        if !found.is_empty() {
            let _ = writeln!(out, "{}", found.join(", "));
        }
    }
    out
}

/// What can be said where nothing is wrong: no more than was looked at.
fn well(page: &Page<'_>, paint: paint::Paint) -> String {
    let text = match &page.facts.prometheus.demand {
        _ if page.report.variants.is_empty() => "Nothing wrong was found.",
        None => {
            "Nothing wrong was found in the objects. Whether a queue would be seen was not looked at: there are no samples."
        }
        Some(_) if page.facts.prometheus.seen.is_none() => {
            "Nothing wrong was found. Whether every pool's queue would be seen cannot be told from what Prometheus has."
        }
        Some(_) => "All well: what is parked wakes as soon as a request waits for it.",
    };
    format!("{}\n", paint.on(paint::Tone::Good, text))
}

/// How many there are of what.
#[derive(Debug, Default)]
struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
    /// In the order in which states are told of; those that are there.
    states: Vec<(&'static str, usize)>,
}

impl Counts {
    fn of(report: &Report) -> Self {
        let of = |severity| report.problems.iter().filter(|p| p.severity == severity).count();
        let states = STATES.into_iter().map(|word| {
            let count = report.variants.iter().filter(|row| row.state == word).count();
            (word, count)
        });
        Self {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            notes: of(Severity::Note),
            states: states.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// `1 error`, `2 errors`.
fn plural(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    }
}

/// Text on lines of so many columns, broken at blanks. A word that is longer stands by itself.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && columns::width(&line) + 1 + columns::width(word) > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
