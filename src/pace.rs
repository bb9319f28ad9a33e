//! The pace of queries (rule 6): never more than a fifth of Prometheus' time for one copy, and
//! slower while it fails.

use std::time::Duration;

use crate::core::{Backoff, Mono};

/// A query waits at least this many times the last one's duration.
const REST: u32 = 4;
/// Waits after failed queries.
const AFTER_FAILURE: Backoff = Backoff {
    initial: Duration::from_millis(200),
    max: Duration::from_secs(10),
};
/// A tick is never put off longer than this, since it takes in answers and sends reports as well.
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// When the next query, and the next tick, may begin.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    ask: Mono,
    failures: u32,
}

impl Pace {
    /// A pace with this shortest time from tick to tick.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            ask: Mono::default(),
            failures: 0,
        }
    }

    /// Whether a query may be sent.
    pub fn may_ask(&self, now: Mono) -> bool {
        now >= self.ask
    }

    /// A query sent at `began` was answered at `now`.
    pub fn answered(&mut self, began: Mono, now: Mono) {
        self.failures = 0;
        self.ask = now + now.since(began) * REST;
    }

    /// A query sent at `began` had failed by `now`. `wait` is what the server asked for.
    pub fn failed(&mut self, began: Mono, now: Mono, wait: Option<Duration>) {
        let rest = now.since(began) * REST;
        let backoff = AFTER_FAILURE.wait(self.failures);
        self.failures = self.failures.saturating_add(1);
        // A timeout is no measure of the work it made: the backoff alone says how long to rest.
        let rest = rest.min(AFTER_FAILURE.max);
        self.ask = now + backoff.max(rest).max(wait.unwrap_or_default());
    }

    /// When the tick after the one that began at `began` is due.
    pub fn next_tick(&self, began: Mono) -> Mono {
        let floor = began + self.interval;
        let latest = began + LONGEST_TICK.max(self.interval);
        floor.max(self.ask).min(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Mono {
        Mono(Duration::from_millis(millis))
    }

    #[test]
    fn rule_6_a_query_waits_four_times_the_last_ones_duration() {
        let mut pace = Pace::new(Duration::from_millis(100));
        pace.answered(at(0), at(10));
        assert_eq!(pace.next_tick(at(0)), at(100), "a fast query leaves the interval");
        pace.answered(at(0), at(60));
        assert!(!pace.may_ask(at(299)));
        assert!(pace.may_ask(at(300)));
        assert_eq!(pace.next_tick(at(0)), at(300));
    }

    #[test]
    fn rule_6_failures_back_off_and_honour_retry_after() {
        let mut pace = Pace::new(Duration::from_millis(100));
        pace.failed(at(0), at(1), None);
        assert!(!pace.may_ask(at(200)) && pace.may_ask(at(201)));
        pace.failed(at(201), at(202), None);
        assert!(!pace.may_ask(at(601)) && pace.may_ask(at(602)));
        pace.failed(at(602), at(603), Some(Duration::from_secs(30)));
        assert!(!pace.may_ask(at(30_602)) && pace.may_ask(at(30_603)));
        assert_eq!(pace.next_tick(at(602)), at(1602), "ticks go on meanwhile");
        pace.answered(at(30_603), at(30_604));
        pace.failed(at(31_000), at(31_000), None);
        assert!(pace.may_ask(at(31_200)), "an answer ends the backoff");
    }
}
