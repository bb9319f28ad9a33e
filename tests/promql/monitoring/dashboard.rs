//! The dashboard: a model that Grafana 10 and newer takes, for whichever data source it is shown with, of expressions that
//! Prometheus can parse.

use std::{collections::BTreeSet, path::Path};

use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::{promtool, str_of, text};

/// The dashboard.
pub fn read() -> Value {
    serde_json::from_str(&text("manifests/monitoring/dashboard.json")).expect("JSON")
}

/// Every target: where it is, its expression and its legend.
pub fn targets(dashboard: &Value) -> Vec<(String, &str, &str)> {
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    panels
        .filter_map(|panel| Some((panel, panel["targets"].as_array()?)))
        .flat_map(|(panel, targets)| {
            let title = str_of(panel, "title");
            targets.iter().map(move |target| {
                let place = format!("{title} {}", str_of(target, "refId"));
                (place, str_of(target, "expr"), str_of(target, "legendFormat"))
            })
        })
        .collect()
}

/// Its form.
pub fn is_sound() {
    let dashboard = read();
    // Grafana migrates older ones; 38 and 39 are those of 10.0 and 10.4.
    assert!(
        dashboard["schemaVersion"]
            .as_u64()
            .is_some_and(|version| version >= 38)
    );
    assert!(dashboard["id"].is_null() && dashboard.get("__inputs").is_none());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    assert_eq!(variables[0]["name"], "datasource");
    assert_eq!(variables[0]["type"], "datasource");
    assert_eq!(variables[0]["query"], "prometheus");
    assert!(
        variables[1..]
            .iter()
            .all(|variable| variable["datasource"] == source)
    );
    let known: BTreeSet<_> = variables
        .iter()
        .map(|variable| str_of(variable, "name"))
        .collect();

    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = str_of(panel, "title");
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is twice"
        );
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{title} is too wide");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{title} lies on another");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"], source, "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(
            targets.iter().all(|target| target["datasource"] == source),
            "{title}"
        );
        let refs: BTreeSet<_> = targets.iter().map(|target| str_of(target, "refId")).collect();
        assert_eq!(refs.len(), targets.len(), "{title}");
    }
    for (place, expression, _) in targets(&dashboard) {
        for variable in expression.split('$').skip(1) {
            let end = variable.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let variable = &variable[..end.unwrap_or(variable.len())];
            assert!(
                known.contains(variable) || variable == "__rate_interval",
                "{place}: no variable {variable}"
            );
        }
    }
}

/// Each expression as a recording rule, which `promtool` reads.
pub fn parses(program: &Path) -> Result<(), Failed> {
    let dashboard = read();
    let rules: Vec<_> = targets(&dashboard)
        .into_iter()
        .enumerate()
        .map(|(n, (_, expression, _))| {
            let expression = expression.replace("$__rate_interval", "5m").replace("$job", ".+");
            json!({"record": format!("panel:{n}"), "expr": expression})
        })
        .collect();
    assert!(rules.len() > 30, "the targets are found");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rules.yaml");
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    std::fs::write(&file, groups.to_string())?;
    promtool(program, &["check", "rules", "--lint-fatal"], &file)
}
