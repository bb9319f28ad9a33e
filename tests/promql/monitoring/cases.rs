//! Each alert on the series of what it is for, and on what is well.

use super::{
    alerts::Case,
    series::{SAMPLES, always, between, follower, healthy, of, only, set},
};

/// What fires: the alert's name, its severity, and the labels of its expression.
fn alert(name: &str, severity: &str, labels: &str) -> String {
    format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\",severity=\"{severity}\",{labels}}}")
}

const WVA: &str = "namespace=\"wva\"";

/// One copy that is well but for these series.
fn but(name: &'static str, changed: Vec<(String, String)>, fires: Vec<(u32, Vec<String>)>) -> Case {
    let mut series = healthy("a");
    for (name, values) in changed {
        set(&mut series, name, &values);
    }
    Case { name, series, fires }
}

/// Minutes as seconds.
const fn min(minutes: u32) -> u32 {
    minutes * 60
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub fn all() -> Vec<Case> {
    let all_along = || (1..=85).map(|minute| (min(minute), vec![])).collect();
    let clock_until = |at: u32| format!("0+15x{} {}x{}", at * 4, at * 60, SAMPLES - at * 4);
    let absent = || alert("ScaleFromZeroAbsent", "critical", WVA);
    let blind = || alert("ScaleFromZeroBlind", "critical", WVA);
    let of_model = |reason: &str| format!("namespace=\"llm\",model=\"m\",reason=\"{reason}\"");
    let not_woken = || alert("ScaleFromZeroDemandNotWoken", "warning", &of_model("no_pool"));
    let no_signal = |labels: &str| alert("ScaleFromZeroNoSignal", "warning", labels);
    let taken_back = || alert("ScaleFromZeroTakenBackAgain", "warning", WVA);
    let not_ready = || alert("ScaleFromZeroNotReady", "warning", WVA);
    let rejected = || alert("ScaleFromZeroConfigRejected", "warning", WVA);
    vec![
        Case {
            name: "one_copy_is_well",
            series: healthy("a"),
            fires: all_along(),
        },
        Case {
            name: "two_copies_are_well",
            series: [healthy("a"), healthy("b")].concat(),
            fires: all_along(),
        },
        Case {
            name: "a_leader_and_its_follower_are_well",
            series: [healthy("a"), follower("b")].concat(),
            fires: all_along(),
        },
        Case {
            name: "a_copy_takes_the_place_of_another",
            series: {
                let ends = |(series, values): (String, String)| {
                    let values = if values.starts_with("0+") {
                        values.replace(&format!("x{SAMPLES}"), "x40 stale")
                    } else {
                        "1x40 stale".into()
                    };
                    (series, values)
                };
                let keep = |(series, _): &(String, String)| {
                    ["build_info", "last_", "leader"]
                        .iter()
                        .any(|part| series.contains(part))
                };
                let old = healthy("a").into_iter().filter(keep).map(ends);
                // The new one is scraped a minute later.
                let new = healthy("b").into_iter().filter(keep).map(|(series, values)| {
                    let values = if values.starts_with("0+") {
                        format!("_x44 660+15x{}", SAMPLES - 44)
                    } else {
                        format!("_x44 1x{}", SAMPLES - 44)
                    };
                    (series, values)
                });
                old.chain(new).collect()
            },
            fires: all_along(),
        },
        Case {
            name: "gone_from_one_of_two_namespaces",
            series: vec![
                (of("a", "build_info", "version=\"0.1.0\""), "1x40 stale".into()),
                (
                    of("b", "build_info", "version=\"0.1.0\",namespace=\"other\""),
                    always(1),
                ),
            ],
            fires: vec![
                (min(15), vec![]),
                (min(16), vec![absent()]),
                (min(80), vec![absent()]),
            ],
        },
        Case {
            name: "never_there",
            series: vec![],
            fires: vec![
                (min(4), vec![]),
                (
                    min(6),
                    vec!["ALERTS{alertname=\"ScaleFromZeroAbsent\",alertstate=\"firing\",severity=\"critical\"}".into()],
                ),
            ],
        },
        but(
            "the_loop_hangs",
            vec![
                (of("a", "last_tick_timestamp_seconds", ""), clock_until(20)),
                (
                    of("a", "last_successful_query_timestamp_seconds", ""),
                    clock_until(20),
                ),
            ],
            vec![
                (min(23), vec![]),
                (
                    min(25),
                    vec![alert("ScaleFromZeroNotTicking", "critical", WVA), blind()],
                ),
            ],
        ),
        but(
            "no_tick_since_the_start",
            ["last_tick_timestamp_seconds", "last_successful_query_timestamp_seconds", "leader"]
                .map(|metric| (of("a", metric, ""), always(0)))
                .into(),
            vec![(min(10), vec![alert("ScaleFromZeroNotTicking", "critical", WVA)])],
        ),
        Case {
            name: "nobody_leads",
            series: {
                let mut all = [follower("a"), follower("b")].concat();
                set(&mut all, of("a", "leader", ""), &between("1", "0", 10, 10));
                set(
                    &mut all,
                    of("a", "last_successful_query_timestamp_seconds", ""),
                    &format!("0+15x{SAMPLES}"),
                );
                all
            },
            fires: vec![
                (min(11), vec![]),
                (min(13), vec![alert("ScaleFromZeroNoLeader", "critical", WVA)]),
                (min(21), vec![]),
            ],
        },
        but(
            "prometheus_does_not_answer",
            vec![(
                of("a", "last_successful_query_timestamp_seconds", ""),
                clock_until(10),
            )],
            vec![(min(12), vec![]), (min(14), vec![blind()])],
        ),
        Case {
            name: "prometheus_answers_one_copy_of_two",
            series: {
                let mut all = [healthy("a"), healthy("b")].concat();
                let one = of("b", "last_successful_query_timestamp_seconds", "");
                set(&mut all, one, &always(0));
                all
            },
            fires: all_along(),
        },
        but(
            "one_query_in_five_fails",
            vec![(
                of("a", "query_errors_total", "reason=\"partial\""),
                format!("0+30x{SAMPLES}"),
            )],
            vec![
                (min(9), vec![]),
                (
                    min(15),
                    vec![alert(
                        "ScaleFromZeroQueriesFailing",
                        "warning",
                        "namespace=\"wva\",reason=\"partial\"",
                    )],
                ),
            ],
        ),
        but(
            "one_request_waits_a_minute_for_what_cannot_be_woken",
            vec![(of("a", "blocked", &of_model("no_pool")), only(1, 10, 1))],
            vec![
                (min(10), vec![]),
                (min(11), vec![not_woken()]),
                (min(20), vec![not_woken()]),
                (min(22), vec![]),
            ],
        ),
        Case {
            name: "both_copies_see_it_and_the_platform_renames_labels",
            series: {
                let labels = "exported_namespace=\"llm\",model=\"m\",reason=\"wake_failed\"";
                let mut all = [healthy("a"), healthy("b")].concat();
                all.retain(|(series, _)| !series.contains("_blocked{"));
                for copy in ["a", "b"] {
                    // Their scrapes do not coincide.
                    let name = of(copy, "blocked", &format!("{labels},namespace=\"wva\""));
                    all.push((name, only(1, 10, 70)));
                }
                all
            },
            fires: vec![(
                min(12),
                vec![alert(
                    "ScaleFromZeroDemandNotWoken",
                    "warning",
                    "namespace=\"wva\",exported_namespace=\"llm\",model=\"m\",reason=\"wake_failed\"",
                )],
            )],
        },
        but(
            "clients_ask_for_what_nobody_has",
            vec![
                (
                    of("a", "unmatched_demand_requests", "reason=\"no_variant\""),
                    only(3, 30, 30),
                ),
                (
                    of(
                        "a",
                        "blocked",
                        "namespace=\"llm\",model=\"typo\",reason=\"no_variant\"",
                    ),
                    only(1, 30, 30),
                ),
            ],
            vec![
                (min(39), vec![]),
                (
                    min(41),
                    vec![alert(
                        "ScaleFromZeroUnknownModel",
                        "info",
                        "namespace=\"wva\",reason=\"no_variant\"",
                    )],
                ),
            ],
        ),
        but(
            "left_asleep_on_purpose",
            vec![(
                of("a", "blocked", &of_model("out_of_scope_paused")),
                only(1, 10, 40),
            )],
            vec![
                (min(24), vec![]),
                (
                    min(26),
                    vec![alert(
                        "ScaleFromZeroHeldBack",
                        "info",
                        &of_model("out_of_scope_paused"),
                    )],
                ),
            ],
        ),
        but(
            "an_epp_is_not_scraped_and_two_models_are_behind_it",
            ["m", "n"]
                .map(|model| {
                    let labels = format!("namespace=\"llm\",model=\"{model}\",reason=\"epp_not_scraped\"");
                    (of("a", "blocked", &labels), only(1, 10, 40))
                })
                .into(),
            vec![
                (min(14), vec![]),
                (
                    min(16),
                    vec![no_signal("namespace=\"llm\",reason=\"epp_not_scraped\"")],
                ),
                (min(52), vec![]),
            ],
        ),
        but(
            "flow_control_is_off",
            vec![(of("a", "blocked", &of_model("flow_control_off")), only(1, 10, 70))],
            vec![(
                min(16),
                vec![no_signal("namespace=\"llm\",reason=\"flow_control_off\"")],
            )],
        ),
        Case {
            name: "taken_back_again_and_again_as_both_copies_count",
            series: {
                let mut all = [healthy("a"), healthy("b")].concat();
                for copy in ["a", "b"] {
                    set(
                        &mut all,
                        of(copy, "reverts_total", ""),
                        "0x40 1x10 2x10 3x10 4x290",
                    );
                }
                all
            },
            fires: vec![
                (min(14), vec![]),
                (min(16), vec![taken_back()]),
                (min(80), vec![]),
            ],
        },
        but(
            "a_woken_model_is_taken_back_and_waits",
            vec![(of("a", "blocked", &of_model("taken_back")), only(1, 10, 70))],
            all_along(),
        ),
        but(
            "overdue_until_the_episode_ends",
            vec![
                (
                    of("a", "variants_by_state", "state=\"overdue\""),
                    between("0", "1", 10, 5),
                ),
                (of("a", "blocked", &of_model("overdue")), only(1, 10, 5)),
            ],
            vec![
                (min(10), vec![]),
                (min(12), vec![not_ready()]),
                (min(28), vec![not_ready()]),
                (min(32), vec![]),
            ],
        ),
        but(
            "a_kind_is_forbidden_and_another_fails_again_and_again",
            vec![
                (
                    of(
                        "a",
                        "watch_state",
                        "kind=\"inferencepools\",namespace=\"wva\",state=\"forbidden\"",
                    ),
                    always(1),
                ),
                (
                    of(
                        "a",
                        "watch_state",
                        "kind=\"deployments.apps\",namespace=\"wva\",state=\"failing\"",
                    ),
                    "1 1 1 0 ".repeat(80),
                ),
            ],
            vec![
                (min(4), vec![]),
                (
                    min(20),
                    [("inferencepools", "forbidden"), ("deployments.apps", "failing")]
                        .map(|(kind, state)| {
                            let labels = format!("namespace=\"wva\",kind=\"{kind}\",state=\"{state}\"");
                            alert("ScaleFromZeroWatchFailing", "warning", &labels)
                        })
                        .into(),
                ),
            ],
        ),
        but(
            "the_configuration_is_bad",
            vec![(
                of("a", "config_last_reload_successful", ""),
                between("1", "0", 30, 20),
            )],
            vec![
                (min(34), vec![]),
                (min(36), vec![rejected()]),
                (min(49), vec![rejected()]),
                (min(51), vec![]),
            ],
        ),
    ]
}
