//! The slow query of rule 4, beside the loop, so that it delays nothing.

use futures::FutureExt as _;
use tokio::task::JoinHandle;

use super::{SLOWLY, Ticker};
use crate::{
    core::{Mono, Seen},
    prometheus::QueryError,
};

/// When it is due, and the one under way. It ends with this.
#[derive(Debug, Default)]
pub(super) struct Asking {
    due: Mono,
    /// When contradictions between objects are looked for again.
    conflicts_due: Mono,
    query: Option<Query>,
}

#[derive(Debug)]
struct Query(JoinHandle<Result<Option<Vec<Seen>>, QueryError>>);

impl Drop for Query {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Ticker {
    /// Asks for the signal of EPPs now and then, while something is inactive, and takes the answer in.
    pub(super) fn ask_signals(&mut self, leading: bool) {
        if let Some(mut query) = self.asking.query.take_if(|query| query.0.is_finished()) {
            // It has ended, so this does not wait; a panic in it is as good as no answer.
            match (&mut query.0).now_or_never() {
                Some(Ok(Ok(Some(seen)))) => {
                    self.journal.signals(None);
                    self.signals.answered(&seen, &self.inventory);
                }
                Some(Ok(Err(error))) => self.journal.signals(Some((error.reason.as_str(), &error))),
                _ => self.signals.unknown(),
            }
        }
        if self.inventory.inactive() == 0 {
            self.signals.unknown();
        }
        let now = self.clock.now().mono;
        if now >= self.asking.conflicts_due {
            self.asking.conflicts_due = now + SLOWLY;
            self.journal.conflicts(self.inventory.conflicts());
        }
        let wanted = leading && self.inventory.inactive() > 0 && self.asking.query.is_none();
        if wanted && now >= self.asking.due {
            self.asking.due = now + self.signal_interval;
            self.metrics.queries.inc();
            let prometheus = self.prometheus.clone();
            let query = tokio::spawn(async move { prometheus.signals().await });
            self.asking.query = Some(Query(query));
        }
    }
}
