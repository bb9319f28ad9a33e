//! The reference in docs/configuration.md is made from config.example.yaml.

use std::{collections::BTreeSet, env, fmt::Write as _, fs};

use scale_from_zero::config::keys;
use serde_yaml::{Mapping, Value};

use super::{project, read};

const DOCUMENT: &str = "docs/configuration.md";
const BEGIN: &str =
    "<!-- made from config.example.yaml by `UPDATE_DOCS=1 cargo test --test docs`: change it there -->\n\n";
const END: &str = "\n<!-- end -->\n";

/// A key that takes a value.
struct Row {
    key: String,
    /// As the file writes it; of a key that is commented out, the example that stands there.
    value: String,
    has_default: bool,
    /// The first sentence about it.
    about: String,
}

/// The keys of the example, in its order.
fn rows(example: &str) -> Vec<Row> {
    let known: BTreeSet<String> = keys().into_iter().collect();
    let mut rows: Vec<Row> = Vec::new();
    // The names above, each with how deep it stands and what is said of it.
    let mut above: Vec<(usize, String, String)> = Vec::new();
    let mut comment = String::new();
    for line in example.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if text.is_empty() {
            comment.clear();
        } else if text == "#" {
            // A new paragraph of the same comment.
        } else if let Some(words) = text.strip_prefix("# ") {
            comment.push_str(if comment.is_empty() { "" } else { " " });
            comment.push_str(words);
        } else if let Some(item) = text.strip_prefix("- ") {
            let value = &mut rows.last_mut().expect("a list has a key").value;
            *value = match value.strip_suffix(']') {
                Some(before) => format!("{before}, {item}]"),
                None => format!("[{item}]"),
            };
        } else {
            let bare = text.strip_prefix('#').unwrap_or(text);
            let (name, value) = bare.split_once(':').expect("a key");
            above.retain(|(deeper, ..)| *deeper < depth);
            let path: Vec<&str> = above.iter().map(|(_, name, _)| name.as_str()).collect();
            let key = [&path[..], &[name]].concat().join(".");
            let said = first_sentence(&std::mem::take(&mut comment));
            // Keys that stand in braces on one line.
            let within: Option<Mapping> = serde_yaml::from_str(value).ok();
            let parts: Vec<(String, String)> = if known.contains(&key) {
                vec![(key.clone(), value.trim().to_owned())]
            } else {
                let part = |(name, value): (Value, Value)| {
                    let text = |value: Value| serde_yaml::to_string(&value).unwrap().trim().to_owned();
                    (format!("{key}.{}", text(name)), text(value))
                };
                within.into_iter().flatten().map(part).collect()
            };
            if parts.is_empty() {
                above.push((depth, name.to_owned(), said));
                continue;
            }
            for (key, value) in parts {
                // Behind the key itself stands at most another example of it.
                if rows.iter().all(|row| row.key != key) {
                    rows.push(Row {
                        about: about(&said, &key, rows.last(), &above),
                        key,
                        value,
                        has_default: bare == text,
                    });
                }
            }
        }
    }
    rows
}

/// What is said of a key: of those in one block the first, or what is above them, speaks for all.
fn about(said: &str, key: &str, before: Option<&Row>, above: &[(usize, String, String)]) -> String {
    let parent = |key: &str| key.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    let sibling = before.filter(|row| parent(&row.key) == parent(key));
    let section = above.last().map_or("", |(.., said)| said);
    match sibling {
        _ if !said.is_empty() => said.to_owned(),
        Some(row) => row.about.clone(),
        None => section.to_owned(),
    }
}

/// Up to the first full stop that ends something.
fn first_sentence(text: &str) -> String {
    let ends = text.match_indices(". ").find(|(at, _)| {
        let next = text[at + 2..].chars().next();
        next.is_some_and(|c| c.is_uppercase() || c == '`' || c.is_ascii_digit())
    });
    ends.map_or(text, |(at, _)| &text[..=at]).to_owned()
}

fn table() -> String {
    let mut table = String::from("| key | default | |\n|---|---|---|\n");
    for row in rows(&read("config.example.yaml")) {
        let default = if row.has_default {
            format!("`{}`", row.value)
        } else {
            format!("none; e.g. `{}`", row.value)
        };
        let about = row.about.replace('|', "\\|");
        // Only writing to a String, which does not fail.
        let _ = writeln!(table, "| `{}` | {default} | {about} |", row.key);
    }
    table
}

#[test]
fn the_reference_is_what_the_example_says() {
    let text = read(DOCUMENT);
    let (before, after) = text.split_once(BEGIN).expect("the mark of the beginning");
    let (_, after) = after.split_once(END).expect("the mark of the end");
    let made = format!("{before}{BEGIN}{}{END}{after}", table());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(project(DOCUMENT), &made).unwrap();
    } else {
        assert!(
            text == made,
            "config.example.yaml says otherwise: UPDATE_DOCS=1 cargo test --test docs"
        );
    }
}

#[test]
fn every_key_is_in_the_reference_with_a_sentence() {
    let rows = rows(&read("config.example.yaml"));
    let named: BTreeSet<String> = rows.iter().map(|row| row.key.clone()).collect();
    assert_eq!(named, keys().into_iter().collect());
    for row in rows {
        assert!(!row.about.is_empty() && !row.value.is_empty(), "{}", row.key);
    }
}

#[test]
fn a_sentence_ends_where_one_ends() {
    for (text, first) in [
        (
            "Names, e.g. [a, b]; empty: all. The word",
            "Names, e.g. [a, b]; empty: all.",
        ),
        ("One. `two` is more.", "One."),
        ("Only one", "Only one"),
    ] {
        assert_eq!(first_sentence(text), first);
    }
}
