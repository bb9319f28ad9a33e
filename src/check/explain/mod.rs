//! `--explain MODEL`: the story of one model, link by link from a request to a replica.
//!
//! Each link has a mark, what was seen that says so, and the problems found there. What would be woken is not worked
//! out here: the loop's own decision is asked ([`Verdict::would_wake`]).

mod choice;
mod end;
mod find;
mod request;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use super::{Facts, Link, Object, Problem, Report, Severity, Unread, Verdict};
use crate::core::{Entry, TargetKey, VariantKey};

pub use end::End;
pub use find::{about, variants_of};

/// The story of one model in one namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The namespace of its variants; `None` where there is none of it.
    pub namespace: Option<String>,
    /// The model, as requests name it.
    pub model: String,
    /// The links, in order.
    pub steps: Vec<Step>,
    /// Whether it wakes.
    pub end: End,
    /// That in one sentence.
    pub sentence: String,
    /// The first mend, line by line, where it does not wake.
    pub mend: Vec<String>,
    /// Names that are nearly this one, where nothing is called so.
    pub nearest: Vec<String>,
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What happens there.
    pub title: &'static str,
    /// Whether it does.
    pub mark: Mark,
    /// What was seen that says so.
    pub evidence: Vec<String>,
    /// Which of that says that it is broken.
    pub why: Option<String>,
    /// Problems found there: indices into [`Report::problems`].
    pub problems: Vec<usize>,
}

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It holds.
    Ok,
    /// It cannot be told.
    Unknown,
    /// It holds, at a price.
    Warning,
    /// It is broken.
    Broken,
}

impl Mark {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "not_known",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }
}

/// The links.
const LINKS: [&str; 9] = [
    "a request arrives at the endpoint picker (EPP) of its pool",
    "it waits in the EPP's queue",
    "Prometheus scrapes the EPP",
    "our query returns the queue",
    "a variant is chosen",
    "its target is known, and stands behind the pool",
    "the target is scaled to 1",
    "it becomes ready",
    "nobody takes it back",
];

/// At which link a problem is told: an index into [`LINKS`].
fn link_of(problem: &Problem) -> usize {
    match problem.link {
        // Seen by what is scraped, and mended at the EPP.
        Link::Signal if problem.code == "flow_control_off" => 0,
        Link::Epp => 0,
        // Of the variant, and about its target.
        Link::Variant if problem.code.starts_with("target_") => 5,
        Link::Demand => 1,
        Link::Signal => 2,
        Link::Config if ["dry_run", "fallback_accelerator"].contains(&problem.code) => 6,
        Link::Config | Link::Prometheus => 3,
        Link::Variant => 4,
        Link::Pool => 5,
        Link::Permissions => 6,
        Link::Wake => 7,
        Link::TakeBack => 8,
    }
}

/// The stories of a model, or of that of a variant: one for each namespace with variants of it, or one that says that
/// there are none.
pub fn explain(facts: &Facts, report: &Report, asked: &str, namespace: Option<&str>) -> Vec<Story> {
    let verdict = Verdict::of(facts);
    let found = find::find(facts, asked, namespace);
    if found.is_empty() {
        return vec![find::unknown(facts, report, &verdict, asked, namespace)];
    }
    let stories = found.iter().map(|found| {
        let telling = Telling {
            facts,
            report,
            verdict: &verdict,
            namespace: &found.namespace,
            model: &found.model,
            variants: &found.variants,
        };
        telling.story()
    });
    stories.collect()
}

/// What a story is told from.
struct Telling<'a> {
    facts: &'a Facts,
    report: &'a Report,
    verdict: &'a Verdict<'a>,
    namespace: &'a Arc<str>,
    model: &'a Arc<str>,
    /// By cost, the cheapest first.
    variants: &'a [(&'a VariantKey, &'a Entry)],
}

impl Telling<'_> {
    fn story(&self) -> Story {
        let told = [
            self.arrives(),
            self.waits(),
            self.scraped(),
            self.returned(),
            self.chosen(),
            self.target(),
            self.written(),
            self.ready(),
            self.kept(),
        ];
        let steps = LINKS.iter().zip(told).enumerate().map(|(link, (title, told))| {
            let problems = self.problems(link);
            let worst = problems
                .iter()
                .map(|index| self.report.problems[*index].severity)
                .min();
            let mark = match worst {
                Some(Severity::Error) => Mark::Broken,
                Some(Severity::Warning) => told.mark.max(Mark::Warning),
                Some(Severity::Note) | None => told.mark,
            };
            Step {
                title,
                mark,
                evidence: told.lines,
                why: told.why,
                problems,
            }
        });
        let steps: Vec<_> = steps.collect();
        let (end, sentence, mend) = self.end(&steps);
        Story {
            namespace: Some(self.namespace.to_string()),
            model: self.model.to_string(),
            steps,
            end,
            sentence,
            mend,
            nearest: Vec::new(),
        }
    }

    /// The problems of one of its variants at a link.
    fn problems(&self, link: usize) -> Vec<usize> {
        let problems = self.report.problems.iter().enumerate();
        let here = problems.filter(|(_, problem)| {
            let mut names = self.variants.iter().map(|(name, _)| name);
            link_of(problem) == link && names.any(|name| problem.concerns.includes(name))
        });
        here.map(|(index, _)| index).collect()
    }

    /// The pools that select the targets.
    fn pools(&self) -> BTreeSet<&Arc<str>> {
        self.variants.iter().flat_map(|(_, entry)| &entry.pools).collect()
    }

    /// The targets, each once.
    fn targets(&self) -> Vec<&TargetKey> {
        let mut targets: Vec<_> = self
            .variants
            .iter()
            .filter_map(|(_, entry)| entry.target())
            .collect();
        let mut seen = BTreeSet::new();
        targets.retain(|target| seen.insert(target.to_string()));
        targets
    }

    /// The InferencePool of a name.
    fn pool(&self, name: &str) -> Option<&Object> {
        let groups = ["inference.networking.k8s.io", "inference.networking.x-k8s.io"];
        let mut pools = groups.iter().map(|group| {
            self.facts
                .objects
                .get(group, "InferencePool", self.namespace, name)
        });
        pools.find_map(|pool| pool)
    }

    /// The Service of a pool's endpoint picker.
    fn epp(&self, pool: &str) -> Option<&str> {
        let pool = self.pool(pool)?;
        pool.text("/spec/endpointPickerRef/name")
            .or_else(|| pool.text("/spec/extensionRef/name"))
    }

    /// The pods that a selector selects.
    fn pods<'a>(&'a self, selector: &[(&'a str, &'a str)]) -> Vec<&'a Object> {
        if selector.is_empty() {
            return Vec::new();
        }
        let pods = self.facts.objects.within("", "Pod", self.namespace);
        pods.filter(|pod| {
            let labels = pod.strings("/metadata/labels");
            selector
                .iter()
                .all(|(name, value)| labels.get(name) == Some(value))
        })
        .collect()
    }

    /// Why objects of a kind could not be read here.
    fn unread(&self, group: &str, kind: &str) -> Option<&Unread> {
        self.facts.unread.iter().find(|unread| {
            let here = unread.namespace.as_deref();
            unread.group == group
                && unread.kind == kind
                && !unread.absent
                && here.is_none_or(|here| *here == **self.namespace)
        })
    }
}

/// What is told of a link.
struct Told {
    mark: Mark,
    lines: Vec<String>,
    why: Option<String>,
}

impl Told {
    /// Nothing yet; the link is at least as bad as this.
    fn new(mark: Mark) -> Self {
        Self {
            mark,
            lines: Vec::new(),
            why: None,
        }
    }

    /// Something that says nothing of whether the link holds.
    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Something that does.
    fn found(&mut self, mark: Mark, line: impl Into<String>) {
        let line = line.into();
        if mark == Mark::Broken && self.why.is_none() {
            self.why = Some(line.clone());
        }
        self.mark = self.mark.max(mark);
        self.lines.push(line);
    }
}

/// Whether a pod says that it is ready.
fn is_ready(pod: &Object) -> bool {
    let conditions = pod.at("/status/conditions").and_then(|all| all.as_array());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// `1 pod`, `2 pods`.
fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// Seconds for people: `0.25 s`, `5 s`.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        let text = format!("{seconds:.2}");
        format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{seconds:.0} s")
    }
}
