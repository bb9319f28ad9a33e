//! The story of one model, link by link.

use super::{
    View,
    paint::{Paint, Tone},
    problems::reference,
    wrapped,
};
use crate::{
    check::{
        Report, Severity,
        explain::{End, Mark, Story},
    },
    text::visible,
};
use std::fmt::Write as _;

/// The story.
pub(super) fn story(story: &Story, report: &Report, view: View, paint: Paint) -> String {
    let room = |indent: usize| view.width.map(|width| width.saturating_sub(indent).max(20));
    let model = visible(&story.model).into_owned();
    let title = match &story.namespace {
        Some(namespace) => format!("Model {model} in namespace {}", visible(namespace)),
        None => format!("Model {model}"),
    };
    let mut out = format!("{}\n", paint.on(Tone::Strong, &title));
    for (index, step) in story.steps.iter().enumerate() {
        let (sign, tone) = sign(step.mark);
        let mark = paint.on(
            tone,
            &format!("{sign} {:<9} ", step.mark.as_str().replace('_', " ")),
        );
        let _ = writeln!(
            out,
            "\n{:>2}  {mark} {}",
            index + 1,
            paint.on(Tone::Strong, step.title)
        );
        for line in &step.evidence {
            for (index, line) in wrapped(&visible(line), room(6)).iter().enumerate() {
                let _ = writeln!(
                    out,
                    "{:indent$}{line}",
                    "",
                    indent = if index == 0 { 4 } else { 6 }
                );
            }
        }
        for number in &step.problems {
            let Some(problem) = report.problems.get(*number) else {
                continue;
            };
            let told = reference(problem, number + 1, paint);
            let _ = writeln!(out, "    {told}");
            if problem.severity == Severity::Note {
                continue;
            }
            for line in &problem.evidence {
                for line in wrapped(&visible(line), room(12)) {
                    let _ = writeln!(out, "      {}{line}", paint.on(Tone::Dim, "seen  "));
                }
            }
            for line in &problem.mend {
                let _ = writeln!(out, "      {}{}", paint.on(Tone::Dim, "mend  "), visible(line));
            }
        }
    }
    let tone = match story.end {
        End::Now | End::WhenAsked | End::Up => Tone::Good,
        End::Never => Tone::Bad,
        End::Unknown => Tone::Warn,
    };
    out.push('\n');
    for line in wrapped(&visible(&story.sentence), room(0)) {
        out.push_str(&paint.on(tone, &line));
        out.push('\n');
    }
    for line in &story.mend {
        let _ = writeln!(out, "  {}", visible(line));
    }
    out
}

/// A sign beside the word, so that neither colour nor font alone tells.
fn sign(mark: Mark) -> (&'static str, Tone) {
    match mark {
        Mark::Ok => ("✓", Tone::Good),
        Mark::Warning => ("!", Tone::Warn),
        Mark::Broken => ("✗", Tone::Bad),
        Mark::Unknown => ("?", Tone::Dim),
    }
}
