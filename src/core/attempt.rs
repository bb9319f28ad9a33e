//! What has been tried on one target within an episode, and what moves it on.
//!
//! ```text
//!            sent            answered: yes         seen above 0
//!   Idle ───────────▶ Sent ───────────────▶ Accepted ─────────▶ Scaled ──▶ Idle  (0 after serving for
//!    ▲                 │ answered: no          │ 0, later         │           `settle`: parked)
//!    │ later object,   ▼                       ▼                  ▼
//!    └─ or waited ── Failed               TakenBack ◀──────── 0 before that
//! ```
//!
//! Any state but `Sent` moves to `Scaled` when the target is seen above 0, whoever did it. `TakenBack` is held until it
//! is known who did it, or cannot be: a person is not fought (rule 12).

use std::time::Duration;

use super::{Failure, Mono, Parked, TakenBy};

/// What has been tried on a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Attempt {
    /// Nothing yet.
    Idle,
    /// A write is under way.
    Sent {
        /// What it was built from.
        parked: Parked,
    },
    /// The last write did not go through.
    Failed {
        /// Why.
        why: Failure,
        /// What it was built from.
        parked: Parked,
        /// When it may be tried again.
        retry: Mono,
        /// After a conflict: when to look at the object, should the watch stay silent. It is not
        /// tried again before that look.
        look: Option<Mono>,
    },
    /// A write went through and the watch has not shown it yet.
    Accepted {
        /// What it was built from.
        parked: Parked,
        /// When.
        at: Mono,
        /// When to look at the object, should the watch stay silent.
        look: Mono,
    },
    /// A dry run has said that it would be woken.
    Reported,
    /// Seen above 0.
    Scaled {
        /// Since when: from the accepted write, else from when it was first seen.
        since: Mono,
        /// When the first replica was seen ready.
        ready: Option<Mono>,
        /// Since when none is ready any more, after one was: it is starting once more.
        unready: Option<Mono>,
        /// Who did it.
        by: Waker,
    },
    /// Back at 0 before it had served for long.
    TakenBack {
        /// When that was seen.
        at: Mono,
        /// When it may be woken again.
        retry: Mono,
        /// Who did it. `Asked` until it is known.
        by: Attribution,
    },
}

/// What is known of who scaled a target back.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribution {
    /// One look at the object is due.
    Due,
    /// It is under way.
    Asked,
    /// This is what it has come to.
    Known(TakenBy),
}

/// Who scaled a target up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waker {
    /// This process.
    Us,
    /// Somebody else, during the episode.
    Other,
    /// It stood above 0 when the episode began.
    Earlier,
}

/// What happened to a target, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is above 0 now.
    Up(Waker),
    /// Its first replica is ready, this long after it began to start.
    Ready(Duration, Waker),
    /// It is back at 0 before it had served for long.
    TakenBack,
}
