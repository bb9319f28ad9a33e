//! Examples in the documents can be used as they stand.

use std::{collections::BTreeSet, path::Path};

use k8s_openapi::api::networking::v1::NetworkPolicy;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use scale_from_zero::config::{Environment, keys, parse};
use serde::Deserialize as _;
use serde_yaml::Value;

use super::{documents, read};

/// The text of every block of YAML.
fn yaml(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if &*language == "yaml" => {
                inside = true;
                found.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(words) if inside => found.last_mut().unwrap().push_str(&words),
            _ => {}
        }
    }
    found
}

/// What stands before the first dot of every key of the configuration.
fn sections() -> BTreeSet<String> {
    let first = |key: String| key.split('.').next().unwrap_or_default().to_owned();
    keys().into_iter().map(first).collect()
}

fn is_configuration(documents: &[Value], sections: &BTreeSet<String>) -> bool {
    let [Value::Mapping(only)] = documents else {
        return false;
    };
    !only.is_empty()
        && only
            .keys()
            .all(|key| key.as_str().is_some_and(|key| sections.contains(key)))
}

#[test]
fn yaml_in_the_documents_is_yaml_and_configurations_are_good() {
    let env = Environment {
        namespace: Some("scale-from-zero".into()),
    };
    let sections = sections();
    let mut configurations = 0;
    for name in documents() {
        for block in yaml(&read(&name)) {
            let documents: Vec<Value> = serde_yaml::Deserializer::from_str(&block)
                .map(Value::deserialize)
                .collect::<Result<_, _>>()
                .unwrap_or_else(|error| panic!("{name}: {error} in:\n{block}"));
            if is_configuration(&documents, &sections) {
                configurations += 1;
                parse(Path::new(&name), &block, &env).unwrap_or_else(|error| panic!("{error}\nin:\n{block}"));
            }
        }
    }
    assert!(
        configurations >= 4,
        "the configurations are found: {configurations}"
    );
}

/// A field that the API does not know would be dropped, or refused, when it is applied.
#[test]
fn network_policies_in_the_documents_have_no_unknown_fields() {
    let mut policies = 0;
    for name in documents() {
        for block in yaml(&read(&name)) {
            for document in serde_yaml::Deserializer::from_str(&block) {
                let said = Value::deserialize(document).unwrap();
                if said["kind"] == "NetworkPolicy" {
                    policies += 1;
                    let known: NetworkPolicy = serde_yaml::from_value(said.clone())
                        .unwrap_or_else(|error| panic!("{name}: {error} in:\n{block}"));
                    assert_eq!(serde_yaml::to_value(known).unwrap(), said, "{name}");
                }
            }
        }
    }
    assert!(policies > 0, "the policies are found");
}
