//! The table of rights in docs/security.md is what manifests/rbac grants, right by right.

use std::{collections::BTreeSet, path::Path};

use serde::Deserialize as _;
use serde_yaml::Value;

use super::{files, read, tables};

/// Folder of manifests/rbac, API group, resource, verb, and the names it holds for.
type Right = (String, String, String, String, Vec<String>);

fn words(value: &Value) -> Vec<String> {
    let list = value.as_sequence().into_iter().flatten();
    list.map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Every right in the roles and in the patches that add rules to a role.
fn granted() -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for file in files("manifests/rbac", ".yaml") {
        let folder = Path::new(&file).parent().unwrap().file_name().unwrap();
        for document in serde_yaml::Deserializer::from_str(&read(&file)) {
            let document = Value::deserialize(document).unwrap();
            let rules: Vec<&Value> = match &document {
                Value::Sequence(patch) => patch.iter().map(|op| &op["value"]).collect(),
                role => role["rules"].as_sequence().into_iter().flatten().collect(),
            };
            for rule in rules {
                assert!(
                    rule["nonResourceURLs"].is_null(),
                    "{file}: a kind of rule not known here"
                );
                for group in words(&rule["apiGroups"]) {
                    for resource in words(&rule["resources"]) {
                        for verb in words(&rule["verbs"]) {
                            let folder = folder.to_str().unwrap().to_owned();
                            let names = words(&rule["resourceNames"]);
                            rights.insert((folder, group.clone(), resource.clone(), verb, names));
                        }
                    }
                }
            }
        }
    }
    rights
}

/// The same, as the document says it.
fn documented() -> BTreeSet<Right> {
    let head = ["API group", "resource", "verbs", "granted by", "for"];
    let mut rights = BTreeSet::new();
    for row in tables::rows(&read("docs/security.md"), &head) {
        let resource = tables::quoted(&row[1]);
        let names: Vec<String> = resource[1..].iter().map(|&name| name.to_owned()).collect();
        assert!(!row[4].is_empty(), "what for? {row:?}");
        for group in tables::quoted(&row[0]) {
            for verb in tables::quoted(&row[2]) {
                for folder in tables::quoted(&row[3]) {
                    let group = if group == "core" { "" } else { group };
                    let right = (
                        folder.to_owned(),
                        group.to_owned(),
                        resource[0].to_owned(),
                        verb.to_owned(),
                        names.clone(),
                    );
                    assert!(rights.insert(right), "said twice: {row:?}");
                }
            }
        }
    }
    rights
}

#[test]
fn every_right_has_its_line_and_every_line_its_right() {
    let (granted, documented) = (granted(), documented());
    assert!(granted.len() > 30, "the rights are found: {granted:?}");
    let unsaid: Vec<_> = granted.difference(&documented).collect();
    let untrue: Vec<_> = documented.difference(&granted).collect();
    assert!(
        unsaid.is_empty() && untrue.is_empty(),
        "docs/security.md does not say {unsaid:#?}\nand says, but manifests/rbac does not grant, {untrue:#?}"
    );
}
