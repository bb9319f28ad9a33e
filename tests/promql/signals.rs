//! Series of EPPs that nobody sends requests to, and the rows that the slow query must make of them.

use std::path::Path;

use libtest_mimic::Failed;
use scale_from_zero::{
    config::Query,
    core::Sign,
    prometheus::{exposition, offline, query as text},
};

use super::{
    NEW, OLD,
    cases::{check, element, printed},
    query,
};

pub const SATURATION: &str = "llm_d_epp_flow_control_pool_saturation";
pub const OLD_SATURATION: &str = "inference_extension_flow_control_pool_saturation";
pub const ENDPOINTS: &str = "llm_d_epp_ready_endpoints";
pub const READY_PODS: &str = "inference_pool_ready_pods";
pub const INFO: &str = "llm_d_epp_info";
pub const OLD_INFO: &str = "inference_extension_info";

const NAMELESS: &str = "nameless";

/// Runs the case on the evaluation that needs no Prometheus.
pub fn run_offline(case: &Case) -> Result<(), Failed> {
    let all = exposition(&printed(&case.series))?;
    let labels = &case.query.labels;
    let mut told: Vec<_> = offline::signals(&all.series, &case.query)
        .into_iter()
        .map(|seen| (seen.what, seen.namespace, seen.pool))
        .collect();
    told.sort();
    // The rows as `Prometheus::signals` reads them. Those without a name need one to be written.
    let rows: Vec<_> = case
        .rows
        .iter()
        .map(|row| format!("{}{row} 1\n", if row.starts_with('{') { NAMELESS } else { "" }))
        .collect();
    let mut expected: Vec<_> = exposition(&rows.concat())?
        .series
        .iter()
        .map(|row| {
            let label = |name: &str| {
                Some(row.label(name))
                    .filter(|text| !text.is_empty())
                    .map(Box::from)
            };
            let named = label("name");
            let (what, pool) = match row.label("__name__") {
                ENDPOINTS => (Sign::Endpoints, named),
                READY_PODS => (Sign::OldEndpoints, named),
                NAMELESS => (Sign::Other, None),
                _ => (Sign::FlowControl, label(&labels.pool)),
            };
            (what, label(&labels.namespace), pool)
        })
        .collect();
    expected.sort();
    assert_eq!(told, expected);
    Ok(())
}

/// One group of `promtool test rules`, asked for at second 25.
pub struct Case {
    pub name: &'static str,
    query: Query,
    series: Vec<(String, &'static str)>,
    rows: Vec<String>,
}

/// A series of an EPP of namespace `team`, with these labels added or changed.
fn of_epp(family: &str, labels: &[(&str, &str)]) -> String {
    let usual = [
        ("namespace", "team"),
        ("pod", "epp-0"),
        ("instance", "10.0.0.1:9090"),
        ("job", "epp"),
    ];
    element(family, &usual, labels)
}

fn saturation(family: &str, pool: &str) -> String {
    of_epp(family, &[("inference_pool", pool), ("stage", "effective")])
}

fn endpoints(family: &str, pool: &str) -> String {
    of_epp(family, &[("name", pool)])
}

fn info(family: &str) -> String {
    of_epp(family, &[("commit", "abc"), ("build_ref", "v1")])
}

/// Of llm-d-router 0.10, for a pool without endpoints and before its first request.
fn new_epp(flow_control: bool) -> Vec<(String, &'static str)> {
    let mut series = vec![
        (endpoints(ENDPOINTS, "pool"), "0x9"),
        (endpoints(READY_PODS, "pool"), "0x9"),
        (info(INFO), "1x9"),
        (info(OLD_INFO), "1x9"),
    ];
    if flow_control {
        series.push((saturation(SATURATION, "pool"), "1x9"));
        series.push((saturation(OLD_SATURATION, "pool"), "1x9"));
    }
    series
}

fn case(name: &'static str, series: Vec<(String, &'static str)>, rows: Vec<String>) -> Case {
    Case {
        name,
        query: query(),
        series,
        rows,
    }
}

fn row(family: &str, labels: &[(&str, &str)]) -> String {
    element(family, &[("namespace", "team")], labels)
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub fn all() -> Vec<Case> {
    let pool = ("inference_pool", "pool");
    let name = ("name", "pool");
    let second = [("pod", "epp-1"), ("instance", "10.0.0.2:9090")];
    vec![
        case("no_series_no_rows", vec![], vec![]),
        case(
            "a_new_epp_with_flow_control_and_no_request",
            new_epp(true),
            vec![row(SATURATION, &[pool]), row(ENDPOINTS, &[name])],
        ),
        case(
            "a_new_epp_without_flow_control",
            new_epp(false),
            vec![row(ENDPOINTS, &[name])],
        ),
        case(
            "an_epp_of_tomorrow_without_the_old_names",
            vec![
                (endpoints(ENDPOINTS, "pool"), "0x9"),
                (info(INFO), "1x9"),
                (saturation(SATURATION, "pool"), "1x9"),
                (of_epp(SATURATION, &[pool, ("stage", "decode")]), "1x9"),
                (of_epp(OLD, &[pool, ("fairness_id", "f")]), "0x9"),
            ],
            vec![row(SATURATION, &[pool]), row(ENDPOINTS, &[name])],
        ),
        case(
            "one_pool_with_and_one_without",
            [
                new_epp(false),
                vec![
                    (of_epp(ENDPOINTS, &[second[0], second[1], ("name", "b")]), "0x9"),
                    (
                        of_epp(SATURATION, &[second[0], second[1], ("inference_pool", "b")]),
                        "1x9",
                    ),
                ],
            ]
            .concat(),
            vec![
                row(SATURATION, &[("inference_pool", "b")]),
                row(ENDPOINTS, &[name]),
                row(ENDPOINTS, &[("name", "b")]),
            ],
        ),
        case(
            "a_queue_alone_shows_flow_control",
            vec![
                (endpoints(READY_PODS, "pool"), "2x9"),
                (info(OLD_INFO), "1x9"),
                (
                    of_epp(OLD, &[pool, ("fairness_id", "f"), ("priority", "0")]),
                    "0x9",
                ),
                (
                    of_epp(OLD, &[pool, ("fairness_id", "g"), ("priority", "0")]),
                    "0x9",
                ),
            ],
            vec![row(OLD, &[pool]), row(READY_PODS, &[name])],
        ),
        case(
            "an_old_epp_tells_its_ready_pods_and_no_more",
            vec![(endpoints(READY_PODS, "pool"), "0x9"), (info(OLD_INFO), "1x9")],
            vec![row(READY_PODS, &[name])],
        ),
        case(
            "an_older_epp_that_never_had_an_endpoint_names_no_pool",
            vec![(info(OLD_INFO), "1x9")],
            vec![row("", &[])],
        ),
        case(
            "an_older_epp_is_seen_beside_a_new_one",
            [
                new_epp(true),
                vec![(of_epp(OLD_INFO, &[second[0], second[1], ("commit", "o")]), "1x9")],
            ]
            .concat(),
            vec![row(SATURATION, &[pool]), row(ENDPOINTS, &[name]), row("", &[])],
        ),
        case(
            "a_queue_that_names_no_pool",
            vec![
                (of_epp(OLD, &[("fairness_id", "f"), ("priority", "0")]), "0x9"),
                (info(OLD_INFO), "1x9"),
            ],
            vec![row(OLD, &[])],
        ),
        case(
            "any_value_counts",
            vec![
                (saturation(SATURATION, "pool"), "NaN NaN NaN"),
                (endpoints(ENDPOINTS, "pool"), "NaN NaN NaN"),
                (of_epp(NEW, &[("inference_pool", "b")]), "-1x9"),
                (
                    of_epp(READY_PODS, &[second[0], second[1], ("name", "c")]),
                    "+Inf +Inf +Inf",
                ),
            ],
            vec![
                row(SATURATION, &[pool]),
                row(ENDPOINTS, &[name]),
                row(NEW, &[("inference_pool", "b")]),
                row(READY_PODS, &[("name", "c")]),
            ],
        ),
        case(
            "two_namespaces_with_pools_of_one_name",
            [
                new_epp(true),
                vec![
                    (of_epp(ENDPOINTS, &[("namespace", "other"), name]), "0x9"),
                    (of_epp(INFO, &[("namespace", "other"), ("commit", "c")]), "1x9"),
                    (
                        of_epp(OLD_INFO, &[("namespace", "third"), ("commit", "c")]),
                        "1x9",
                    ),
                    (
                        of_epp(SATURATION, &[("namespace", ""), ("inference_pool", "x")]),
                        "1x9",
                    ),
                ],
            ]
            .concat(),
            vec![
                row(SATURATION, &[pool]),
                row(ENDPOINTS, &[name]),
                row(ENDPOINTS, &[("namespace", "other"), name]),
                row("", &[("namespace", "third")]),
                row(SATURATION, &[("namespace", ""), ("inference_pool", "x")]),
            ],
        ),
        case(
            "two_scrape_jobs_and_two_replicas_are_one",
            [("job", "a"), ("job", "b"), ("prometheus_replica", "c")]
                .into_iter()
                .flat_map(|which| {
                    [
                        (of_epp(SATURATION, &[pool, which]), "1x9"),
                        (of_epp(ENDPOINTS, &[name, which]), "0x9"),
                        (of_epp(INFO, &[("commit", "c"), which]), "1x9"),
                    ]
                })
                .collect(),
            vec![row(SATURATION, &[pool]), row(ENDPOINTS, &[name])],
        ),
        case(
            "what_ended_is_not_seen",
            vec![
                (saturation(SATURATION, "pool"), "1 stale"),
                (endpoints(ENDPOINTS, "pool"), "0 stale"),
                (info(INFO), "1 1 stale"),
            ],
            vec![],
        ),
        Case {
            query: Query {
                matchers: [("cluster".into(), "prod-a".into())].into(),
                ..query()
            },
            ..case(
                "matchers_keep_other_clusters_out",
                vec![
                    (of_epp(ENDPOINTS, &[("cluster", "prod-a"), name]), "0x9"),
                    (of_epp(SATURATION, &[("cluster", "prod-b"), pool]), "1x9"),
                    (of_epp(NEW, &[("cluster", "prod-b"), pool]), "1x9"),
                    (of_epp(READY_PODS, &[("cluster", "prod-b"), ("name", "b")]), "1x9"),
                    (of_epp(INFO, &[("cluster", "prod-b"), ("commit", "c")]), "1x9"),
                    (
                        of_epp(
                            OLD_INFO,
                            &[("cluster", "prod-a"), ("pod", "epp-1"), ("commit", "c")],
                        ),
                        "1x9",
                    ),
                ],
                vec![row(ENDPOINTS, &[name]), row("", &[])],
            )
        },
        Case {
            query: {
                let mut query = query();
                query.families = vec!["my:queue".into(), "other_queue_size".into()];
                query.labels.namespace = "kubernetes_namespace".into();
                query.labels.pool = "name".into();
                query
            },
            ..case(
                "families_and_labels_are_called_as_configured",
                vec![
                    (
                        of_epp("my:queue", &[("kubernetes_namespace", "k"), ("name", "a")]),
                        "0x9",
                    ),
                    (
                        of_epp(
                            "other_pool_saturation",
                            &[("kubernetes_namespace", "k"), ("name", "b")],
                        ),
                        "0x9",
                    ),
                    (
                        of_epp(ENDPOINTS, &[("kubernetes_namespace", "k"), ("name", "b")]),
                        "0x9",
                    ),
                    (
                        of_epp(ENDPOINTS, &[("kubernetes_namespace", "k"), ("name", "c")]),
                        "0x9",
                    ),
                ],
                vec![
                    element("my:queue", &[], &[("kubernetes_namespace", "k"), ("name", "a")]),
                    // The stronger sign of the pool is enough.
                    element(
                        "other_pool_saturation",
                        &[],
                        &[("kubernetes_namespace", "k"), ("name", "b")],
                    ),
                    element(ENDPOINTS, &[], &[("kubernetes_namespace", "k"), ("name", "c")]),
                ],
            )
        },
    ]
}

/// Runs the case; what `promtool` finds wrong is the failure.
pub fn run(promtool: &Path, case: &Case) -> Result<(), Failed> {
    let signal = text::signal(&case.query).ok_or("a custom expression")?;
    let rows: Vec<_> = case.rows.iter().map(|row| (row.clone(), 1.0)).collect();
    check(promtool, &case.series, &[(&signal, &rows)])
}
