//! The problems with what says so and how to mend them, each once.

use super::{
    View,
    columns::width,
    paint::{Paint, Tone},
    table::severity,
    wrapped,
};
use crate::{
    check::{Concerns, Problem},
    text::visible,
};
use std::fmt::Write as _;

/// So many problems of one kind are told in full, and so many more may be, before the rest is told in a line.
const IN_FULL: usize = 3;
/// So many names are told of many.
const NAMES: usize = 5;

/// All of them, the worst first.
pub(super) fn problems(problems: &[Problem], view: View, paint: Paint) -> String {
    let mut out = String::new();
    let mut first = 0;
    for alike in problems.chunk_by(|a, b| (a.code, a.severity) == (b.code, b.severity)) {
        // A line that stands for one alone saves nothing.
        let fold = !view.wide && alike.len() > IN_FULL + 1;
        let full = if fold { IN_FULL } else { alike.len() };
        for (index, problem) in alike[..full].iter().enumerate() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&one(problem, first + index + 1, view, paint));
        }
        if fold {
            out.push('\n');
            let rest = &alike[full..];
            let (from, to) = (first + full + 1, first + alike.len());
            let told = format!(
                "[{from}] to [{to}] {}: {} more of the same: {}",
                alike[0].severity.as_str(),
                rest.len(),
                objects(rest),
            );
            let lines = wrapped(&told, view.width);
            out.push_str(&paint.on(severity(alike[0].severity), &lines.join("\n    ")));
            let _ = writeln!(out, "\n    -o wide tells each in full; code {}", alike[0].code);
        }
        first += alike.len();
    }
    out
}

/// One problem in full.
fn one(problem: &Problem, number: usize, view: View, paint: Paint) -> String {
    let word = paint.on(
        severity(problem.severity),
        &format!("[{number}] {}:", problem.severity.as_str()),
    );
    let indent = 4;
    let room = |indent: usize| view.width.map(|width| width.saturating_sub(indent).max(20));
    let head = format!("{} ({})", visible(&problem.what), problem.code);
    let taken = width(problem.severity.as_str()) + number.to_string().len() + 4;
    let lines = wrapped(&head, room(taken));
    let mut out = format!("{word} {}\n", paint.on(Tone::Strong, &lines.join(&blanks(taken))));
    let mut part = |label: &str, lines: &[String]| {
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(
                out,
                "{:indent$}{}{line}",
                "",
                paint.on(Tone::Dim, &format!("{label:<10}"))
            );
        }
    };
    if !problem.object.is_empty() {
        part("object", &[visible(&problem.object).into_owned()]);
    }
    let concerned = concerned(&problem.concerns);
    if !concerned.is_empty() {
        part("concerns", &wrapped(&concerned, room(indent + 10)));
    }
    let seen: Vec<_> = problem
        .evidence
        .iter()
        .flat_map(|line| wrapped(&visible(line), room(indent + 10)))
        .collect();
    part("seen", &seen);
    // First words, then what is to be copied, which is not broken.
    let mut mend = problem.mend.iter().map(|line| visible(line));
    let words = mend.next().map(|words| wrapped(&words, room(indent + 10)));
    let mend: Vec<_> = words.into_iter().flatten().chain(mend.map(Into::into)).collect();
    part("mend", &mend);
    out
}

fn blanks(count: usize) -> String {
    format!("\n{:count$}", "")
}

/// Whom it concerns, for people; empty where that is nobody that exists.
pub(super) fn concerned(concerns: &Concerns) -> String {
    match concerns {
        Concerns::All => "every variant".to_owned(),
        Concerns::None => String::new(),
        Concerns::Variants(variants) => names(variants.iter().map(ToString::to_string), variants.len()),
    }
}

fn objects(problems: &[Problem]) -> String {
    let told = problems.iter().map(|problem| {
        if problem.object.is_empty() {
            concerned(&problem.concerns)
        } else {
            problem.object.clone()
        }
    });
    names(told, problems.len())
}

/// `a, b, c, d, e and 995 more`.
fn names(names: impl Iterator<Item = String>, count: usize) -> String {
    let some: Vec<_> = names
        .take(NAMES)
        .map(|name| visible(&name).into_owned())
        .collect();
    match count.saturating_sub(NAMES) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

/// The line for problems that stand elsewhere on the page: `[1] error`.
pub(super) fn reference(problem: &Problem, number: usize, paint: Paint) -> String {
    let text = format!("[{number}] {}:", problem.severity.as_str());
    format!(
        "{} {} ({})",
        paint.on(severity(problem.severity), &text),
        visible(&problem.what),
        problem.code
    )
}
