//! What everything is and why, for whoever asks.

use super::Ticker;
use crate::{
    cluster::Watches,
    core::{Situation, Wall, by_variant},
    report::{Overview, status},
};

impl Ticker {
    /// The status of everything, as JSON.
    pub fn status(&self, watches: &Watches) -> String {
        let held = by_variant(&self.last.1);
        let situation = Situation {
            inventory: &self.inventory,
            memory: &self.memory,
            signals: &self.signals,
            demand: &self.last.0.asked,
            held: &held,
            now: self.clock.now(),
            rules: &self.rules,
        };
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
}

/// What a gauge says of time; `None` where it was never set.
fn wall(seconds: f64) -> Option<Wall> {
    (seconds > 0.0)
        .then(|| Wall::from_duration(jiff::SignedDuration::from_secs_f64(seconds)).ok())
        .flatten()
}
