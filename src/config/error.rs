//! What is wrong with a configuration file, in words for the person who wrote it.

use std::{
    fmt::{self, Write as _},
    io,
    path::PathBuf,
};

use super::key::Key;

/// How many problems of one file are told. A file with more has one cause, not that many.
const TOLD: usize = 50;

/// Why a configuration file cannot be used.
///
/// `Display` is the whole story on several lines: `FILE: 3 problems`, then one line for each.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is nothing to look at.
    #[error("{}: cannot be read: {why}; name a file that can be, with --config", file.display())]
    Unreadable {
        /// The file asked for.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// It was read, and something in it is wrong.
    #[error("{}: {}", file.display(), listed(problems))]
    Invalid {
        /// The file read.
        file: PathBuf,
        /// All that is wrong, in the order of the file; at least one.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// What is wrong inside the file, in its order; empty where the file could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, if it stands anywhere: a missing key is told at what should hold it.
    pub place: Option<Place>,
    /// The key by its full path; empty where the file as a whole is meant.
    pub key: String,
    /// The value, what is allowed, and the mend. Never a secret value.
    pub message: String,
}

impl Problem {
    /// A problem of the file as a whole.
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self {
            place: None,
            key: String::new(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            // The key says the rest; only where there is none does one have to count columns.
            Some(place) if self.key.is_empty() => {
                write!(f, "line {}, column {}: ", place.line, place.column)?;
            }
            Some(place) => write!(f, "line {}: ", place.line)?,
            None => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A place in a file, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

fn listed(problems: &[Problem]) -> String {
    let mut text = match problems.len() {
        1 => "1 problem".to_owned(),
        TOLD => format!("{TOLD} problems or more"),
        n => format!("{n} problems"),
    };
    for problem in problems {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {problem}");
    }
    text
}

/// Collects what is wrong while a file goes through its stages.
///
/// The first problem of a key is the cause; what a later stage finds at the same key follows from it and is
/// dropped.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(Key, String)>);

impl Problems {
    /// Notes that something is wrong at `key`.
    pub(super) fn add(&mut self, key: Key, message: impl Into<String>) {
        if !self.is_full() && !self.0.iter().any(|(known, _)| *known == key) {
            self.0.push((key, message.into()));
        }
    }

    /// Whether anything at or below `key` is known to be wrong.
    pub(super) fn touch(&self, key: &Key) -> bool {
        self.0.iter().any(|(wrong, _)| key.holds(wrong))
    }

    /// Whether there are as many as are ever told.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= TOLD
    }

    /// The problems in the order of the file, or `None` if there are none. `locate` says where a key stands.
    pub(super) fn told(self, locate: impl Fn(&Key) -> Option<Place>) -> Option<Vec<Problem>> {
        let mut problems: Vec<Problem> = self
            .0
            .into_iter()
            .map(|(key, message)| Problem {
                place: locate(&key),
                key: key.to_string(),
                message,
            })
            .collect();
        problems.sort_by_key(|problem| problem.place);
        (!problems.is_empty()).then_some(problems)
    }
}
