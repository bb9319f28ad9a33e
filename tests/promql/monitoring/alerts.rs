//! Each alert fires on the series of what it is for, no sooner than it says, and no other with it; and none fires on what
//! is well.

use std::path::Path;

use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::{alerts_of, cases, promtool, rules, str_of};

/// One `promtool test rules`.
pub struct Case {
    pub name: &'static str,
    /// Series and values, 15 s apart.
    pub series: Vec<(String, String)>,
    /// Seconds, and the labels of what fires then.
    pub fires: Vec<(u32, Vec<String>)>,
}

/// Runs the case; what `promtool` finds wrong is the failure.
pub fn run(program: &Path, case: &Case) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    // JSON is YAML.
    std::fs::write(folder.path().join("rules.yaml"), rules().to_string())?;
    let fires = |of: &[String]| -> Vec<Value> {
        of.iter()
            .map(|labels| json!({"labels": labels, "value": 1}))
            .collect()
    };
    let tests = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "15s",
        "tests": [{
            "interval": "15s",
            "input_series": case.series.iter()
                .map(|(series, values)| json!({"series": series, "values": values})).collect::<Vec<_>>(),
            "promql_expr_test": case.fires.iter()
                .map(|(at, of)| json!({
                    "expr": "ALERTS{alertstate=\"firing\"}",
                    "eval_time": format!("{at}s"),
                    "exp_samples": fires(of),
                }))
                .collect::<Vec<_>>(),
        }],
    });
    let file = folder.path().join("tests.yaml");
    std::fs::write(&file, tests.to_string())?;
    promtool(program, &["test", "rules"], &file)
}

/// `promtool check rules`, and that each alert fires in one of the cases.
pub fn check(program: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, rules().to_string())?;
    promtool(program, &["check", "rules", "--lint-fatal"], &file)?;
    let cases = cases::all();
    let fired: Vec<_> = cases
        .iter()
        .flat_map(|case| &case.fires)
        .flat_map(|(_, of)| of)
        .collect();
    for alert in alerts_of(&rules()) {
        let name = str_of(alert, "alert");
        let is = format!("alertname=\"{name}\"");
        if !fired.iter().any(|labels| labels.contains(&is)) {
            return Err(format!("no case in which {name} fires").into());
        }
    }
    Ok(())
}
