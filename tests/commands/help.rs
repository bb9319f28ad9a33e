//! `--help`, and readers that go away.

use std::process::Stdio;

use crate::{COMMANDS, output, printed, program, refused};

#[test]
fn help_of_every_command_has_examples_and_says_its_exit_status() {
    let help = printed(&["--help"]);
    for command in COMMANDS {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command} is missing in:\n{help}"
        );
        let help = printed(&[command, "--help"]);
        assert_eq!(help, printed(&["help", command]));
        let example = format!("scale-from-zero {command}");
        assert!(help.matches(&example).count() > 1, "no example in:\n{help}");
    }
    for command in COMMANDS
        .iter()
        .filter(|command| !["version", "completions"].contains(command))
    {
        let help = printed(&[command, "--help"]);
        assert!(help.contains("Exit status: 0 "), "{help}");
    }
    assert!(help.contains("Exit status: 0 done; 1 failed"), "{help}");
}

#[test]
fn what_is_mistyped_is_told_with_what_was_meant() {
    let told = refused(&["confg"], 2);
    assert!(told.contains("'config'"), "{told}");
    let told = refused(&["run", "--dryrun"], 2);
    assert!(told.contains("'--dry-run'"), "{told}");
    assert_eq!(output(&[]).status.code(), Some(2));
}

/// As with `| head`: the reader is gone before anything is printed.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [
        &["config"][..],
        &["config", "-o", "json"],
        &["version"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}");
    }
}

/// Any other failure to write is one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program(&["config"]).stdout(full).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("No space left on device"), "{err}");
}
