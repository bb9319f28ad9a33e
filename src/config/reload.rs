//! Reading the file again and again, since neither a ConfigMap's symlink swap nor a rotated certificate announces
//! itself to whoever has the old file open.

use std::{future, path::PathBuf, time::Duration};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::{
    Config, ConfigError, Environment,
    load::{Fingerprint, Loaded, content_hash, judge, named_hash, read},
};

/// From one reading to the next. The kubelet takes up to a minute to bring a change of a ConfigMap, so shorter ones
/// would win nothing.
const EVERY: Duration = Duration::from_secs(2);

/// What became of the file.
#[derive(Debug)]
pub enum Change {
    /// It says something new, or a certificate or key it names was rotated. This is in force from now on.
    Good(Box<Config>),
    /// It cannot be used; what was in force stays so. Told once for each bad content.
    Bad(ConfigError),
    /// It was bad and says again what is in force.
    Restored,
}

/// A configuration file that is read every 2 seconds.
#[derive(Debug)]
pub struct Watched {
    files: Option<Files>,
    beat: Interval,
}

impl Watched {
    /// Watches `file`, which said `loaded` when it was read last. Without a file nothing ever changes.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time, as every timer of tokio does.
    pub fn new(file: Option<PathBuf>, env: Environment, loaded: Loaded) -> Self {
        let mut beat = interval_at(Instant::now() + EVERY, EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            files: file.map(|file| Files::new(file, env, loaded)),
            beat,
        }
    }

    /// Waits for the next change. May be dropped at any time and called again: nothing is lost, and the beat goes on.
    pub async fn next(&mut self) -> Change {
        let Some(files) = &mut self.files else {
            return future::pending().await;
        };
        loop {
            self.beat.tick().await;
            // A few small local files, read at once: a detour over another thread would cost as much, and could lose
            // a change when this future is dropped meanwhile.
            if let Some(change) = files.look() {
                return change;
            }
        }
    }
}

/// The files and what is known of them.
#[derive(Debug)]
struct Files {
    file: PathBuf,
    env: Environment,
    in_force: Config,
    /// What has been judged: the file, good or bad, and what belongs to `in_force`.
    judged: Fingerprint,
    /// What the last look saw.
    seen: Fingerprint,
    bad: bool,
}

impl Files {
    fn new(file: PathBuf, env: Environment, Loaded { config, hash }: Loaded) -> Self {
        Self {
            file,
            env,
            in_force: config,
            judged: hash,
            seen: hash,
            bad: false,
        }
    }

    /// One reading. A difference counts once two readings in a row agree on it: so a file that is gone for the
    /// moment of a swap, one half written, and a certificate whose key has not followed yet are waited out.
    fn look(&mut self) -> Option<Change> {
        let content = read(&self.file);
        let seen = Fingerprint {
            file: content_hash(&content),
            named: named_hash(&self.in_force.prometheus.tls),
        };
        let settled = std::mem::replace(&mut self.seen, seen) == seen;
        if !settled {
            return None;
        }
        if seen.file != self.judged.file {
            self.judged.file = seen.file;
            let judged = judge(&self.file, content, &self.env);
            return self.take(judged);
        }
        self.rotated(seen.named).then(|| self.good())
    }

    fn take(&mut self, judged: Result<Config, ConfigError>) -> Option<Change> {
        let config = match judged {
            Ok(config) => config,
            Err(error) => {
                self.bad = true;
                return Some(Change::Bad(error));
            }
        };
        let was_bad = std::mem::take(&mut self.bad);
        let named = named_hash(&config.prometheus.tls);
        if config != self.in_force {
            self.in_force = config;
            self.judged.named = named;
            return Some(self.good());
        }
        if self.rotated(named) {
            return Some(self.good());
        }
        was_bad.then_some(Change::Restored)
    }

    /// Whether the certificates and keys in force have new contents. While one is gone, those in use are the best
    /// there are.
    fn rotated(&mut self, named: Option<u64>) -> bool {
        let new = named.is_some() && named != self.judged.named;
        if new {
            self.judged.named = named;
        }
        new
    }

    fn good(&self) -> Change {
        Change::Good(Box::new(self.in_force.clone()))
    }
}
