//! The two queries of rule 1, the slow one of rule 4, and the alerts and the dashboard of `manifests/monitoring`, on
//! Prometheus' own engine: by `promtool`, and live. The evaluation of `check` that needs no Prometheus is held to the same
//! tables.
//!
//! `promtool` and `prometheus` are looked for in `$KUBEBUILDER_ASSETS`, then on `PATH`. Where they are
//! missing the trials are reported as ignored, or fail if `REQUIRE_REAL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod cases;
mod live;
mod monitoring;
mod signals;

use std::{
    env,
    path::{Path, PathBuf},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use scale_from_zero::config::Query;

const NEW: &str = "llm_d_epp_flow_control_queue_size";
const OLD: &str = "inference_extension_flow_control_queue_size";

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<_> = cases::all()
        .into_iter()
        .map(|case| {
            let name = format!("promtool::{}", case.name);
            trial(name, "promtool", move |promtool| cases::run(promtool, &case))
        })
        .collect();
    trials.extend(signals::all().into_iter().map(|case| {
        let name = format!("promtool::signal::{}", case.name);
        trial(name, "promtool", move |promtool| signals::run(promtool, &case))
    }));
    trials.extend(cases::all().into_iter().map(|case| {
        let name = format!("offline::{}", case.name);
        Trial::test(name, move || cases::run_offline(&case))
    }));
    trials.extend(signals::all().into_iter().map(|case| {
        let name = format!("offline::signal::{}", case.name);
        Trial::test(name, move || signals::run_offline(&case))
    }));
    trials.push(trial(
        "prometheus::answers_all_queries".into(),
        "prometheus",
        live::run,
    ));
    trials.extend(monitored());
    libtest_mimic::run(&arguments, trials).exit();
}

/// The trials of `manifests/monitoring`.
fn monitored() -> Vec<Trial> {
    use monitoring::{alerts, cases, dashboard, names};

    let mut trials: Vec<_> = cases::all()
        .into_iter()
        .map(|case| {
            let name = format!("promtool::alerts::{}", case.name);
            trial(name, "promtool", move |promtool| alerts::run(promtool, &case))
        })
        .collect();
    let with_promtool: [(&str, Run); 2] = [
        ("alerts::check", alerts::check),
        ("dashboard::parses", dashboard::parses),
    ];
    for (name, run) in with_promtool {
        trials.push(trial(format!("promtool::{name}"), "promtool", run));
    }
    trials.push(trial(
        "prometheus::every_alert_fires".into(),
        "prometheus",
        monitoring::live::run,
    ));
    let alone: [(&str, fn()); 8] = [
        ("finds_names", monitoring::finds_names),
        (
            "words_are_those_of_the_code",
            monitoring::words_are_those_of_the_code,
        ),
        ("names_of_rules", names::of_rules),
        ("names_of_dashboard", names::of_dashboard),
        ("names_of_documents", names::of_documents),
        ("names_of_runbook", names::of_runbook),
        ("epp_scrape", names::of_epp_scrape),
        ("dashboard_is_sound", dashboard::is_sound),
    ];
    for (name, run) in alone {
        trials.push(Trial::test(format!("monitoring::{name}"), move || {
            run();
            Ok(())
        }));
    }
    trials
}

/// A trial, given the program it needs.
type Run = fn(&Path) -> Result<(), Failed>;

/// A trial that needs this program.
fn trial(
    name: String,
    program: &'static str,
    run: impl FnOnce(&Path) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        if let Some(path) = find(program) {
            return run(&path).map(|()| Completion::Completed);
        }
        let reason = format!("there is no {program} in $KUBEBUILDER_ASSETS or on PATH");
        if env::var("REQUIRE_REAL").is_ok_and(|value| value == "1") {
            return Err(format!("{reason}, and REQUIRE_REAL=1").into());
        }
        Ok(Completion::ignored_with(reason))
    })
}

fn find(program: &str) -> Option<PathBuf> {
    let assets = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    assets
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The defaults of `query`.
fn query() -> Query {
    Query {
        families: vec![NEW.into(), OLD.into()],
        ..Query::default()
    }
}
