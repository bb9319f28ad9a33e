use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use super::*;

/// One verb of one resource, and where it is granted.
type Right = (Granted, String, String, Option<String>, String);

fn documents(path: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("manifests/rbac")
        .join(path);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    crate::config::documents(&text).unwrap()
}

fn texts(of: &Value) -> Vec<String> {
    let all = of.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn spread(granted: Granted, rule: &Value, into: &mut BTreeSet<Right>) {
    let known = ["apiGroups", "resources", "resourceNames", "verbs"];
    assert!(
        rule.as_object()
            .unwrap()
            .keys()
            .all(|key| known.contains(&&**key)),
        "{rule}"
    );
    let mut names: Vec<_> = texts(&rule["resourceNames"]).into_iter().map(Some).collect();
    if names.is_empty() {
        names.push(None);
    }
    for group in texts(&rule["apiGroups"]) {
        for resource in texts(&rule["resources"]) {
            for name in &names {
                for verb in texts(&rule["verbs"]) {
                    into.insert((granted, group.clone(), resource.clone(), name.clone(), verb));
                }
            }
        }
    }
}

fn role(granted: Granted, path: &str) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for role in documents(path) {
        for rule in role["rules"].as_array().unwrap() {
            spread(granted, rule, &mut rights);
        }
    }
    rights
}

fn additions(granted: Granted, path: &str) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for patch in documents(path) {
        for addition in patch.as_array().unwrap() {
            spread(granted, &addition["value"], &mut rights);
        }
    }
    rights
}

#[test]
fn the_table_is_what_the_manifests_grant() {
    let mut granted = role(Granted::Always, "namespaced/role.yaml");
    let everywhere = role(Granted::Always, "cluster-wide/clusterrole.yaml");
    assert!(everywhere.is_superset(&granted));
    let more: Vec<_> = everywhere.difference(&granted).cloned().collect();
    granted.extend(
        more.into_iter()
            .map(|(_, g, r, n, v)| (Granted::ClusterWide, g, r, n, v)),
    );
    granted.extend(role(Granted::Lease, "leader-election/role.yaml"));
    let mut folders = 0;
    for option in ["annotate-variant", "pods", "autoscalers"] {
        granted.extend(additions(
            Granted::Option(option),
            &format!("{option}/rules.yaml"),
        ));
        folders += 1;
    }
    let only = Granted::ClusterWideOption("autoscalers");
    granted.extend(additions(only, "autoscalers/cluster-rules.yaml"));

    let mut table = BTreeSet::new();
    for rule in RULES {
        for group in rule.groups {
            for resource in rule.resources {
                for verb in rule.verbs {
                    let name = rule.name.map(str::to_owned);
                    let right = (
                        rule.granted,
                        (*group).into(),
                        (*resource).into(),
                        name,
                        (*verb).into(),
                    );
                    assert!(table.insert(right), "twice: {rule:?}");
                }
            }
        }
    }
    let lacking: Vec<_> = granted.difference(&table).collect();
    let invented: Vec<_> = table.difference(&granted).collect();
    assert!(
        lacking.is_empty() && invented.is_empty(),
        "{lacking:#?} {invented:#?}"
    );

    // No folder is forgotten here.
    let rbac = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/rbac");
    let all = std::fs::read_dir(rbac).unwrap().count();
    assert_eq!(
        all,
        folders + 3,
        "cluster-wide, namespaced, leader-election and the options"
    );
}

#[test]
fn options_are_needed_where_they_are_on() {
    let mut config = Config::default();
    let needed = |config: &Config, granted| {
        let situation = Situation {
            config,
            has_managed: false,
            kinds: &[],
        };
        let of = RULES.iter().filter(|rule| rule.granted == granted);
        of.filter_map(|rule| rule.need(situation)).count()
    };
    let all = [
        Granted::Option("annotate-variant"),
        Granted::Option("autoscalers"),
        Granted::ClusterWideOption("autoscalers"),
        Granted::Lease,
    ];
    assert_eq!(all.map(|granted| needed(&config, granted)), [0, 0, 0, 0]);
    assert_eq!(needed(&config, Granted::Option("pods")), 1, "of use in any case");
    config.status.annotate_variant = true;
    config.wake.guard = true;
    config.leader_election.enabled = true;
    assert_eq!(all.map(|granted| needed(&config, granted)), [1, 2, 1, 2]);
}
