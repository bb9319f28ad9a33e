//! Whether it wakes, in one sentence.

use std::{collections::BTreeSet, sync::Arc};

use super::{Mark, Step, Telling};
use crate::{
    check::{Facts, Objects, Prom, Severity, Verdict},
    core::{Sample, Signal, VariantKey},
};

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

/// What a request that is made up would come to.
pub(super) struct MadeUp {
    wakes: BTreeSet<VariantKey>,
    why: Option<String>,
}

impl MadeUp {
    /// The variants that it would wake.
    pub(super) fn wakes(&self) -> &BTreeSet<VariantKey> {
        &self.wakes
    }

    /// Why it would wake none, where there is a reason.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

impl Telling<'_> {
    /// Asks the loop's own decision what one request waiting would come to, at each of the pools.
    pub(super) fn made_up(&self) -> MadeUp {
        let mut made_up = MadeUp {
            wakes: BTreeSet::new(),
            why: None,
        };
        let pools: Vec<Option<&Arc<str>>> = match self.pools() {
            pools if pools.is_empty() => vec![None],
            pools => pools.into_iter().map(Some).collect(),
        };
        for pool in pools {
            let sample = Sample {
                namespace: Some((&**self.namespace).into()),
                pool: pool.map(|pool| (&**pool).into()),
                model: Some((&**self.model).into()),
                value: 1.0,
                ..Sample::default()
            };
            let facts = Facts {
                config: self.facts.config.clone(),
                origin: self.facts.origin.clone(),
                now: self.facts.now,
                objects: Objects::default(),
                unread: Vec::new(),
                inventory: self.facts.inventory.clone(),
                access: Vec::new(),
                account: None,
                prometheus: Prom {
                    demand: Some(Ok(vec![sample])),
                    ..Prom::default()
                },
            };
            let verdict = Verdict::of(&facts);
            made_up.wakes.extend(verdict.wakes().iter().cloned());
            if made_up.why.is_none() {
                made_up.why = verdict.held().first().map(|held| held.why.to_string());
            }
        }
        made_up
    }

    /// The end of the story, with the first mend where there is something to mend.
    pub(super) fn end(&self, steps: &[Step]) -> (End, String, Vec<String>) {
        let model = self.model;
        // What is broken after the write does not keep it from waking.
        let broken = steps[..7]
            .iter()
            .enumerate()
            .find(|(_, step)| step.mark == Mark::Broken);
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
                sentence.push_str(&format!(
                    " Parked again it would not wake, because link {number} is broken: {why}."
                ));
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
        let made_up = self.made_up();
        let names: Vec<_> = made_up.wakes().iter().map(ToString::to_string).collect();
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
            "Nothing broken is seen: a request that waits for {model} would wake {}. Not known is link {}.",
            names.join(", "),
            open.join(", ")
        );
        (End::Unknown, sentence, Vec::new())
    }

    /// Why a link is broken, and its mend.
    fn reason(&self, step: &Step) -> (String, Vec<String>) {
        let problems = step
            .problems
            .iter()
            .filter_map(|index| self.report.problems.get(*index));
        let error = problems
            .into_iter()
            .find(|problem| problem.severity == Severity::Error);
        match error {
            Some(problem) => (problem.what.clone(), problem.mend.clone()),
            None => (step.why.clone().unwrap_or_default(), Vec::new()),
        }
    }
}
