//! Requests that wait and wake nothing, and sets that could not serve if requests came.

use crate::{
    check::near::nearest,
    check::{Concerns, Facts, Link, Problem, Severity, Verdict},
    core::{Blocked, Held},
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    let mut problems: Vec<_> = verdict
        .held()
        .iter()
        .filter_map(|held| problem(facts, held))
        .collect();
    for held in verdict.would_hold() {
        if matches!(held.why, Blocked::Incomplete)
            && !verdict.held().iter().any(|now| now.variant == held.variant)
        {
            problems.extend(problem(facts, held));
        }
    }
    problems
}

/// What the probes of variants and pools say already is not said again.
fn problem(facts: &Facts, held: &Held) -> Option<Problem> {
    let severity = match &held.why {
        Blocked::Target(_)
        | Blocked::OutOfScope(_)
        | Blocked::NoPool
        | Blocked::UnknownRole(_)
        | Blocked::FlowControlOff
        | Blocked::EppNotScraped => return None,
        // Anybody can ask for any name.
        Blocked::NoVariant | Blocked::Capped => Severity::Warning,
        _ => Severity::Error,
    };
    let link = match &held.why {
        Blocked::WakeFailed(_) | Blocked::Overdue(_) | Blocked::Capped => Link::Wake,
        Blocked::TakenBack(_) | Blocked::Manual(_) => Link::TakeBack,
        Blocked::Incomplete => Link::Variant,
        _ => Link::Demand,
    };
    let model = held.model.as_deref();
    let what = match model {
        Some(model) if held.waiting > 0.0 && link == Link::Demand => {
            format!("requests wait for {model:?} and wake nothing: {}", held.why)
        }
        _ => held.why.to_string(),
    };
    let mut problem = Problem::new(held.why.as_str(), severity, link, what)
        .concerning(held.variant.as_ref().map_or(Concerns::None, Concerns::one));
    if let Some(variant) = &held.variant {
        problem = problem.about(super::variant::named(variant));
    } else if let Some(model) = model {
        problem = problem.about(format!("model {model}"));
    }
    if held.waiting > 0.0 {
        problem = problem.seen(place(held));
    }
    Some(mend(facts, held, problem))
}

fn place(held: &Held) -> String {
    let namespace = held.namespace.as_deref().map_or_else(
        || "of no namespace".to_owned(),
        |namespace| format!("in namespace {namespace}"),
    );
    let pool = held
        .pool
        .as_deref()
        .map_or_else(String::new, |pool| format!(" at pool {pool}"));
    format!("{} waiting {namespace}{pool}", held.waiting)
}

fn mend(facts: &Facts, held: &Held, problem: Problem) -> Problem {
    let model = held.model.as_deref().unwrap_or_default();
    match &held.why {
        Blocked::NoVariant => {
            let here = facts.inventory.entries().filter(|(name, _)| held.namespace.as_deref().is_none_or(|ns| ns == &*name.name.namespace));
            let models: Vec<&str> = here.map(|(_, entry)| &*entry.variant.model).collect();
            match nearest(model, models.iter().copied()) {
                Some(near) => problem
                    .seen(format!("the nearest model that a variant serves is {near:?}"))
                    .mend("correct the name in the requests; or, if it is another name for that model (an adapter), add it to its variant")
                    .mend(format!("metadata: {{annotations: {{scale-from-zero/models: {model:?}}}}}")),
                None => problem.mend("create a variant for it, or add the name to the annotation scale-from-zero/models of the one that serves it"),
            }
        }
        Blocked::NameDiffersByCase(name) => problem.mend(format!("write {name:?} in the requests, or {model:?} as modelID of the variant")),
        Blocked::WrongNamespace(namespace) => problem.mend(format!("put the pool and its EPP into namespace {namespace}, or the variant into that of the EPP")),
        Blocked::OtherPool(pool) => problem.mend(format!("send the requests to pool {pool}, or give the target's pods the labels of the pool where they wait")),
        Blocked::LabelOverflow => problem.mend("restart the EPP: it names at most 1,000 models until it does").mend("kubectl rollout restart deployment -n NAMESPACE EPP"),
        Blocked::UnnamedDemand => problem.mend("upgrade the EPP to one whose queue gauge has model_name and target_model_name"),
        Blocked::AmbiguousNamespace => problem.mend("have the scrape add the label namespace (a ServiceMonitor or PodMonitor does), or allow it").mend("query: {missingNamespace: all}"),
        Blocked::StaleDemand => problem.mend("look at the scrape of the EPP in Prometheus (Status, Targets), or raise query.maxSampleAge"),
        Blocked::Incomplete => problem.mend("add what lacks: a variant that decodes, or one with no role, which does both"),
        Blocked::Capped => problem.mend("wait, or raise wake.maxStarting and wake.maxStartingPerNamespace"),
        Blocked::Manual(_) | Blocked::TakenBack(_) => match &held.variant {
            Some(variant) => problem.mend("wake it by hand if it is wanted now").mend(format!("scale-from-zero wake {}", variant.name)),
            None => problem,
        },
        _ => problem.mend("look at what the reason names; GET /api/decisions of the running program has the history"),
    }
}
