//! Time as the core sees it: two readings, handed in.

use std::{ops::Add, time::Duration};

/// Wall-clock time, for ages and reports. It may jump.
pub type Wall = jiff::Timestamp;

/// Monotonic time since some fixed start of the process, for backoff and deadlines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mono(pub Duration);

impl Mono {
    /// Time passed since `earlier`; zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For backoff and deadlines.
    pub mono: Mono,
    /// For ages and reports.
    pub wall: Wall,
}
