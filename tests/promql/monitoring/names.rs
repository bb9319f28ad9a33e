//! One name for one thing: metrics, labels and their values in rules, dashboard and documents are those that are exported,
//! and each alert has its section in the runbook.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    alerts_of, cases, dashboard,
    exported::{Metric, metrics},
    project,
    promql::{Names, Selector, mentioned, names},
    rules, str_of, text,
};

/// Labels that a scrape puts on, and whoever evaluates for several clusters.
const OF_SCRAPE: [&str; 8] = [
    "namespace",
    "exported_namespace",
    "pod",
    "job",
    "instance",
    "container",
    "endpoint",
    "cluster",
];

/// The metric, whichever part of a histogram is asked for.
fn metric<'a>(all: &'a BTreeMap<String, Metric>, name: &str) -> Option<(&'a Metric, bool)> {
    if let Some(metric) = all.get(name) {
        return (!metric.histogram).then_some((metric, false));
    }
    let part = ["_bucket", "_sum", "_count"]
        .into_iter()
        .find_map(|part| all.get(name.strip_suffix(part)?));
    part.filter(|metric| metric.histogram)
        .map(|metric| (metric, true))
}

/// What is wrong with the names of an expression.
fn wrong(all: &BTreeMap<String, Metric>, Names { selectors, labels }: &Names) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut known: BTreeSet<&str> = OF_SCRAPE.into();
    for Selector {
        metric: name,
        matchers,
    } in selectors
    {
        if name == "ALERTS" {
            continue;
        }
        let Some((metric, histogram)) = metric(all, name) else {
            wrong.push(format!("{name} is not exported"));
            continue;
        };
        known.extend(metric.labels.keys().map(String::as_str));
        if histogram {
            known.insert("le");
        }
        for (label, is_regex, text) in matchers {
            let Some(values) = metric.labels.get(label) else {
                if !OF_SCRAPE.contains(&label.as_str()) {
                    wrong.push(format!("{name} has no label {label}"));
                }
                continue;
            };
            let texts: Vec<_> = if *is_regex {
                text.split('|').collect()
            } else {
                vec![text]
            };
            for text in texts {
                let fits = |value: &String| match text.strip_suffix(".*") {
                    Some(start) => value.starts_with(start),
                    None => value == text,
                };
                if !values.is_empty() && !values.iter().any(fits) {
                    wrong.push(format!("{name} has no {label} {text}"));
                }
            }
        }
    }
    let unknown = labels.iter().filter(|label| !known.contains(label.as_str()));
    wrong.extend(unknown.map(|label| format!("none of its metrics has a label {label}")));
    wrong
}

fn assert_all_right(all: &BTreeMap<String, Metric>, place: &str, expression: &str) {
    let wrong = wrong(all, &names(expression));
    assert!(wrong.is_empty(), "{place}: {wrong:?} in {expression}");
}

/// The rules go by what is exported, and their texts by the labels that an alert has.
pub fn of_rules() {
    let all = metrics();
    let rules = rules();
    for alert in alerts_of(&rules) {
        let name = str_of(alert, "alert");
        assert_all_right(&all, name, str_of(alert, "expr"));
        let severity = str_of(&alert["labels"], "severity");
        assert!(["critical", "warning", "info"].contains(&severity), "{name}");
        let mut has = labels_in_cases(name);
        if has.contains("namespace") {
            // Where the scrape renames it; the texts take either.
            has.insert("exported_namespace".into());
        }
        for key in ["summary", "description"] {
            let said = str_of(&alert["annotations"], key);
            assert!(!said.trim().is_empty(), "{name}: {key}");
            for label in said.split("$labels.").skip(1) {
                let end = label.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let label = &label[..end.unwrap_or(label.len())];
                assert!(
                    has.contains(label),
                    "{name}: it has no label {label}, only {has:?}"
                );
            }
        }
    }
}

/// The labels with which an alert fires in the cases.
fn labels_in_cases(name: &str) -> BTreeSet<String> {
    let is = format!("alertname=\"{name}\"");
    let cases = cases::all();
    let fires = cases.iter().flat_map(|case| &case.fires).flat_map(|(_, of)| of);
    let fires = fires.filter(|labels| labels.contains(&is));
    let labels = fires.flat_map(|labels| names(labels).selectors);
    labels
        .flat_map(|selector| selector.matchers)
        .map(|(label, ..)| label)
        .collect()
}

/// The dashboard goes by what is exported, and shows all of it.
pub fn of_dashboard() {
    let all = metrics();
    let dashboard = dashboard::read();
    let mut shown = BTreeSet::new();
    for (place, expression, legend) in dashboard::targets(&dashboard) {
        assert_all_right(&all, &place, expression);
        let Names { selectors, labels } = names(expression);
        for label in legend.split("{{").skip(1) {
            let label = label.split("}}").next().unwrap_or_default();
            let grouped =
                labels.contains(label) || !expression.contains(" by (") && OF_SCRAPE.contains(&label);
            assert!(grouped, "{place}: no label {label} to show");
        }
        shown.extend(selectors.into_iter().map(|selector| selector.metric));
    }
    for (name, metric) in &all {
        let suffix = if metric.histogram { "_bucket" } else { "" };
        let name = format!("{name}{suffix}");
        assert!(shown.contains(&name), "{name} is not on the dashboard");
    }
}

/// Documents name nothing that is not there.
pub fn of_documents() {
    let all = metrics();
    let mut files = vec![
        "README.md".to_owned(),
        "manifests/README.md".into(),
        "config.example.yaml".into(),
    ];
    for entry in std::fs::read_dir(project("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(format!("docs/{}", path.file_name().unwrap().display()));
        }
    }
    for file in files {
        for mut selector in mentioned(&text(&file)) {
            // A histogram is called by its name in prose; `scale_from_zero_*` stands for all.
            if all.get(&selector.metric).is_some_and(|metric| metric.histogram) {
                selector.metric += "_bucket";
            } else if selector.metric.ends_with('_') {
                continue;
            }
            let one = Names {
                selectors: vec![selector],
                labels: BTreeSet::new(),
            };
            let wrong = wrong(&all, &one);
            assert!(wrong.is_empty(), "{file}: {wrong:?}");
        }
    }
}

/// Each alert has its section in the runbook, where its link leads, and each section its alert.
pub fn of_runbook() {
    let rules = rules();
    let runbook = text("docs/runbook.md");
    let sections: BTreeMap<_, _> = runbook
        .split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .filter(|(title, _)| title.starts_with("ScaleFromZero"))
        .collect();
    let alerts: BTreeMap<_, &Value> = alerts_of(&rules)
        .map(|alert| (str_of(alert, "alert"), alert))
        .collect();
    let names = |map: Vec<&&str>| map.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(sections.keys().collect()), names(alerts.keys().collect()));
    for (name, alert) in alerts {
        // As GitHub makes it of the heading.
        let link = format!("/docs/runbook.md#{}", name.to_lowercase());
        let url = str_of(&alert["annotations"], "runbook_url");
        assert!(
            url.starts_with("https://") && url.ends_with(&link),
            "{name}: {url}"
        );
        for part in ["**Users**", "**Look**", "**Mend**"] {
            assert!(sections[name].contains(part), "{name}: no {part}");
        }
        let severity = str_of(&alert["labels"], "severity");
        assert!(
            sections[name].trim_start().starts_with(&format!("*{severity}*")),
            "{name} is {severity}"
        );
    }
}

/// The fast scrape keeps every series that the queries ask for.
pub fn of_epp_scrape() {
    use scale_from_zero::prometheus::query;
    let monitor: Value = serde_yaml::from_str(&text("manifests/monitoring/epp/servicemonitor.yaml")).unwrap();
    let endpoint = &monitor["spec"]["endpoints"][0];
    let keep = str_of(&endpoint["metricRelabelings"][0], "regex");
    let kept = alternatives(keep);
    let config = crate::query();
    let asked = [
        query::demand(&config),
        query::age(&config).unwrap(),
        query::signal(&config).unwrap(),
    ]
    .concat();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let asked: BTreeSet<_> = asked
        .split(|c| !is_part(c))
        .filter(|word| word.starts_with("llm_d_epp_") || word.starts_with("inference_"))
        .filter(|word| *word != "inference_pool")
        .map(str::to_owned)
        .collect();
    assert_eq!(kept, asked);
}

/// What a regular expression of alternatives in parentheses matches.
fn alternatives(regex: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for branch in split(regex) {
        match branch.find('(') {
            None => {
                all.insert(branch.to_owned());
            }
            Some(open) => {
                let mut depth = 0;
                let close = branch[open..].find(|c| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    depth == 0
                });
                let close = open + close.expect("its end");
                for middle in alternatives(&branch[open + 1..close]) {
                    let whole = format!("{}{middle}{}", &branch[..open], &branch[close + 1..]);
                    all.extend(alternatives(&whole));
                }
            }
        }
    }
    all
}

/// At each `|` outside of parentheses.
fn split(regex: &str) -> Vec<&str> {
    let mut depth = 0;
    regex
        .split(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0 && c == '|'
        })
        .collect()
}
