//! What the documents say: links lead somewhere, examples can be used, tables are what the program and the manifests say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is test; clippy.toml sees only the test functions themselves"
)]

mod blocks;
mod links;
mod reference;
mod rights;
mod tables;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file or folder of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files of the project below `folder` whose names end so, as paths within the project.
fn files(folder: &str, end: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&project(folder), end, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, end: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            // What is built, and what is nobody's to read. A link may lead out of the project, into another checkout.
            if name != "target" && !name.starts_with('.') && !path.is_symlink() {
                collect(&path, end, found);
            }
        } else if name.ends_with(end) {
            let path = path.strip_prefix(project("")).unwrap();
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// The project's own documents.
fn documents() -> Vec<String> {
    let found = files("", ".md");
    assert!(found.iter().any(|path| path == "README.md"), "{found:?}");
    found
}
