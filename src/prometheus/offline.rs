//! The queries of [`query`](super::query), evaluated here on series that come from a file instead of from Prometheus.
//!
//! `tests/promql` holds them to what Prometheus' own engine makes of the same series.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{series::Series, signal};
use crate::{
    config::Query,
    core::{Sample, Seen},
};

/// The rows of [`demand`](super::query::demand); a custom expression is the caller's to refuse.
pub fn demand(series: &[Series], query: &Query) -> Vec<Sample> {
    let labels = &query.labels;
    let row = [
        "__name__",
        &labels.namespace,
        &labels.pool,
        &labels.target_model,
        &labels.model,
    ];
    let queue = [&row[..], &["pod", "instance", "fairness_id", "priority"]].concat();
    let mut largest: BTreeMap<Vec<&str>, (Vec<&str>, f64)> = BTreeMap::new();
    for series in union(series, query)
        .into_iter()
        .filter(|series| series.value > 0.0)
    {
        let (_, value) = largest
            .entry(values(series, &queue))
            .or_insert_with(|| (values(series, &row), series.value));
        *value = value.max(series.value);
    }
    let mut sums: BTreeMap<Vec<&str>, f64> = BTreeMap::new();
    for (row, value) in largest.into_values() {
        *sums.entry(row).or_default() += value;
    }
    let rows = sums.into_iter();
    rows.map(|(row, value)| sample(&row, value)).collect()
}

/// The rows of [`age`](super::query::age), as far as the age of series is known.
pub fn ages(series: &[Series], query: &Query) -> Vec<Sample> {
    let labels = &query.labels;
    let row = [
        "",
        &*labels.namespace,
        &labels.pool,
        &labels.target_model,
        &labels.model,
    ];
    let positive: Vec<Series> = series
        .iter()
        .filter(|series| series.value > 0.0)
        .cloned()
        .collect();
    let mut youngest: BTreeMap<Vec<&str>, f64> = BTreeMap::new();
    for series in union(&positive, query) {
        if let Some(age) = series.age {
            let known = youngest.entry(values(series, &row)).or_insert(age);
            *known = known.min(age);
        }
    }
    let rows = youngest.into_iter();
    rows.map(|(row, age)| sample(&row, age)).collect()
}

/// The rows of [`signal`](super::query::signal), as what they say.
pub fn signals(series: &[Series], query: &Query) -> Vec<Seen> {
    let labels = signal::labels(&query.labels);
    let by = ["__name__", &labels.namespace, &labels.pool, &labels.model];
    let (mut taken, mut seen) = (HashSet::new(), Vec::new());
    let mut add = |rows: BTreeSet<Vec<&str>>| {
        // Rows of one family stand beside each other; of a later one those stay that no earlier one has.
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|row| !taken.contains(&owned(&row[1..])))
            .collect();
        taken.extend(rows.iter().map(|row| owned(&row[1..])));
        seen.extend(rows.iter().map(|row| {
            let row = [row[0], row[1], row[2], row[3], row[3]];
            signal::seen(sample(&row, 1.0))
        }));
    };
    for family in signal::families(query) {
        let of_family = select(series, &family, query);
        add(of_family.map(|series| values(series, &by)).collect());
    }
    let epp = [&*labels.namespace, "pod", "instance"];
    let named: HashSet<Vec<&str>> = signal::POOL_NAMED
        .iter()
        .flat_map(|family| select(series, family, query))
        .map(|series| values(series, &epp))
        .collect();
    for info in signal::INFOS {
        let of_nobody = select(series, info, query).filter(|series| !named.contains(&values(series, &epp)));
        add(of_nobody
            .map(|series| vec!["", series.label(&labels.namespace), "", ""])
            .collect());
    }
    seen
}

fn owned(row: &[&str]) -> Vec<String> {
    row.iter().map(|&text| text.to_owned()).collect()
}

/// `family{matchers}`
fn select<'a>(series: &'a [Series], family: &str, query: &'a Query) -> impl Iterator<Item = &'a Series> {
    let family = family.to_owned();
    series.iter().filter(move |series| {
        series.name == family
            && query
                .matchers
                .iter()
                .all(|(name, value)| series.label(name) == value)
    })
}

/// `a or b or ...`: of a later family the series that no earlier one has with these labels.
fn union<'a>(series: &'a [Series], query: &'a Query) -> Vec<&'a Series> {
    let (mut taken, mut all) = (HashSet::new(), Vec::new());
    for family in &query.families {
        let more: Vec<_> = select(series, family, query)
            .filter(|series| !taken.contains(&series.labels))
            .collect();
        taken.extend(more.iter().map(|series| &series.labels));
        all.extend(more);
    }
    all
}

/// The values of labels; a missing one is an empty one.
fn values<'a>(series: &'a Series, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|name| series.label(name)).collect()
}

/// A row of the labels `__name__`, namespace, pool, target model and model. Where one label plays several roles it has one
/// value in all of them.
fn sample(row: &[&str], value: f64) -> Sample {
    let text = |index: usize| {
        row.get(index)
            .filter(|text| !text.is_empty())
            .map(|text| Box::from(*text))
    };
    Sample {
        family: text(0),
        namespace: text(1),
        pool: text(2),
        target_model: text(3),
        model: text(4),
        value,
    }
}
