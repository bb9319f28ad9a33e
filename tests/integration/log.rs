//! What a running program says, line by line.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::wait;

/// The lines so far. Clones are the same log.
#[derive(Clone, Debug)]
pub struct Log {
    name: String,
    lines: Arc<Mutex<Vec<String>>>,
}

/// One line in JSON.
#[derive(Clone, Debug)]
pub struct Line(Value);

impl Log {
    /// One in which nothing stands.
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            lines: Arc::default(),
        }
    }

    /// Reads lines until the end of the stream.
    pub fn read(name: &str, stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let log = Self::empty(name);
        let lines = log.lines.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                lines.lock().unwrap().push(line);
            }
        });
        log
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The lines with this message.
    pub fn all(&self, message: &str) -> Vec<Line> {
        let lines = self.lines.lock().unwrap();
        let parsed = lines.iter().filter_map(|line| serde_json::from_str(line).ok());
        parsed
            .map(Line)
            .filter(|line| line.message() == message)
            .collect()
    }

    /// Waits for a line with this message that is as wanted.
    pub async fn said(&self, message: &str, wanted: impl Fn(&Line) -> bool) -> Line {
        let what = format!("{} says {message:?}", self.name);
        wait::until(&what, async || {
            self.all(message).into_iter().find(|line| wanted(line))
        })
        .await
    }
}

impl Line {
    /// The message.
    pub fn message(&self) -> &str {
        self.0["message"].as_str().unwrap_or_default()
    }

    /// A field as text; empty if it is not there.
    pub fn field(&self, name: &str) -> String {
        match &self.0[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Log {
    /// Its end, for who has to find out what went wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TAIL: usize = 60;
        let lines = self.lines.lock().unwrap();
        let skipped = lines.len().saturating_sub(TAIL);
        writeln!(f, "--- log of {} ({skipped} lines before these)", self.name)?;
        lines[skipped..].iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
