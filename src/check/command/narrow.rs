//! A report narrowed down to what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::CheckArgs;
use crate::{
    check::{Concerns, Facts, Report, explain},
    core::VariantKey,
};

/// The report of the variants asked for: their rows, and what concerns one of them. Demand that nothing serves stays
/// where a whole namespace is asked for, as it may be meant for one there.
pub(super) fn narrow(report: Report, facts: &Facts, args: &CheckArgs) -> Report {
    let (namespace, name) = (args.namespace.as_deref(), args.name.as_deref());
    if name.is_none() && namespace.is_none() && args.explain.is_none() {
        return report;
    }
    let kept: BTreeSet<VariantKey> = if let Some(model) = &args.explain {
        explain::variants_of(facts, model, namespace)
    } else {
        let keys = report.variants.iter().map(|row| &row.key);
        let here = keys.filter(|key| {
            namespace.is_none_or(|namespace| *key.name.namespace == *namespace)
                && name.is_none_or(|name| *key.name.name == *name)
        });
        here.cloned().collect()
    };
    let whole = name.is_none() && args.explain.is_none();
    let asked = args.explain.as_deref().map(explain::about);
    only(report, &kept, |about| whole || asked.as_deref() == Some(about))
}

/// The report of these variants, and of what concerns none that exists where its object is wanted.
fn only(report: Report, kept: &BTreeSet<VariantKey>, unserved: impl Fn(&str) -> bool) -> Report {
    let mut numbers = BTreeMap::new();
    let mut problems = Vec::new();
    for (before, problem) in report.problems.into_iter().enumerate() {
        let stays = match &problem.concerns {
            Concerns::All => true,
            Concerns::None => unserved(&problem.object),
            Concerns::Variants(variants) => !variants.is_disjoint(kept),
        };
        if stays {
            numbers.insert(before, problems.len());
            problems.push(problem);
        }
    }
    let mut variants = report.variants;
    variants.retain(|row| kept.contains(&row.key));
    for row in &mut variants {
        row.first = row.first.and_then(|first| numbers.get(&first).copied());
    }
    Report { variants, problems }
}

/// What was asked for, in words; `None`: everything.
pub(super) fn described(args: &CheckArgs) -> Option<String> {
    let what = match (&args.explain, &args.name) {
        (Some(model), _) => Some(format!("model {model}")),
        (None, Some(name)) => Some(format!("variant {name}")),
        (None, None) => None,
    };
    let namespace = args
        .namespace
        .as_ref()
        .map(|namespace| format!("namespace {namespace}"));
    match (what, namespace) {
        (Some(what), Some(namespace)) => Some(format!("{what} in {namespace}")),
        (what, namespace) => what.or(namespace),
    }
}

#[cfg(test)]
mod tests {
    use super::only;
    use crate::check::{Concerns, Link, Problem, Report, Row, Severity};
    use crate::core::{ObjectName, VariantKey};

    fn key(name: &str) -> VariantKey {
        VariantKey::autoscaling(ObjectName::new("llm", name))
    }

    fn row(name: &str, first: Option<usize>) -> Row {
        Row {
            key: key(name),
            model: name.into(),
            target: None,
            replicas: None,
            pools: Vec::new(),
            waiting: None,
            state: "parked",
            reason: String::new(),
            first,
        }
    }

    fn problem(concerns: Concerns) -> Problem {
        Problem {
            code: "no_pool",
            severity: Severity::Error,
            link: Link::Pool,
            object: String::new(),
            concerns,
            what: String::new(),
            evidence: Vec::new(),
            mend: Vec::new(),
        }
    }

    #[test]
    fn rows_go_on_naming_their_problem() {
        let report = || Report {
            variants: vec![row("a", Some(1)), row("b", Some(3))],
            problems: vec![
                problem(Concerns::All),
                problem(Concerns::one(&key("a"))),
                problem(Concerns::None),
                problem(Concerns::one(&key("b"))),
            ],
        };
        let narrowed = only(report(), &[key("b")].into(), |_| false);
        assert_eq!(narrowed.variants, [row("b", Some(1))]);
        assert_eq!(narrowed.problems.len(), 2, "every variant's, and its own");
        let narrowed = only(report(), &[key("b")].into(), |_| true);
        assert_eq!(narrowed.variants, [row("b", Some(2))]);
    }
}
