//! Whether it wakes, in one sentence.

use super::{Mark, Step, Telling};
use crate::{
    check::{Problem, Severity},
    core::{Signal, State, VariantKey},
};
use std::fmt::Write as _;

/// Whether a model wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Requests wait, and it is woken.
    Now,
    /// As soon as a request waits.
    WhenAsked,
    /// It is up, or starting.
    Up,
    /// Something is broken.
    Never,
    /// It cannot be told.
    Unknown,
}

impl End {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::WhenAsked => "when_asked",
            Self::Up => "up",
            Self::Never => "never",
            Self::Unknown => "not_known",
        }
    }
}

/// What a request would come to.
pub(super) struct Outcome<'a> {
    /// The variants that it would wake.
    pub wakes: Vec<&'a VariantKey>,
    /// Why it would wake none, where there is a reason.
    pub why: Option<String>,
}

impl Telling<'_> {
    /// What the loop's own decision says one request would come to.
    pub(super) fn outcome(&self) -> Outcome<'_> {
        let ours = |wanted: &VariantKey| self.variants.iter().any(|(name, _)| *name == wanted);
        let wakes: Vec<_> = self
            .verdict
            .would_wake()
            .iter()
            .filter(|wake| ours(wake))
            .collect();
        let held = self.verdict.would_hold().iter();
        let mut held = held.filter(|held| held.variant.as_ref().is_some_and(ours));
        let blocked = || {
            let mut states = self
                .variants
                .iter()
                .map(|(name, entry)| self.verdict.state(name, entry));
            let state = states.find(|state| matches!(state, State::Blocked(_) | State::OutOfScope(_)))?;
            Some(state.to_string())
        };
        Outcome {
            why: held.next().map(|held| held.why.to_string()).or_else(blocked),
            wakes,
        }
    }

    /// The end of the story, with the first mend where there is something to mend.
    pub(super) fn end(&self, steps: &[Step]) -> (End, String, Vec<String>) {
        let model = self.model;
        // What is broken after the write does not keep it from waking.
        // A link with a problem says why and has a mend; others are broken because of it.
        let broken = || {
            let first = steps[..7].iter().enumerate();
            first.filter(|(_, step)| step.mark == Mark::Broken)
        };
        let told = broken().find(|(_, step)| self.error(step).is_some());
        let broken = told.or_else(|| broken().next());
        let broken = broken.map(|(index, step)| (index + 1, self.reason(step)));
        let up: Vec<_> = self
            .variants
            .iter()
            .filter(|(_, entry)| entry.is_scaled())
            .collect();
        if let Some((name, entry)) = up.iter().find(|(_, entry)| entry.is_serving()).or(up.first()) {
            let how = if entry.is_serving() {
                "is serving"
            } else {
                "is starting"
            };
            let mut sentence = format!("{name} {how}, so nothing needs to be woken for {model}.");
            let mut mend = Vec::new();
            if let Some((number, (why, first))) = broken {
                let _ = write!(
                    sentence,
                    " Parked again it would not wake, because link {number} is broken: {why}."
                );
                mend = first;
            }
            return (End::Up, sentence, mend);
        }
        if let Some((number, (why, mend))) = broken {
            let sentence = format!("It cannot wake, because link {number} is broken: {why}.");
            return (End::Never, sentence, mend);
        }
        let now: Vec<_> = self
            .verdict
            .wakes()
            .iter()
            .filter(|wake| self.variants.iter().any(|(name, _)| name == wake))
            .map(ToString::to_string)
            .collect();
        if !now.is_empty() {
            let sentence = format!(
                "Requests wait for {model}, and it would wake now: {}.",
                now.join(", ")
            );
            return (End::Now, sentence, Vec::new());
        }
        let names: Vec<_> = self.outcome().wakes.iter().map(ToString::to_string).collect();
        let pools = self.pools();
        let seen = pools
            .into_iter()
            .any(|pool| self.verdict.signal(self.namespace, pool) == Signal::On);
        if seen {
            let sentence = format!(
                "It wakes as soon as a request waits for {model}: {}.",
                names.join(", ")
            );
            return (End::WhenAsked, sentence, Vec::new());
        }
        let open: Vec<_> = steps[..7]
            .iter()
            .enumerate()
            .filter(|(_, step)| step.mark == Mark::Unknown)
            .map(|(index, _)| (index + 1).to_string())
            .collect();
        let sentence = format!(
            "Nothing broken is seen: a request that waits for {model} would wake {}. Not known: {} {}.",
            names.join(", "),
            if open.len() == 1 { "link" } else { "links" },
            open.join(", ")
        );
        (End::Unknown, sentence, Vec::new())
    }

    /// The problem that breaks a link.
    fn error(&self, step: &Step) -> Option<&Problem> {
        let mut problems = step
            .problems
            .iter()
            .filter_map(|index| self.report.problems.get(*index));
        problems.find(|problem| problem.severity == Severity::Error)
    }

    /// Why a link is broken, and its mend.
    fn reason(&self, step: &Step) -> (String, Vec<String>) {
        match self.error(step) {
            Some(problem) => (problem.what.clone(), problem.mend.clone()),
            None => (step.why.clone().unwrap_or_default(), Vec::new()),
        }
    }
}
