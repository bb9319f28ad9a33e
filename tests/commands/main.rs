//! The commands that need no cluster, as processes: what they print, and how they end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is test; clippy.toml sees only the test functions themselves"
)]

mod completions;
mod config;
mod help;
mod version;

use std::process::{Command, Output, Stdio};

/// The commands that everybody sees.
const COMMANDS: &[&str] = &[
    "run",
    "wake",
    #[cfg(feature = "demo")]
    "demo",
    "config",
    "version",
    "completions",
];

/// The program, with nothing of the environment of the tests.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scale-from-zero"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn output(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program")
}

/// What it prints when all is well, and nothing on standard error.
fn printed(arguments: &[&str]) -> String {
    let output = output(arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// What it says on standard error when it fails with this status, and nothing on standard output.
fn refused(arguments: &[&str], code: i32) -> String {
    let output = output(arguments);
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8(output.stderr).expect("text");
    assert_eq!(
        (output.status.code(), &*out),
        (Some(code), ""),
        "{arguments:?}: {err}"
    );
    err
}
