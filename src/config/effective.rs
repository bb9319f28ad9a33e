//! What is in force and where each value was set: what `config` prints.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use serde_yaml::{Mapping, Value};

use super::{
    Config, ConfigError, Environment,
    key::{Key, Step},
    keys,
    load::{judge, read},
    raw::Raw,
    words::{HIDDEN, OWN},
    written, yaml,
};

/// A configuration with where its values were set.
#[derive(Clone, Debug)]
pub struct Effective {
    /// What is in force.
    pub config: Config,
    /// The file as it was named; `None` without one.
    file: Option<String>,
    /// Full path of a key to where it was set, e.g. `config.yaml:3`. What is not here is a default.
    set: BTreeMap<String, String>,
}

impl Effective {
    /// Reads `file`; without one, the defaults hold.
    ///
    /// # Errors
    ///
    /// As [`load()`](super::load()).
    pub fn read(file: Option<&Path>, env: &Environment) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            return Ok(Self::of(Config::default(), None, BTreeMap::new()));
        };
        let content = read(path);
        let text = content.as_ref().map_or_else(
            |_| String::new(),
            |content| String::from_utf8_lossy(content).into_owned(),
        );
        let config = judge(path, content, env)?;
        let file = shown(path);
        let mut set = places(&file, &text);
        // A list of one is told as that one.
        if let [_] = &config.prometheus.urls[..]
            && let Some(place) = set.remove("prometheus.urls")
        {
            set.insert("prometheus.url".to_owned(), place);
        }
        let lease = "leaderElection.namespace";
        if config.leader_election.namespace.is_some() && !set.contains_key(lease) {
            set.insert(lease.to_owned(), "the namespace of this pod".to_owned());
        }
        Ok(Self::of(config, Some(file), set))
    }

    fn of(config: Config, file: Option<String>, set: BTreeMap<String, String>) -> Self {
        Self { config, file, set }
    }

    /// Decide and report only, because of `by`.
    pub fn dry_run(&mut self, by: &str) {
        self.config.dry_run = true;
        self.set.insert("dryRun".to_owned(), by.to_owned());
    }

    /// A file that says the same, with comments: at its top what it is, behind each value that was set where.
    pub fn yaml(&self) -> String {
        let mut text = match &self.file {
            Some(file) => format!(
                "# The configuration in force: {file}, and defaults. Behind each value that was set stands where.\n"
            ),
            None => "# The configuration in force: the defaults, since no file was given.\n".to_owned(),
        };
        let tree = tree(&self.raw());
        if !hidden(&tree).is_empty() {
            text += "# What may be a secret is not shown: put it in where ";
            text += HIDDEN;
            text += " stands, before this is used as a file.\n";
        }
        section(&mut text, &tree, &Key::default(), &self.set);
        text
    }

    /// `config`: the same as an object; `setAt`: key to where it was set; `hidden`: the keys whose values are not shown.
    pub fn json(&self) -> String {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Told<'a> {
            config: Raw,
            set_at: &'a BTreeMap<String, String>,
            hidden: Vec<String>,
        }
        let config = self.raw();
        let told = Told {
            hidden: hidden(&tree(&config)),
            config,
            set_at: &self.set,
        };
        match serde_json::to_string_pretty(&told) {
            Ok(text) => text,
            // Text, numbers, lists and maps with text as keys: nothing on the way can fail.
            Err(_) => unreachable!("the configuration is plain data"),
        }
    }

    fn raw(&self) -> Raw {
        written::raw(&self.config)
    }
}

fn tree(raw: &Raw) -> Mapping {
    match serde_yaml::to_value(raw) {
        Ok(Value::Mapping(tree)) => tree,
        // As in `keys.rs`.
        _ => unreachable!("Raw is a struct"),
    }
}

/// Where each key of the file stands.
fn places(file: &str, text: &str) -> BTreeMap<String, String> {
    // It has been read before, and was good.
    let tree = yaml::tree(text).unwrap_or(Value::Null);
    let mut set = BTreeMap::new();
    for name in keys() {
        let key = Key::of(&name);
        let value = at(&tree, &key);
        // What is null says nothing.
        if value.is_some_and(|value| !value.is_null())
            && let Some(place) = yaml::locate(text, &key)
        {
            let own = value.and_then(Value::as_sequence);
            let own = own.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(OWN)));
            let own = if own && name == "scope.namespaces" {
                ", where own is the namespace of this pod"
            } else {
                ""
            };
            set.insert(name, format!("{file}:{}{own}", place.line));
        }
    }
    set
}

fn at<'a>(tree: &'a Value, key: &Key) -> Option<&'a Value> {
    key.steps().iter().try_fold(tree, |below, step| match step {
        Step::Name(name) => below.get(name),
        Step::Item(index) => below.get(index),
    })
}

/// Every key whose value is not shown.
fn hidden(tree: &Mapping) -> Vec<String> {
    fn collect(tree: &Mapping, at: &Key, all: &mut Vec<String>) {
        for (name, value) in tree {
            let key = at.name(name.as_str().unwrap_or_default());
            match value {
                Value::Mapping(below) => collect(below, &key, all),
                Value::String(text) if text == HIDDEN => all.push(key.to_string()),
                _ => {}
            }
        }
    }
    let mut all = Vec::new();
    collect(tree, &Key::default(), &mut all);
    all
}

/// A path in a comment, on one line.
fn shown(path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(char::is_control) {
        format!("{path:?}")
    } else {
        path
    }
}

/// Writes a section. `serde_yaml` writes no comments, so only the scalars are left to it.
fn section(text: &mut String, tree: &Mapping, at: &Key, set: &BTreeMap<String, String>) {
    let indent = "  ".repeat(at.steps().len());
    for (name, value) in tree {
        let name = name.as_str().unwrap_or_default();
        let key = at.name(name);
        let full = key.to_string();
        // One of the two is written, never both.
        if value.is_null() && matches!(&*full, "prometheus.url" | "prometheus.urls") {
            continue;
        }
        let place = set
            .get(&full)
            .map_or_else(String::new, |place| format!("  # {place}"));
        let name = scalar(&Value::from(name));
        // Writing to a String cannot fail.
        let _ = match value {
            Value::Mapping(below) if !below.is_empty() => {
                let written = writeln!(text, "{indent}{name}:{place}");
                section(text, below, &key, set);
                written
            }
            Value::Sequence(items) if !items.is_empty() => {
                let written = writeln!(text, "{indent}{name}:{place}");
                for item in items {
                    let _ = writeln!(text, "{indent}  - {}", scalar(item));
                }
                written
            }
            value => writeln!(text, "{indent}{name}: {}{place}", scalar(value)),
        };
    }
}

/// A value on one line.
fn scalar(value: &Value) -> String {
    match value {
        Value::Mapping(_) => return "{}".to_owned(),
        Value::Sequence(_) => return "[]".to_owned(),
        _ => {}
    }
    let plain = serde_yaml::to_string(value).unwrap_or_default();
    let plain = plain.trim_end_matches('\n');
    match value {
        // It writes text of several lines as a block.
        Value::String(text) if plain.contains('\n') || text.contains(char::is_control) => quoted(text),
        _ => plain.to_owned(),
    }
}

/// Between double quotes, with the escapes of YAML.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() || "\u{2028}\u{2029}\u{feff}".contains(c) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
