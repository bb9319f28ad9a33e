//! Time as the core sees it: two readings, handed in.

use std::{ops::Add, time::Duration};

/// Wall-clock time, for ages and reports. It may jump.
pub type Wall = jiff::Timestamp;

/// Monotonic time since a fixed point long before the start of the process, for backoff and deadlines; so what was
/// before the start has a place in it, too.
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

impl Now {
    /// Where a moment of the wall clock lies in monotonic time; now, if it lies ahead.
    pub fn mono_of(self, wall: Wall) -> Mono {
        let ago = self.wall.duration_since(wall);
        Mono(
            self.mono
                .0
                .saturating_sub(Duration::try_from(ago).unwrap_or_default()),
        )
    }
}
