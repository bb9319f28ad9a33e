//! The clocks, read in one place.

use tokio::time::Instant;

use crate::core::{Mono, Now, Wall};

/// Reads both clocks. The monotonic one is tokio's, so that tests can pause it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic time starts now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Both readings.
    pub fn now(&self) -> Now {
        Now {
            mono: Mono(self.start.elapsed()),
            wall: Wall::now(),
        }
    }
}
