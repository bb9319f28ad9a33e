//! `manifests/monitoring`: its alerts on series as they are in a Prometheus, the expressions of its dashboard, and that all
//! of it goes by the names that are exported and documented.

pub mod alerts;
pub mod cases;
pub mod dashboard;
mod exported;
pub mod live;
pub mod names;
mod promql;
mod series;

pub use self::{exported::words_are_those_of_the_code, promql::finds_names};

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Failed;
use serde_json::Value;

/// A file of the project.
fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(project(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// `spec` of the `PrometheusRule`, which is a file of rules as Prometheus reads it.
fn rules() -> Value {
    let rule: Value = serde_yaml::from_str(&text("manifests/monitoring/prometheusrule.yaml")).unwrap();
    rule["spec"].clone()
}

/// Every alert.
fn alerts_of(rules: &Value) -> impl Iterator<Item = &Value> {
    let groups = rules["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap())
}

/// A text in an object.
fn str_of<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {object}"))
}

/// Runs `promtool`; what it says is the failure.
fn promtool(promtool: &Path, arguments: &[&str], file: &Path) -> Result<(), Failed> {
    let output = Command::new(promtool).args(arguments).arg(file).output()?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        return Ok(());
    }
    Err(said.into())
}
