//! Waiting for something to be so.

use std::time::{Duration, Instant};

/// What takes longer than this does not happen. Far more than anything here needs on a quiet machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// From one look to the next.
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);

/// Looks until something is found, and returns it.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "within {PATIENCE:?} it never came to this: {what}"
        );
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Looks until it is so.
pub async fn until_true(what: &str, mut look: impl AsyncFnMut() -> bool) {
    until(what, async || look().await.then_some(())).await;
}

/// Waits for a future that must end in time.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    let end = tokio::time::timeout(PATIENCE, future).await;
    end.unwrap_or_else(|_| panic!("within {PATIENCE:?} it never came to this: {what}"))
}
