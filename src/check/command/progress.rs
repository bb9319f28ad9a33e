//! A line that says that something goes on.

use std::{
    io::{Write as _, stderr},
    time::{Duration, Instant},
};

/// So long it may go on in silence.
const SILENCE: Duration = Duration::from_secs(2);

/// The line, on standard error.
pub(super) struct Progress;

impl Progress {
    /// Waits for something, and says so where it takes long. The line is gone when it ends.
    pub(super) async fn over<T>(work: impl Future<Output = T>, what: &str, told: bool) -> T {
        if !told {
            return work.await;
        }
        let begin = Instant::now();
        let mut work = std::pin::pin!(work);
        let mut wait = SILENCE;
        loop {
            if let Ok(done) = tokio::time::timeout(wait, &mut work).await {
                if begin.elapsed() >= SILENCE {
                    say("\r\u{1b}[K");
                }
                return done;
            }
            wait = Duration::from_secs(1);
            say(&format!(
                "\r\u{1b}[Klooking at {what} ({} s)",
                begin.elapsed().as_secs()
            ));
        }
    }
}

fn say(text: &str) {
    // Whoever does not take it misses nothing.
    let _ = stderr().write_all(text.as_bytes());
}
