//! The configuration: its messages, its example, its limits, and what becomes of a file that changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is test; clippy.toml sees only the test functions themselves"
)]

mod effective;
mod example;
mod hostile;
mod limits;
mod messages;
mod refusals;
mod reload;

use std::path::Path;

use scale_from_zero::config::{Config, ConfigError, Environment, parse};

/// Parses as the file `config.yaml`, outside any pod.
fn parsed(text: &str) -> Result<Config, ConfigError> {
    parse(Path::new("config.yaml"), text, &Environment::default())
}

/// The whole message about a bad text.
fn told(text: &str) -> String {
    parsed(text).expect_err("the text must be refused").to_string()
}

/// The one problem of a bad text, without the heading.
fn problem(text: &str) -> String {
    let told = told(text);
    let heading = "config.yaml: 1 problem\n  ";
    told.strip_prefix(heading)
        .unwrap_or_else(|| panic!("not one problem: {told}"))
        .to_owned()
}

/// Each text and its one problem.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(problem(text), *expected, "in:\n{text}");
    }
}
