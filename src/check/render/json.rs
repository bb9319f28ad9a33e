//! What a check has found, as JSON. The fields are documented in docs/check.md, which a test holds to this; they do not
//! change within a [`VERSION`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Page, head};
use crate::{
    check::{
        Concerns, Facts, Origin, Problem, Row,
        explain::{Step, Story},
    },
    core::{VariantKey, Wall},
    text::{LineKind, log_line},
};

/// Counts changes that take something away or give it another meaning.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    time: Wall,
    origin: &'static str,
    cluster: Option<Cluster<'a>>,
    files: Option<Files>,
    account: Option<&'a str>,
    config: Option<String>,
    namespaces: &'a [String],
    only: Option<&'a str>,
    prometheus: Prometheus<'a>,
    summary: Summary,
    variants: Vec<Variant<'a>>,
    problems: Vec<Found<'a>>,
    not_looked_at: Vec<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stories: Option<Vec<Told<'a>>>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    url: &'a str,
    version: Option<&'a str>,
}

#[derive(Serialize)]
struct Files {
    objects: String,
    samples: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prometheus<'a> {
    servers: &'a [String],
    version: Option<&'a str>,
    asked: bool,
    error: Option<&'a str>,
    latency_seconds: Option<f64>,
    clock_ahead_seconds: Option<f64>,
}

#[derive(Serialize)]
struct Summary {
    status: &'static str,
    variants: usize,
    states: BTreeMap<&'static str, usize>,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variant<'a> {
    namespace: &'a str,
    name: &'a str,
    source: &'static str,
    model: &'a str,
    target: Option<Target<'a>>,
    replicas: Option<i64>,
    ready: Option<i64>,
    pools: &'a [String],
    waiting: Option<f64>,
    state: &'static str,
    reason: &'a str,
    first_problem: Option<usize>,
    problems: Vec<usize>,
}

#[derive(Serialize)]
struct Target<'a> {
    kind: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Found<'a> {
    id: usize,
    code: &'static str,
    severity: &'static str,
    link: &'static str,
    object: Option<&'a str>,
    concerns: &'static str,
    variants: Vec<String>,
    what: &'a str,
    evidence: &'a [String],
    mend: &'a [String],
}

#[derive(Serialize)]
struct Gap {
    what: String,
    namespace: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct Told<'a> {
    namespace: Option<&'a str>,
    model: &'a str,
    steps: Vec<Link<'a>>,
    wakes: &'static str,
    end: &'a str,
    mend: &'a [String],
    nearest: &'a [String],
}

#[derive(Serialize)]
struct Link<'a> {
    number: usize,
    title: &'a str,
    mark: &'static str,
    evidence: &'a [String],
    problems: Vec<usize>,
}

#[derive(Serialize)]
struct Failure<'a> {
    version: u32,
    time: Wall,
    error: &'a str,
}

/// The whole page, with the stories where one was asked for. On one line, or on many for people.
///
/// # Errors
/// Never in practice: everything in it can be written as JSON.
pub fn json(page: &Page<'_>, stories: Option<&[Story]>, one_line: bool) -> serde_json::Result<String> {
    let Facts {
        origin,
        account,
        prometheus,
        config,
        now,
        ..
    } = page.facts;
    let report = page.report;
    let (cluster, files) = match origin {
        Origin::Live { cluster, version } => {
            let (url, version) = (cluster.as_str(), version.as_deref());
            (Some(Cluster { url, version }), None)
        }
        Origin::Files { objects, samples } => {
            let objects = objects.display().to_string();
            let samples = samples.as_ref().map(|samples| samples.display().to_string());
            (None, Some(Files { objects, samples }))
        }
    };
    let document = Document {
        version: VERSION,
        time: now.wall,
        origin: if cluster.is_some() { "live" } else { "files" },
        cluster,
        files,
        account: account.as_deref(),
        config: page.config.map(|file| file.display().to_string()),
        namespaces: &config.scope.namespaces,
        only: page.only,
        prometheus: Prometheus {
            servers: &prometheus.servers,
            version: prometheus.version.as_deref(),
            asked: prometheus.demand.is_some(),
            error: match &prometheus.demand {
                Some(Err(error)) => Some(error),
                _ => None,
            },
            latency_seconds: prometheus.latency.map(|latency| latency.as_secs_f64()),
            clock_ahead_seconds: prometheus.clock_ahead,
        },
        summary: summary(page),
        variants: {
            let concerned = Concerned::by(&report.problems);
            let rows = report.variants.iter();
            rows.map(|row| variant(row, &concerned)).collect()
        },
        problems: report.problems.iter().enumerate().map(found).collect(),
        not_looked_at: head::not_looked_at(page.facts)
            .into_iter()
            .map(|head::Gap { what, namespace, why }| Gap { what, namespace, why })
            .collect(),
        stories: stories.map(|stories| stories.iter().map(told).collect()),
    };
    write(&document, one_line)
}

/// Why nothing could be checked.
///
/// # Errors
/// Never in practice.
pub fn failure(error: &str, time: Wall, one_line: bool) -> serde_json::Result<String> {
    let version = VERSION;
    write(&Failure { version, time, error }, one_line)
}

fn write(document: &impl Serialize, one_line: bool) -> serde_json::Result<String> {
    let mut text = if one_line {
        serde_json::to_string(document)?
    } else {
        serde_json::to_string_pretty(document)?
    };
    text.push('\n');
    // Line breaks of the document stand between its strings only; within one, JSON lets everything but them and the first
    // controls stand as it is, and a terminal may be what reads it.
    let lines = text
        .split_inclusive('\n')
        .map(|line| log_line(line, LineKind::Json));
    Ok(lines.collect())
}

fn summary(page: &Page<'_>) -> Summary {
    let report = page.report;
    let counts = super::Counts::of(report);
    Summary {
        status: if report.has_problems() { "problems" } else { "well" },
        variants: report.variants.len(),
        states: counts.states.into_iter().collect(),
        errors: counts.errors,
        warnings: counts.warnings,
        notes: counts.notes,
    }
}

/// The numbers of the problems of each variant.
struct Concerned<'a> {
    /// Of those that concern all.
    all: Vec<usize>,
    named: BTreeMap<&'a VariantKey, Vec<usize>>,
}

impl<'a> Concerned<'a> {
    fn by(problems: &'a [Problem]) -> Self {
        let mut all = Vec::new();
        let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (problem, number) in problems.iter().zip(1..) {
            match &problem.concerns {
                Concerns::All => all.push(number),
                Concerns::Variants(variants) => {
                    for variant in variants {
                        named.entry(variant).or_default().push(number);
                    }
                }
                Concerns::None => {}
            }
        }
        Self { all, named }
    }

    fn of(&self, variant: &VariantKey) -> Vec<usize> {
        let named = self.named.get(variant).into_iter().flatten();
        let mut numbers: Vec<_> = self.all.iter().chain(named).copied().collect();
        numbers.sort_unstable();
        numbers
    }
}

fn variant<'a>(row: &'a Row, concerned: &Concerned<'_>) -> Variant<'a> {
    Variant {
        namespace: &row.key.name.namespace,
        name: &row.key.name.name,
        source: row.key.source.as_str(),
        model: &row.model,
        target: row.target.as_ref().map(|(kind, name)| Target { kind, name }),
        replicas: row.replicas.map(|(asked, _)| asked),
        ready: row.replicas.map(|(_, ready)| ready),
        pools: &row.pools,
        waiting: row.waiting,
        state: row.state,
        reason: &row.reason,
        first_problem: row.first.map(|first| first + 1),
        problems: concerned.of(&row.key),
    }
}

fn found((index, problem): (usize, &Problem)) -> Found<'_> {
    Found {
        id: index + 1,
        code: problem.code,
        severity: problem.severity.as_str(),
        link: problem.link.as_str(),
        object: (!problem.object.is_empty()).then_some(&problem.object),
        concerns: match problem.concerns {
            Concerns::All => "all",
            Concerns::Variants(_) => "variants",
            Concerns::None => "none",
        },
        variants: match &problem.concerns {
            Concerns::Variants(variants) => variants.iter().map(ToString::to_string).collect(),
            Concerns::All | Concerns::None => Vec::new(),
        },
        what: &problem.what,
        evidence: &problem.evidence,
        mend: &problem.mend,
    }
}

fn told(story: &Story) -> Told<'_> {
    Told {
        namespace: story.namespace.as_deref(),
        model: &story.model,
        steps: story.steps.iter().enumerate().map(link).collect(),
        wakes: story.end.as_str(),
        end: &story.sentence,
        mend: &story.mend,
        nearest: &story.nearest,
    }
}

fn link((index, step): (usize, &Step)) -> Link<'_> {
    Link {
        number: index + 1,
        title: step.title,
        mark: step.mark.as_str(),
        evidence: &step.evidence,
        problems: step.problems.iter().map(|index| index + 1).collect(),
    }
}
