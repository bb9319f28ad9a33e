//! `src/core/` decides on plain values: no runtime, no client, no I/O, no clock, no logging, and
//! nothing of the rest of the crate. This test reads its sources and keeps it so.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Packages that the core may use: values, and the tests' means. Every other one in `Cargo.toml` is
/// an edge's.
const PURE_PACKAGES: [&str; 6] = ["foldhash", "indexmap", "jiff", "proptest", "serde", "thiserror"];

/// Parts of the standard library that reach out of the process, or wait.
const IMPURE_STD: [&str; 8] = ["env", "fs", "io", "net", "os", "path", "process", "thread"];

/// Names that are a clock wherever they come from.
const CLOCKS: [&str; 2] = ["Instant", "SystemTime"];

/// The last part of a path that reads the clock or the system's time zone.
const READINGS: [&str; 4] = ["now", "system", "try_system", "sleep"];

const PRINTING: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

#[test]
fn the_core_is_pure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = packages(&fs::read_to_string(root.join("Cargo.toml")).unwrap());
    for known in [
        "tokio",
        "kube",
        "k8s_openapi",
        "reqwest",
        "axum",
        "tracing",
        "jiff",
    ] {
        assert!(packages.contains(known), "{known} is read from Cargo.toml");
    }
    let core = root.join("src/core");
    let files = sources(&core).unwrap();
    assert!(files.len() >= 20, "the core is found: {files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let depth = depth(file.strip_prefix(&core).unwrap());
        let source = fs::read_to_string(&file).unwrap();
        let found = impurities(&source, depth, &packages);
        wrong.extend(
            found
                .into_iter()
                .map(|what| format!("{}: {what}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "the core must stay pure:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_impure_is_found() {
    let packages = packages(
        "[dependencies]\ntokio = \"1\"\nkube = { version = \"5\" }\nk8s-openapi = \"1\"\njiff = \"0.2\"\n[dev-dependencies]\ntempfile = \"3\"\n[lints]\nfoo = 1\n",
    );
    for bad in [
        "use tokio::time::sleep;",
        "use tokio;",
        "use kube as k;",
        "use {std::sync::Arc, kube::Api};",
        "fn f(p: &k8s_openapi::api::core::v1::Pod) {}",
        "#[cfg(test)] mod tests { use tempfile::tempdir; }",
        "#[tokio::test] fn f() {}",
        "use std::fs;",
        "use std::{collections::{BTreeMap, HashMap}, fs::File, sync::Arc};",
        "use std::{fmt, time::{Duration, Instant}};",
        "use ::std::env;",
        "use std::time; fn f() { time::SystemTime::UNIX_EPOCH; }",
        "fn f() { std::thread::spawn(|| ()); }",
        "fn f() { let _ = std::process::id(); }",
        "use std::net::IpAddr;",
        "let t = jiff::Timestamp::now();",
        "let t = Wall::now();",
        "let z = jiff::tz::TimeZone::system();",
        "map(Zoned::now)",
        "println!(\"x\");",
        "fn f() { dbg!(x); }",
        "use crate::config::Config;",
        "use crate::{core::Row, config};",
        "pub(crate) fn f(_: crate::report::Page) {}",
        "use crate as c;",
        "use super::super::config;",
        "let s = \"// no comment\"; use crate::config;",
        "let c = '\"'; use crate::config; let d = '\"';",
        "fn f<'a>(x: &'a str) { crate::config::y() }",
        "/* a /* nested */ comment */ use crate::config;",
        "let raw = r#\"a \" quote\"#; use crate::config;",
    ] {
        assert_ne!(impurities(bad, 1, &packages), Vec::<String>::new(), "{bad}");
    }
    for good in [
        "//! Nothing here knows tokio::time or println!(\"\").",
        "/* use std::fs; */ // use kube::Api;",
        "let s = \"use std::fs; \\\" crate::config\"; let r = r\"kube::Api\";",
        "use std::{fmt, ops::Add, sync::Arc, time::Duration};",
        "use crate::core::{Row, Sample};",
        "use super::{Kind, ObjectName};",
        "pub type Wall = jiff::Timestamp; let z = Wall::UNIX_EPOCH;",
        "fn f(now: Now) { now.mono; at(now); let kube = 1; kube + 1; }",
        "impl fmt::Display for X {} fn env(fs: u8) {}",
        "pub(in crate::core) fn f() {} pub(crate) fn g() {}",
    ] {
        assert_eq!(impurities(good, 1, &packages), Vec::<String>::new(), "{good}");
    }
    // A file deeper down may name more of what is above it.
    assert_eq!(
        impurities("use super::super::Row;", 2, &packages),
        Vec::<String>::new()
    );
    assert_ne!(
        impurities("use super::super::super::x;", 2, &packages),
        Vec::<String>::new()
    );
    assert_eq!([depth(Path::new("mod.rs")), depth(Path::new("join.rs"))], [0, 1]);
    assert_eq!(
        [
            depth(Path::new("inventory/mod.rs")),
            depth(Path::new("inventory/pools.rs"))
        ],
        [1, 2]
    );
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// How many `super` lead from a file to the core itself.
fn depth(file: &Path) -> usize {
    file.components().count() - usize::from(file.file_name().is_some_and(|name| name == "mod.rs"))
}

/// Names of the packages in all tables of dependencies, as code writes them.
fn packages(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut packages = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if inside && let Some((name, _)) = line.split_once('=') {
            packages.insert(name.trim().trim_matches('"').replace('-', "_"));
        }
    }
    packages
}

/// What a source uses that the core must not.
fn impurities(source: &str, depth: usize, packages: &BTreeSet<String>) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "::" || is_name(&tokens[at]) {
            let imported = at > 0 && tokens[at - 1] == "use";
            let printed = tokens.get(at + 1).is_some_and(|t| t == "!");
            if printed && PRINTING.contains(&&*tokens[at]) {
                found.push(format!("{}!", tokens[at]));
            }
            let mut paths = Vec::new();
            at = paths_from(&tokens, at, &[], &mut paths);
            let wrong = paths
                .iter()
                .filter(|path| is_impure(path, imported, depth, packages));
            found.extend(wrong.map(|path| path.join("::")));
        } else if tokens[at] == "use" && tokens.get(at + 1).is_some_and(|t| t == "{") {
            let mut paths = Vec::new();
            at = group_from(&tokens, at + 1, &[], &mut paths);
            let wrong = paths.iter().filter(|path| is_impure(path, true, depth, packages));
            found.extend(wrong.map(|path| path.join("::")));
        } else {
            at += 1;
        }
    }
    found
}

fn is_impure(path: &[String], imported: bool, depth: usize, packages: &BTreeSet<String>) -> bool {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let supers = parts.iter().take_while(|part| **part == "super").count();
    let package =
        (imported || parts.len() > 1) && packages.contains(parts[0]) && !PURE_PACKAGES.contains(&parts[0]);
    let std = parts[0] == "std" && parts.get(1).is_some_and(|part| IMPURE_STD.contains(part));
    let elsewhere = parts[0] == "crate" && parts.get(1).map_or(imported, |part| *part != "core");
    let reading = parts.len() > 1 && parts.last().is_some_and(|part| READINGS.contains(part));
    let clock = parts.iter().any(|part| CLOCKS.contains(part));
    package || std || elsewhere || reading || clock || supers > depth
}

/// Takes one path, with all that its braces hold; returns where it ends.
fn paths_from(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    if tokens[at] == "::" {
        at += 1;
    }
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") if !path.is_empty() => return group_from(tokens, at, &path, paths),
            Some("*") => path.push("*".into()),
            Some(name) if is_name(name) => path.push(name.into()),
            _ => {
                // A turbofish, or a lone `::`.
                if !path.is_empty() {
                    paths.push(path);
                }
                return at;
            }
        }
        at += 1;
        if tokens.get(at).is_none_or(|t| t != "::") {
            paths.push(path);
            return at;
        }
        at += 1;
    }
}

/// Takes the paths within braces, which all begin with `before`; returns where the braces end.
fn group_from(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    at += 1;
    while at < tokens.len() && tokens[at] != "}" {
        let starts = tokens[at] == "::" || tokens[at] == "*" || is_name(&tokens[at]);
        let next = if starts {
            paths_from(tokens, at, before, paths)
        } else {
            at
        };
        at = next.max(at + usize::from(next == at));
    }
    at + 1
}

fn is_name(token: &str) -> bool {
    token != "use" && token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names and marks of a source, without comments, texts, characters and numbers.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        at += match rest {
            ['/', '/', ..] => until(rest, |rest| rest[0] == '\n'),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => text(rest),
            ['r', '"' | '#', ..] if raw_text(rest).is_some() => raw_text(rest).unwrap_or(1),
            ['\'', '\\', ..] => 3 + until(&rest[3..], |rest| rest[0] == '\'') + 1,
            ['\'', _, '\'', ..] => 3,
            [':', ':', ..] => {
                tokens.push("::".into());
                2
            }
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                let end = until(rest, |rest| !rest[0].is_alphanumeric() && rest[0] != '_');
                tokens.push(rest[..end].iter().collect());
                end
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                1
            }
            [] => 1,
        };
    }
    tokens
}

/// How far it is to where `end` holds, or to the end.
fn until(chars: &[char], end: impl Fn(&[char]) -> bool) -> usize {
    (0..chars.len())
        .find(|at| end(&chars[*at..]))
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn text(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw text, if this is one and not a raw name.
fn raw_text(chars: &[char]) -> Option<usize> {
    let hashes = until(&chars[1..], |rest| rest[0] != '#');
    if chars.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let start = 2 + hashes;
    let end = until(&chars[start..], |rest| {
        rest[0] == '"' && rest[1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    });
    Some(start + end + 1 + hashes)
}
