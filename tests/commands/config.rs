//! `config`.

use std::fs;

use scale_from_zero::config::{Config, Environment, parse};
use tempfile::TempDir;

use crate::{printed, refused};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.yaml");

fn parsed(text: &str) -> Config {
    parse("printed.yaml".as_ref(), text, &Environment::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_example_is_the_default_and_comes_back() {
    let told = printed(&["config", "--config", EXAMPLE]);
    assert_eq!(parsed(&told), Config::default());
    assert_eq!(parsed(&printed(&["config"])), Config::default());
    // Given back, it says the same; only the places differ.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("printed.yaml");
    fs::write(&file, &told).unwrap();
    let again = printed(&["config", "--config", file.to_str().unwrap()]);
    let bare = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.split("  #").next().unwrap().to_owned() + "\n")
            .collect()
    };
    assert_eq!(bare(&again), bare(&told));
}

#[test]
fn json_is_a_configuration_and_where_it_was_set() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.yaml");
    let name = file.to_str().unwrap();
    fs::write(&file, "interval: 250ms\nwake:\n  maxStarting: 3\n").unwrap();
    let told = printed(&["config", "-c", name, "--dry-run", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let config = parsed(&told["config"].to_string());
    assert_eq!((config.wake.max_starting, config.dry_run), (Some(3), true));
    let set = serde_json::json!({
        "interval": format!("{name}:1"), "wake.maxStarting": format!("{name}:3"), "dryRun": "--dry-run",
    });
    assert_eq!(told["setAt"], set);
}

#[test]
fn secrets_are_not_printed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.yaml");
    let text = "prometheus: {headers: {Cookie: s3cret}, params: {key: s3cret}}";
    fs::write(&file, text).unwrap();
    for format in ["text", "json"] {
        let told = printed(&["config", "-c", file.to_str().unwrap(), "-o", format]);
        assert!(!told.contains("s3cret") && told.contains("<hidden>"), "{told}");
    }
}

/// The same words as `run` has for it, with the place, the value and the mend.
#[test]
fn a_bad_file_is_told_whole() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.yaml");
    let name = file.to_str().unwrap();
    let text = "interval: 5\nwake:\n  selekt: all\nprometheus: {url: \"http://me:s3cret@host\"}\n";
    fs::write(&file, text).unwrap();
    let told = refused(&["config", "--config", name], 1);
    for part in [
        "config.yaml: 3 problems",
        "line 1: interval: 5 is not a duration; write a number with a unit",
        "line 3: wake.selekt: unknown key; did you mean wake.select?",
        "line 4: prometheus.url: holds a user name or password; write those under prometheus.basicAuth",
    ] {
        assert!(told.contains(part), "no {part} in:\n{told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
    assert_eq!(told, refused(&["run", "--config", name], 1));

    let missing = folder.path().join("missing.yaml");
    let told = refused(&["config", "--config", missing.to_str().unwrap()], 1);
    assert!(
        told.contains("missing.yaml: cannot be read") && told.contains("--config"),
        "{told}"
    );
}
