//! Tells the program what it was built from, for `version` and the metric `build_info`. The same source, commit and
//! compiler give the same answer: there is no time of the build in it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// What the program consists of: a change of it makes the commit that is told a lie.
const SOURCES: [&str; 4] = ["src", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    for name in ["COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo:rerun-if-env-changed={}", variable(name));
    }
    tell("COMMIT", &commit());
    tell("RUSTC", &rustc());
    tell("TARGET", &env::var("TARGET").unwrap_or_default());
    tell("PROFILE", &env::var("PROFILE").unwrap_or_default());
    tell("DATE", &env::var("SOURCE_DATE_EPOCH").unwrap_or_default());
}

fn tell(name: &str, value: &str) {
    println!("cargo:rustc-env=BUILD_{name}={value}");
}

/// Ours have the program's name before them; the other one is everybody's.
fn variable(name: &str) -> String {
    match name {
        "SOURCE_DATE_EPOCH" => name.to_owned(),
        ours => format!("SCALE_FROM_ZERO_{ours}"),
    }
}

/// What was said, for builds without a checkout, as in the Dockerfile; else what the checkout is at, with `-dirty`
/// behind it where the sources differ from that; else `unknown`.
fn commit() -> String {
    let said = env::var(variable("COMMIT")).unwrap_or_default();
    // A line of its own would be an order to cargo.
    let said = said.split_whitespace().next().unwrap_or_default();
    if !said.is_empty() {
        return said.to_owned();
    }
    checkout().unwrap_or_else(|| "unknown".to_owned())
}

fn checkout() -> Option<String> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").ok()?);
    // Sources that were unpacked within another project's checkout are none of its commits.
    let top = git(&here, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != here.canonicalize().ok()? {
        return None;
    }
    // The log moves with every commit, also with the first after refs were packed.
    let mut moves = ["HEAD", "logs/HEAD", "packed-refs"].map(str::to_owned).to_vec();
    moves.extend(git(&here, &["symbolic-ref", "--quiet", "HEAD"]));
    for name in moves {
        let path = git(&here, &["rev-parse", "--git-path", &name])?;
        // One that is not there would make cargo build anew each time.
        if here.join(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let commit = git(&here, &["rev-parse", "HEAD"])?;
    let mut changes = vec!["status", "--porcelain", "--"];
    changes.extend(SOURCES);
    let clean = git(&here, &changes)?.is_empty();
    Some(if clean { commit } else { commit + "-dirty" })
}

fn git(within: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(within)
        // `status` would write the index anew where it can; a build has no business there.
        .arg("--no-optional-locks")
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn rustc() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output();
    let said = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    said.unwrap_or_default().trim().to_owned()
}
