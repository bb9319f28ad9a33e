//! Series that are in Prometheus, and the rows that both queries must make of them.

use std::{collections::BTreeMap, path::Path, process::Command};

use libtest_mimic::Failed;
use scale_from_zero::{
    config::Query,
    core::Sample,
    prometheus::{exposition, offline, query as text},
};
use serde_json::{Value, json};

use super::{NEW, OLD, query};

/// One group of `promtool test rules`. Samples are 10 s apart from second 0 on, asked for at second 25.
pub struct Case {
    pub name: &'static str,
    query: Query,
    series: Vec<(String, &'static str)>,
    demand: Vec<(String, f64)>,
    /// In seconds.
    ages: Vec<(String, f64)>,
}

/// A series as an EPP exports it, with these labels changed; one changed to nothing is left out.
fn series(family: &str, changed: &[(&str, &str)]) -> String {
    let usual = [
        ("namespace", "team"),
        ("pod", "epp-0"),
        ("instance", "10.0.0.1:9090"),
        ("job", "epp"),
        ("inference_pool", "pool"),
        ("model_name", "m"),
        ("target_model_name", "m"),
        ("fairness_id", "f"),
        ("priority", "0"),
    ];
    element(family, &usual, changed)
}

/// A row of the demand, or without a family one of the ages.
fn row(family: &str, changed: &[(&str, &str)]) -> String {
    let usual = [
        ("namespace", "team"),
        ("inference_pool", "pool"),
        ("target_model_name", "m"),
        ("model_name", "m"),
    ];
    element(family, &usual, changed)
}

pub fn element(family: &str, usual: &[(&str, &str)], changed: &[(&str, &str)]) -> String {
    let mut labels: BTreeMap<_, _> = usual.iter().copied().collect();
    labels.extend(changed.iter().copied());
    let labels: Vec<_> = labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{family}{{{}}}", labels.join(","))
}

/// Nothing there and so nothing asked for, to be filled in.
fn case(name: &'static str) -> Case {
    Case {
        name,
        query: query(),
        series: vec![],
        demand: vec![],
        ages: vec![],
    }
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub fn all() -> Vec<Case> {
    vec![
        case("no_series_no_rows"),
        Case {
            series: vec![(series(NEW, &[]), "5x9"), (series(OLD, &[]), "5x9")],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("both_families_of_one_epp_are_not_added_up")
        },
        Case {
            series: vec![(series(OLD, &[]), "5x9")],
            demand: vec![(row(OLD, &[]), 5.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("the_old_family_alone_counts")
        },
        Case {
            series: vec![
                (series(NEW, &[("pod", "epp-0")]), "5x9"),
                (
                    series(OLD, &[("pod", "epp-1"), ("instance", "10.0.0.2:9090")]),
                    "3 3 _x9",
                ),
            ],
            demand: vec![(row(NEW, &[]), 5.0), (row(OLD, &[]), 3.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("two_epps_with_one_family_each_have_a_row_each")
        },
        Case {
            series: vec![(series(NEW, &[]), "0x9"), (series(OLD, &[]), "5x9")],
            ages: vec![(row("", &[]), 5.0)],
            ..case("where_the_new_family_says_0_the_old_is_not_heard")
        },
        Case {
            series: vec![(series(NEW, &[]), "0x9"), (series(OLD, &[]), "0x9")],
            ..case("an_empty_queue_is_no_demand")
        },
        Case {
            series: vec![
                (series(NEW, &[("fairness_id", "a")]), "5 5 _x9"),
                (series(NEW, &[("fairness_id", "b")]), "NaN NaN NaN"),
                (series(OLD, &[("fairness_id", "b")]), "NaN NaN NaN"),
            ],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 15.0)],
            ..case("nan_beside_5_spoils_neither_sum_nor_age")
        },
        Case {
            series: vec![
                (series(NEW, &[("fairness_id", "a")]), "5 _x9"),
                (series(NEW, &[("fairness_id", "b")]), "-7x9"),
                (series(NEW, &[("fairness_id", "c")]), "-Inf -Inf -Inf"),
            ],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 25.0)],
            ..case("negatives_take_nothing_away")
        },
        Case {
            series: vec![
                (series(NEW, &[("job", "podmonitor")]), "5x9"),
                (
                    series(NEW, &[("job", "servicemonitor"), ("service", "epp")]),
                    "4 4 _x9",
                ),
                (series(OLD, &[("job", "podmonitor")]), "5x9"),
                (
                    series(OLD, &[("job", "servicemonitor"), ("service", "epp")]),
                    "4 4 _x9",
                ),
            ],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("two_scrape_jobs_of_one_epp_count_once")
        },
        Case {
            series: vec![
                (series(NEW, &[("prometheus_replica", "a")]), "5 5 _x9"),
                (series(NEW, &[("prometheus_replica", "b")]), "6x9"),
            ],
            demand: vec![(row(NEW, &[]), 6.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("a_pair_of_prometheus_replicas_counts_once_and_the_fresher_tells_the_age")
        },
        Case {
            series: vec![
                (series(NEW, &[("fairness_id", "a")]), "1x9"),
                (series(NEW, &[("fairness_id", "b")]), "2x9"),
                (series(NEW, &[("priority", "-1")]), "4x9"),
                (
                    series(NEW, &[("pod", "epp-1"), ("instance", "10.0.0.2:9090")]),
                    "8x9",
                ),
            ],
            demand: vec![(row(NEW, &[]), 15.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("queues_of_one_model_are_added_up_over_flows_and_epps")
        },
        Case {
            series: vec![
                (series(NEW, &[("model_name", "public")]), "2x9"),
                (series(NEW, &[]), "1 _x9"),
                (series(NEW, &[("namespace", "other")]), "4x9"),
                (
                    series(NEW, &[("namespace", ""), ("target_model_name", "")]),
                    "3x9",
                ),
            ],
            demand: vec![
                (row(NEW, &[("model_name", "public")]), 2.0),
                (row(NEW, &[]), 1.0),
                (row(NEW, &[("namespace", "other")]), 4.0),
                (row(NEW, &[("namespace", ""), ("target_model_name", "")]), 3.0),
            ],
            ages: vec![
                (row("", &[("model_name", "public")]), 5.0),
                (row("", &[]), 25.0),
                (row("", &[("namespace", "other")]), 5.0),
                (row("", &[("namespace", ""), ("target_model_name", "")]), 5.0),
            ],
            ..case("each_namespace_pool_and_pair_of_names_has_its_row_and_its_age")
        },
        Case {
            series: vec![(series(NEW, &[]), "5 5 stale"), (series(OLD, &[]), "5 stale")],
            ..case("a_series_that_ended_is_no_demand")
        },
        Case {
            series: vec![(series(NEW, &[]), "5 stale"), (series(OLD, &[]), "5x9")],
            demand: vec![(row(OLD, &[]), 5.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("where_the_new_family_ended_the_old_is_heard")
        },
        Case {
            query: Query {
                matchers: [("cluster".into(), "prod-a".into())].into(),
                ..query()
            },
            series: vec![
                (series(NEW, &[("cluster", "prod-a")]), "5 5 _x9"),
                (series(NEW, &[("cluster", "prod-b")]), "7x9"),
                (series(NEW, &[]), "8x9"),
                (
                    series(OLD, &[("cluster", "prod-b"), ("namespace", "other")]),
                    "9x9",
                ),
            ],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 15.0)],
            ..case("matchers_keep_other_clusters_out")
        },
        Case {
            query: Query {
                matchers: [
                    ("cluster".into(), "a\"} or {b=\"\\\n".into()),
                    ("env".into(), "é".into()),
                ]
                .into(),
                ..query()
            },
            series: vec![
                (
                    series(NEW, &[("cluster", "a\"} or {b=\"\\\n"), ("env", "é")]),
                    "5x9",
                ),
                (series(NEW, &[("cluster", "a"), ("env", "é")]), "7x9"),
                (series(OLD, &[("b", "\\\n"), ("env", "é")]), "9x9"),
            ],
            demand: vec![(row(NEW, &[]), 5.0)],
            ages: vec![(row("", &[]), 5.0)],
            ..case("no_matcher_leaves_its_string")
        },
        Case {
            query: Query {
                families: vec!["a".into(), "ns:b:sum".into(), "c".into()],
                ..query()
            },
            series: vec![
                (series("a", &[("pod", "x")]), "1x9"),
                (series("ns:b:sum", &[("pod", "x")]), "1x9"),
                (series("c", &[("pod", "x")]), "1x9"),
                (series("ns:b:sum", &[("pod", "y")]), "2x9"),
                (series("c", &[("pod", "y")]), "2x9"),
                (series("c", &[("pod", "z")]), "4 _x9"),
            ],
            demand: vec![
                (row("a", &[]), 1.0),
                (row("ns:b:sum", &[]), 2.0),
                (row("c", &[]), 4.0),
            ],
            ages: vec![(row("", &[]), 5.0)],
            ..case("any_number_of_families_may_be_given")
        },
        Case {
            query: {
                let mut query = query();
                query.families = vec![NEW.into()];
                query.labels.namespace = "kubernetes_namespace".into();
                query.labels.target_model = "model_name".into();
                query
            },
            series: vec![(series(NEW, &[("kubernetes_namespace", "k")]), "5x9")],
            demand: vec![(
                row(
                    NEW,
                    &[
                        ("namespace", ""),
                        ("kubernetes_namespace", "k"),
                        ("target_model_name", ""),
                    ],
                ),
                5.0,
            )],
            ages: vec![(
                row(
                    "",
                    &[
                        ("namespace", ""),
                        ("kubernetes_namespace", "k"),
                        ("target_model_name", ""),
                    ],
                ),
                5.0,
            )],
            ..case("labels_are_called_as_configured")
        },
    ]
}

/// The series as an EPP would print them at second 25, those that ended left out.
pub fn printed(series: &[(String, &str)]) -> String {
    let lines = series.iter().filter_map(|(series, values)| {
        let (mut last, mut at) = (None, 0_u32);
        for values in values.split(' ') {
            // As promtool has it: `5x9` is 5 and nine more, `_x9` that many gaps.
            let (value, more) = values.split_once('x').unwrap_or((values, "0"));
            let count = more.parse::<u32>().unwrap() + u32::from(value != "_");
            let before = 3_u32.saturating_sub(at).min(count);
            if before > 0 && value != "_" {
                last = Some((value, (at + before - 1) * 10));
            }
            at += count;
        }
        let (value, seconds) = last?;
        (value != "stale").then(|| format!("{series} {value} {seconds}000\n"))
    });
    lines.collect()
}

/// Runs the case on the evaluation that needs no Prometheus.
pub fn run_offline(case: &Case) -> Result<(), Failed> {
    let mut all = exposition(&printed(&case.series))?;
    for (series, time) in all.series.iter_mut().zip(&all.times) {
        series.age = time.map(|time| 25.0 - time);
    }
    let labels = &case.query.labels;
    let told = |rows: Vec<Sample>| {
        let mut told: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let text = |text: Option<Box<str>>| text.map(String::from).unwrap_or_default();
                // Where one label plays two roles it is written once.
                let pairs = [
                    (&*labels.namespace, text(row.namespace)),
                    (&labels.pool, text(row.pool)),
                    (&labels.target_model, text(row.target_model)),
                    (&labels.model, text(row.model)),
                ];
                let pairs = pairs.each_ref().map(|(name, value)| (*name, value.as_str()));
                (element(&text(row.family), &[], &pairs), row.value)
            })
            .collect();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        told
    };
    let sorted = |rows: &[(String, f64)]| {
        let mut rows = rows.to_vec();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    };
    assert_eq!(
        told(offline::demand(&all.series, &case.query)),
        sorted(&case.demand)
    );
    assert_eq!(told(offline::ages(&all.series, &case.query)), sorted(&case.ages));
    Ok(())
}

/// Runs the case; what `promtool` finds wrong is the failure.
pub fn run(promtool: &Path, case: &Case) -> Result<(), Failed> {
    let ages = text::age(&case.query).ok_or("a custom expression")?;
    check(
        promtool,
        &case.series,
        &[(&text::demand(&case.query), &case.demand), (&ages, &case.ages)],
    )
}

/// Whether the series make these rows of each query.
pub fn check(
    promtool: &Path,
    series: &[(String, &str)],
    queries: &[(&str, &[(String, f64)])],
) -> Result<(), Failed> {
    let samples = |rows: &[(String, f64)]| -> Vec<Value> {
        rows.iter()
            .map(|(labels, value)| json!({"labels": labels, "value": value}))
            .collect()
    };
    let tests = json!({
        // promtool loads samples up to its last evaluation of rules only.
        "evaluation_interval": "5s",
        "tests": [{
            "interval": "10s",
            "input_series": series.iter()
                .map(|(series, values)| json!({"series": series, "values": values})).collect::<Vec<_>>(),
            "promql_expr_test": queries.iter()
                .map(|(query, rows)| json!({"expr": query, "eval_time": "25s", "exp_samples": samples(rows)}))
                .collect::<Vec<_>>(),
        }],
    });
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tests.yaml");
    // JSON is YAML.
    std::fs::write(&file, tests.to_string())?;
    let output = Command::new(promtool)
        .args(["test", "rules"])
        .arg(file)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}
