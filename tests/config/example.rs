//! `config.example.yaml` documents every key and says the defaults.

use std::{collections::BTreeSet, path::Path};

use scale_from_zero::config::{Config, Environment, keys, parse};

use crate::parsed;

const EXAMPLE: &str = include_str!("../../config.example.yaml");

/// Blocks of lines that are settings behind a `#` without a space, as ranges of line numbers.
fn disabled_blocks() -> Vec<std::ops::Range<usize>> {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let disabled = |line: &str| {
        line.trim_start()
            .strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let mut blocks: Vec<std::ops::Range<usize>> = Vec::new();
    for (number, _) in lines.iter().enumerate().filter(|(_, line)| disabled(line)) {
        match blocks.last_mut() {
            Some(block) if block.end == number => block.end += 1,
            _ => blocks.push(number..number + 1),
        }
    }
    blocks
}

/// The example with one block taken in. What stands for the same key already, or as `url` for the other way to say
/// `urls`, makes room.
fn with_block(block: &std::ops::Range<usize>) -> String {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let key_of = |line: &str| {
        line.replacen('#', "", 1)
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let new: Vec<String> = lines[block.clone()].iter().map(|line| key_of(line)).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        if block.contains(&number) {
            text += &line.replacen('#', "", 1);
        } else {
            // The key it replaces is the nearest line above of the same name and depth.
            let replaced = block.start.saturating_sub(5) <= number
                && number < block.start
                && new
                    .iter()
                    .any(|key| key_of(line) == *key || format!("{}s", key_of(line)) == *key);
            if !replaced {
                text += line;
            }
        }
        text += "\n";
    }
    text
}

#[test]
fn the_example_says_the_defaults() {
    assert_eq!(parsed(EXAMPLE).unwrap(), Config::default());
    // In a pod, too.
    let env = Environment {
        namespace: Some("here".to_owned()),
    };
    assert_eq!(
        parse(Path::new("config.yaml"), EXAMPLE, &env).unwrap(),
        Config::default()
    );
}

#[test]
fn every_setting_behind_a_hash_can_be_taken_in() {
    let blocks = disabled_blocks();
    assert!(blocks.len() >= 10, "found only {blocks:?}");
    for block in blocks {
        let text = with_block(&block);
        let config = parsed(&text).unwrap_or_else(|error| panic!("{error}\nin:\n{text}"));
        assert_ne!(config, Config::default(), "nothing came of lines {block:?}");
    }
}

#[test]
fn every_key_is_in_the_example_and_no_other() {
    let mut documented = BTreeSet::new();
    for text in disabled_blocks()
        .iter()
        .map(with_block)
        .chain([EXAMPLE.to_owned()])
    {
        collect("", &serde_yaml::from_str(&text).unwrap(), &mut documented);
    }
    let known: BTreeSet<String> = keys().into_iter().collect();
    assert_eq!(documented, known);
    assert!(
        known.contains("prometheus.tls.caFile") && known.len() > 40,
        "{known:?}"
    );
}

/// Adds the full path of each key that has a value of its own. A mapping is a value where its names are the user's.
fn collect(at: &str, value: &serde_yaml::Value, all: &mut BTreeSet<String>) {
    let free = ["prometheus.headers", "prometheus.params", "query.matchers"];
    match value {
        serde_yaml::Value::Mapping(below) if !free.contains(&at) => {
            for (name, value) in below {
                let name = name.as_str().unwrap();
                collect(
                    &if at.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{at}.{name}")
                    },
                    value,
                    all,
                );
            }
        }
        _ => {
            all.insert(at.to_owned());
        }
    }
}

#[test]
fn lines_stay_readable_in_a_terminal() {
    for line in EXAMPLE.lines() {
        assert!(line.len() <= 120, "{line}");
    }
}
