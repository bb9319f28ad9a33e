//! Logging to standard error, with a level that can change while running.

use std::io::{self, IsTerminal as _, Write};

use tracing::Level;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Log, LogFormat},
    text::{LineKind, log_line},
};

/// Changes what is logged.
#[derive(Clone, Debug)]
pub struct Logging {
    filter: reload::Handle<Targets, Registry>,
    format: LogFormat,
}

impl Logging {
    /// Starts logging, once for a process.
    pub fn start(log: Log) -> Self {
        let (filter, handle) = reload::Layer::new(filter(log.level));
        let coloured = io::stderr().is_terminal();
        let kind = match log.format {
            LogFormat::Text if coloured => LineKind::Coloured,
            LogFormat::Text => LineKind::Plain,
            LogFormat::Json => LineKind::Json,
        };
        let lines = fmt::layer().with_writer(move || Lines(io::stderr(), kind));
        let lines = match log.format {
            LogFormat::Text => lines.with_ansi(coloured).boxed(),
            // Without the module that logs: its key, `target`, is that of our field.
            LogFormat::Json => lines.with_target(false).json().flatten_event(true).boxed(),
        };
        // A second start, in a test's process, leaves the first in place.
        let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
        Self {
            filter: handle,
            format: log.format,
        }
    }

    /// The configuration has changed.
    pub fn change(&self, log: Log) {
        // Fails only once the subscriber is gone, and with it all logging.
        let _ = self.filter.reload(filter(log.level));
        if log.format != self.format {
            tracing::warn!("log.format changes with the next start");
        }
    }
}

/// Lines to a stream, each made fit for it as a whole: fields hold text of others, and the formatters write some of it
/// as it is.
struct Lines<W>(W, LineKind);

impl<W: Write> Write for Lines<W> {
    /// Takes a line, which the formatters write in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) => self.0.write_all(log_line(text, self.1).as_bytes())?,
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Ours at the level asked for; of libraries only what is wrong. kube's watcher and the lease manager
/// say of each failure what our own lines say with the object and the mend.
fn filter(level: Level) -> Targets {
    Targets::new()
        .with_target("scale_from_zero", level)
        .with_target("kube_runtime::watcher", LevelFilter::OFF)
        .with_target("kube_client::client", LevelFilter::OFF)
        .with_target("kube_lease_manager", LevelFilter::OFF)
        .with_default(LevelFilter::WARN)
}
