//! The last decisions, for the page and `/api/decisions`: what was decided, why, and the demand that led to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::core::Wall;

/// How many are kept.
const MOST: usize = 1000;

/// One decision. What does not apply is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// When.
    pub time: Wall,
    /// What: one of the words of `docs/metrics.md`, "Decisions".
    pub decision: &'static str,
    /// Namespace of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Pool that the requests wait at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Its target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Requests waiting that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Age of their sample in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_age_seconds: Option<f64>,
    /// From that sample to the accepted scale, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_to_scale_seconds: Option<f64>,
    /// From the scale to the first ready replica, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_ready_seconds: Option<f64>,
    /// The reason, as in metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// In words.
    pub text: String,
}

/// The last decisions. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    decisions: VecDeque<Decision>,
    /// How many there have been, those that have gone included.
    count: u64,
}

impl History {
    /// One more. The oldest goes when there are too many.
    pub fn add(&self, decision: Decision) {
        let mut kept = self.lock();
        if kept.decisions.len() == MOST {
            kept.decisions.pop_front();
        }
        kept.decisions.push_back(decision);
        kept.count += 1;
    }

    /// How many there have been since the start.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// The last ones, the newest first.
    pub fn last(&self, most: usize) -> Vec<Decision> {
        self.lock().decisions.iter().rev().take(most).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, History, MOST};

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let history = History::default();
        for n in 0..=MOST {
            history.add(Decision {
                text: n.to_string(),
                ..Decision::default()
            });
        }
        let all = history.last(usize::MAX);
        assert_eq!(all.len(), MOST);
        assert_eq!((&*all[0].text, &*all[MOST - 1].text), ("1000", "1"));
        assert_eq!(history.last(2).len(), 2);
        assert_eq!(history.count(), MOST as u64 + 1);
    }
}
