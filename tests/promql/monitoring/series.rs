//! The series of a copy, as they are in a Prometheus.

/// Samples of a series, 15 s apart: an hour and a half.
pub const SAMPLES: u32 = 360;

/// A series of a copy, as the `PodMonitor` has it scraped: with `honorLabels`, so that the metric's own labels win.
pub fn of(copy: &str, metric: &str, labels: &str) -> String {
    let mut all = format!(
        "pod=\"{copy}\",instance=\"{copy}:8085\",job=\"wva/scale-from-zero\",container=\"scale-from-zero\",endpoint=\"scale-from-zero\""
    );
    if !labels.contains("namespace=") {
        all += ",namespace=\"wva\"";
    }
    if !labels.is_empty() {
        all = format!("{all},{labels}");
    }
    format!("scale_from_zero_{metric}{{{all}}}")
}

/// The same value throughout.
pub fn always(value: u32) -> String {
    format!("{value}x{SAMPLES}")
}

/// `before` until minute `at`, `after` from then on for so many minutes, then `before` again.
pub fn between(before: &str, after: &str, at: u32, minutes: u32) -> String {
    let first = at * 4 - 1;
    let second = minutes * 4 - 1;
    format!(
        "{before}x{first} {after}x{second} {before}x{}",
        SAMPLES - first - second
    )
}

/// Only from minute `at` on, for so many minutes.
pub fn only(value: u32, at: u32, minutes: u32) -> String {
    format!("_x{} {value}x{} stale", at * 4, minutes * 4 - 1)
}

/// A copy that works, as things go: a query fails now and then, two wakes in the time are taken back, a wake fails once.
pub fn healthy(copy: &str) -> Vec<(String, String)> {
    let clock = format!("0+15x{SAMPLES}");
    let busy = format!("0+150x{SAMPLES}");
    let own = |metric: &str, labels: &str, values: &str| (of(copy, metric, labels), values.to_owned());
    let mut all = vec![
        own("build_info", "version=\"0.1.0\"", &always(1)),
        own("last_tick_timestamp_seconds", "", &clock),
        own("last_successful_query_timestamp_seconds", "", &clock),
        own("leader", "", &always(1)),
        own("ticks_total", "", &busy),
        own("queries_total", "", &busy),
        own(
            "query_errors_total",
            "reason=\"timeout\"",
            &format!("0+1x{SAMPLES}"),
        ),
        own("reverts_total", "", "0x40 1x100 2x220"),
        own("config_last_reload_successful", "", &between("1", "0", 30, 2)),
        own(
            "blocked",
            "namespace=\"llm\",model=\"m\",reason=\"wake_failed\"",
            "_x100 1 stale",
        ),
        own(
            "blocked",
            "namespace=\"llm\",model=\"busy\",reason=\"capped\"",
            &only(1, 20, 5),
        ),
        own(
            "unmatched_demand_requests",
            "reason=\"no_variant\"",
            &only(3, 20, 2),
        ),
        own(
            "watch_state",
            "kind=\"namespaces\",namespace=\"wva\",state=\"forbidden\"",
            &always(1),
        ),
        own(
            "watch_state",
            "kind=\"deployments.apps\",namespace=\"wva\",state=\"failing\"",
            &between("0", "1", 50, 2),
        ),
        own(
            "watch_state",
            "kind=\"deployments.apps\",namespace=\"wva\",state=\"synced\"",
            &between("1", "0", 50, 2),
        ),
    ];
    for (state, count) in [("parked", 5), ("starting", 1), ("overdue", 0), ("blocked", 0)] {
        all.push(own(
            "variants_by_state",
            &format!("state=\"{state}\""),
            &always(count),
        ));
    }
    all
}

/// One that another copy leads.
pub fn follower(copy: &str) -> Vec<(String, String)> {
    let mut all = healthy(copy);
    all.retain(|(series, _)| !series.contains("_blocked{") && !series.contains("unmatched"));
    set(&mut all, of(copy, "leader", ""), &always(0));
    set(
        &mut all,
        of(copy, "last_successful_query_timestamp_seconds", ""),
        &always(0),
    );
    for idle in ["queries_total", "reverts_total"] {
        set(&mut all, of(copy, idle, ""), &always(0));
    }
    all.retain(|(series, _)| !series.contains("_query_errors"));
    all
}

pub fn set(all: &mut Vec<(String, String)>, series: String, values: &str) {
    all.retain(|(name, _)| *name != series);
    all.push((series, values.to_owned()));
}
