//! The queue's series: their labels, their age, how many models they name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::epp::Epp,
    index::{Scraped, label},
    paste,
};
use crate::{
    check::{Link, Problem, Series, Severity},
    config::MissingNamespace,
};

/// An EPP names 1,000 models and calls all others `other`; from here on it is told of.
const MANY: usize = 800;

/// What is wrong with them.
pub(super) fn problems(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Vec<Problem> {
    let found = [
        without_namespace(epp, scraped),
        without_pool(epp, scraped),
        stale(epp, scraped),
        many_models(epp, scraped),
    ];
    found.into_iter().flatten().collect()
}

/// Rule 3: such a row matches any namespace, and is blocked where several would answer it.
fn without_namespace(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let series = scraped.without_namespace?;
    let labels = &epp.facts.config.query.labels;
    let what = format!(
        "the queue's series have no label {}, so whose pool {} is meant cannot be told",
        labels.namespace, epp.name
    );
    // Asked for so, it matches every namespace.
    let severity = match epp.facts.config.query.missing_namespace {
        MissingNamespace::One => Severity::Warning,
        MissingNamespace::All => Severity::Note,
    };
    let mut problem = epp.problem(
        "namespace_label_missing",
        severity,
        Link::Signal,
        epp.service,
        what,
    );
    problem.evidence = vec![shown(series)];
    let others = [
        "exported_namespace",
        "kubernetes_namespace",
        "k8s_namespace_name",
        "pod_namespace",
    ];
    if let Some(other) = others.into_iter().find(|name| label(series, name).is_some()) {
        problem.mend = vec![
            format!("Take the namespace from the label {other} that they have"),
            "query:".to_owned(),
            format!("  labels: {{namespace: {other}}}"),
        ];
    } else {
        problem.mend = vec![
            "Add it in the scrape configuration of Prometheus; a ServiceMonitor does so by itself".to_owned(),
            "relabel_configs:".to_owned(),
            "- source_labels: [__meta_kubernetes_namespace]".to_owned(),
            format!("  target_label: {}", labels.namespace),
        ];
    }
    Some(problem)
}

/// EPPs before December 2025 name neither pool nor model (rule 2).
fn without_pool(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let series = scraped.without_pool?;
    let labels = &epp.facts.config.query.labels;
    let unnamed = label(series, &labels.model).is_none() && label(series, &labels.target_model).is_none();
    let models = epp
        .variants
        .iter()
        .filter_map(|key| epp.facts.inventory.entry(key));
    let models: BTreeSet<_> = models.map(|entry| &entry.variant.model).collect();
    let what = if unnamed {
        "the queue's series name neither pool nor model, so they count only where the pool holds one model"
    } else {
        "the queue's series name no pool, so requests at any pool of the namespace count for all"
    };
    let severity = if unnamed && models.len() > 1 {
        Severity::Error
    } else {
        Severity::Warning
    };
    let mut problem = epp.problem(
        "pool_label_missing",
        severity,
        Link::Signal,
        epp.service,
        what.to_owned(),
    );
    problem.evidence = vec![shown(series)];
    problem.mend = vec![format!(
        "Upgrade the EPP (they have it since December 2025), or say in query.labels.pool how {} is called",
        labels.pool
    )];
    Some(problem)
}

/// Series of the pool's name stand in a namespace where there is no such pool, and none in its own: another scrape, such
/// as a federation, has put its own namespace over theirs.
pub(super) fn elsewhere(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    if !scraped.series.is_empty() {
        return None;
    }
    let labels = &epp.facts.config.query.labels;
    let mut all = scraped.elsewhere.iter();
    let (series, other) = all.find_map(|series| {
        let other = label(series, &labels.namespace)?;
        let is_it = if let Some(exported) = label(series, "exported_namespace") {
            exported == &*epp.namespace
        } else {
            let mut pools = epp.facts.inventory.variants_behind(Some(other), Some(&*epp.name));
            pools.next().is_none()
        };
        is_it.then_some((*series, other))
    })?;
    let exported = label(series, "exported_namespace").is_some();
    let what = format!(
        "the queue of pool {} is seen in namespace {other}, where there is no such pool",
        epp.name
    );
    let severity = if exported {
        Severity::Error
    } else {
        Severity::Warning
    };
    let mut problem = epp.problem("namespace_differs", severity, Link::Signal, epp.service, what);
    problem.evidence = vec![shown(series)];
    problem.mend = if exported {
        vec![
            "Let the series keep their own labels where they are scraped or federated (in a ServiceMonitor honorLabels)"
                .to_owned(),
            "honor_labels: true".to_owned(),
            "# or, here:".to_owned(),
            "query:".to_owned(),
            "  labels: {namespace: exported_namespace}".to_owned(),
        ]
    } else {
        vec!["Put EPP, pool and variants into one namespace, or correct the label in the scrape".to_owned()]
    };
    Some(problem)
}

fn stale(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let ages = scraped.series.iter().filter_map(|series| series.age);
    let age = ages.filter(|age| age.is_finite()).min_by(f64::total_cmp)?;
    let most = epp.facts.config.query.max_sample_age.as_secs_f64();
    let interval = scraped.targets.iter().filter_map(|target| target.interval).min();
    let (severity, what) = if age > most {
        (
            Severity::Error,
            "the newest sample of the queue is older than query.maxSampleAge, so it wakes nothing",
        )
    } else if interval.is_some_and(|interval| age > 3.0 * interval.as_secs_f64()) {
        (
            Severity::Warning,
            "the newest sample of the queue is older than three scrapes, so some fail or come late",
        )
    } else {
        return None;
    };
    let mut problem = epp.problem(
        "stale_samples",
        severity,
        Link::Signal,
        epp.service,
        what.to_owned(),
    );
    problem.evidence = vec![format!("the newest is {} old", paste::seconds(age))];
    if let Some(interval) = interval {
        problem.evidence.push(format!(
            "scraped every {}",
            paste::seconds(interval.as_secs_f64())
        ));
    }
    problem
        .evidence
        .push(format!("query.maxSampleAge: {}", paste::seconds(most)));
    if let Some(down) = scraped.down() {
        problem.evidence.push(format!(
            "target {} is {}: {}",
            down.url, down.health, down.last_error
        ));
    }
    problem.mend = vec![
        "Look at the EPP's pods, and at the targets page of Prometheus".to_owned(),
        paste::kubectl(&epp.namespace, "get pods -o wide"),
    ];
    Some(problem)
}

fn many_models(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let labels = &epp.facts.config.query.labels;
    let mut of_epp: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    for series in &scraped.series {
        let model = label(series, &labels.target_model).or_else(|| label(series, &labels.model));
        of_epp.entry(label(series, "pod")).or_default().extend(model);
    }
    let (pod, most) = of_epp
        .iter()
        .map(|(pod, models)| (*pod, models.len()))
        .max_by_key(|(_, models)| *models)
        .filter(|(_, models)| *models >= MANY)?;
    let what =
        "the EPP is near the 1,000 model names that it tells apart; later ones are called other".to_owned();
    let mut problem = epp.problem("many_models", Severity::Note, Link::Signal, epp.service, what);
    problem.evidence = vec![match pod {
        Some(pod) => format!("pod {pod} names {most}"),
        None => format!("it names {most}"),
    }];
    problem.mend = vec![
        "Restart the EPP now and then, or refuse names that nobody serves at the gateway".to_owned(),
        epp.restart(),
    ];
    Some(problem)
}

/// A series as PromQL writes it.
fn shown(series: &Series) -> String {
    let labels = series
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    format!("{}{{{}}}", series.name, labels.collect::<Vec<_>>().join(", "))
}
