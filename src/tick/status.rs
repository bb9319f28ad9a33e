//! What everything is and why, for whoever asks.

use std::time::Duration;

use super::Ticker;
use crate::{
    cluster::Watches,
    core::{HashMap, Held, Situation, VariantKey, Wall, by_variant},
    report::{Overview, status},
};

/// How often the variants are counted by state. Whoever scrapes sees no more of it.
const COUNT_EVERY: Duration = Duration::from_secs(5);

impl Ticker {
    /// The status of everything, as JSON.
    pub fn status(&self, watches: &Watches) -> String {
        let held = by_variant(&self.last.1);
        let situation = self.situation(&held);
        let overview = Overview {
            leading: self.led,
            dry_run: self.dry_run,
            last_query: wall(self.metrics.last_query.get()),
            trouble: self.journal.trouble(),
            last_tick: wall(self.metrics.last_tick.get()),
            interval: self.metrics.interval.get(),
            decisions: self.journal.decisions(),
            conflicts: self.journal.contradictions(),
            watches,
            held: &self.last.1,
        };
        status(&situation, &overview).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"))
    }

    /// Counts the variants by state, now and then: with thousands of them it takes milliseconds.
    pub(super) fn count_states(&mut self) {
        let now = self.clock.now().mono;
        if now < self.states_due {
            return;
        }
        self.states_due = now + COUNT_EVERY;
        let held = by_variant(&self.last.1);
        let situation = self.situation(&held);
        let entries = self.inventory.entries();
        self.metrics
            .states(entries.map(|(name, entry)| situation.state(name, entry)));
    }

    fn situation<'a>(&'a self, held: &'a HashMap<VariantKey, Held>) -> Situation<'a> {
        Situation {
            inventory: &self.inventory,
            memory: &self.memory,
            signals: &self.signals,
            demand: &self.last.0.asked,
            held,
            now: self.clock.now(),
            rules: &self.rules,
        }
    }
}

/// What a gauge says of time; `None` where it was never set.
fn wall(seconds: f64) -> Option<Wall> {
    (seconds > 0.0)
        .then(|| Wall::from_duration(jiff::SignedDuration::from_secs_f64(seconds)).ok())
        .flatten()
}
