//! Examples in the documents can be used as they stand.

use std::{collections::BTreeSet, path::Path};

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
        configurations > 5,
        "the configurations are found: {configurations}"
    );
}
