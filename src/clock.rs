//! The clocks, read in one place.

use std::time::Duration;

use tokio::time::Instant;

use crate::core::{Mono, Now, Wall};

/// What monotonic time says when the process starts: episodes that another process has left began before that.
const BEFORE_START: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads both clocks. The monotonic one is tokio's, so that tests can pause it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Both readings.
    pub fn now(&self) -> Now {
        Now {
            mono: Mono(BEFORE_START + self.start.elapsed()),
            wall: Wall::now(),
        }
    }
}
