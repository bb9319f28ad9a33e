//! From text to [`Config`]: YAML to a tree, tree to [`Raw`], raw to validated. Each stage goes on past what is wrong,
//! so that one reading tells all of it.

use std::path::Path;

use serde_yaml::{Mapping, Value};

use super::{
    Config, Environment,
    error::{ConfigError, Problem, Problems},
    key::{Key, Step, kind},
    keys,
    raw::Raw,
    validate, yaml,
};

/// Largest file that is read, in bytes: a thousand namespaces fit in. What is wrong in it is located by reading it
/// once more for each problem, so this also bounds the time for a bad one.
pub(super) const LARGEST_FILE: usize = 64 * 1024;

/// Reads a configuration from `text`. `file` is the name that an error begins with.
///
/// An empty text is [`Config::default`].
///
/// # Errors
///
/// [`ConfigError::Invalid`] with everything that is wrong.
pub fn parse(file: &Path, text: &str, env: &Environment) -> Result<Config, ConfigError> {
    let invalid = |problems| ConfigError::Invalid {
        file: file.to_owned(),
        problems,
    };
    let whole = |message: String| {
        invalid(vec![Problem {
            place: None,
            key: String::new(),
            message,
        }])
    };
    if text.len() > LARGEST_FILE {
        return Err(whole(too_large()));
    }
    let mut tree = match yaml::tree(text).map_err(|problem| invalid(vec![problem]))? {
        Value::Null => Mapping::new(),
        Value::Mapping(tree) => tree,
        other => {
            return Err(whole(format!(
                "holds {}, not keys with values; write e.g. interval: 100ms",
                kind(&other)
            )));
        }
    };
    let mut problems = Problems::default();
    keys::check(&mut tree, &mut problems);
    let raw = read(Value::Mapping(tree), &mut problems);
    let config = validate::config(raw, env, &mut problems);
    match problems.told(|key| yaml::locate(text, key)) {
        None => Ok(config),
        Some(problems) => Err(invalid(problems)),
    }
}

/// What is said of a file above [`LARGEST_FILE`].
pub(super) fn too_large() -> String {
    format!(
        "is larger than {} KiB, so it is no configuration",
        LARGEST_FILE / 1024
    )
}

/// Reads the tree as [`Raw`]. A value of the wrong kind is noted and taken out, and the rest is read again.
fn read(mut tree: Value, problems: &mut Problems) -> Raw {
    while !problems.is_full() {
        let error = match serde_path_to_error::deserialize(&tree) {
            Ok(raw) => return raw,
            Err(error) => error,
        };
        let key = Key::from(error.path());
        let Some(wrong) = take(&mut tree, key.steps()) else {
            // Nothing that could be taken out and read past: tell this one alone.
            problems.add(key, error.inner().to_string());
            break;
        };
        // Scalars write their own sentence; what serde says of lists and mappings is in its words.
        let told = error.inner().to_string();
        let message = match told.rsplit_once(", expected ") {
            Some((_, "a sequence")) => format!("is {}, not a list; write e.g. [a, b]", kind(&wrong)),
            Some((_, "a map")) => format!("is {}, not a mapping; write e.g. {{name: value}}", kind(&wrong)),
            _ => told,
        };
        problems.add(key, message);
    }
    Raw::default()
}

/// Takes out what stands at the end of `steps`. A list item leaves an empty text, so that the others keep their
/// numbers; what is found wrong with that later is dropped, since its key has a problem already.
fn take(tree: &mut Value, steps: &[Step]) -> Option<Value> {
    let (last, above) = steps.split_last()?;
    let mut holder = tree;
    for step in above {
        holder = match step {
            Step::Name(name) => holder.get_mut(name)?,
            Step::Item(index) => holder.get_mut(index)?,
        };
    }
    match last {
        Step::Name(name) => holder.as_mapping_mut()?.remove(name),
        Step::Item(index) => Some(std::mem::replace(
            holder.get_mut(index)?,
            Value::String(String::new()),
        )),
    }
}
