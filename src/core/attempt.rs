//! What has been tried on one target within an episode, and what moves it on.
//!
//! ```text
//!            sent            answered: yes         seen above 0
//!   Idle ───────────▶ Sent ───────────────▶ Accepted ─────────▶ Scaled ──▶ Idle  (0 after serving for
//!    ▲                 │ answered: no          │ 0, newer         │           `settle`: parked)
//!    │ newer object,   ▼                       ▼                  ▼
//!    └─ or waited ── Failed               TakenBack ◀──────── 0 before that
//! ```
//!
//! Any state but `Sent` moves to `Scaled` when the target is seen above 0, whoever did it.

use std::{fmt, time::Duration};

use super::{Mono, Observed, Parked};

/// Why a write did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// 409: somebody wrote the object since it was read.
    Conflict,
    /// 401 or 403.
    Forbidden,
    /// 404: the object, or its `/scale`, is not there.
    NotFound,
    /// 429: the API server asks for fewer requests.
    Throttled,
    /// 400 or 422: refused by validation or admission.
    Rejected,
    /// No answer in time, or the connection broke: it may or may not have been applied.
    NoAnswer,
    /// Any other answer, 5xx mostly.
    Unavailable,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 7] = [
        Self::Conflict,
        Self::Forbidden,
        Self::NotFound,
        Self::Throttled,
        Self::Rejected,
        Self::NoAnswer,
        Self::Unavailable,
    ];

    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::Rejected => "rejected",
            Self::NoAnswer => "no_answer",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "the object was changed by somebody else at the same moment",
            Self::Forbidden => "not permitted; see the RBAC rules in manifests/",
            Self::NotFound => "the object or its /scale is not there",
            Self::Throttled => "the API server asks for fewer requests",
            Self::Rejected => "refused by validation or admission",
            Self::NoAnswer => "no answer from the API server in time",
            Self::Unavailable => "the API server failed",
        })
    }
}

/// Wait before a failed write is tried again (rule 13): doubled from `initial` up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Backoff {
    /// The wait after `tries` tries that failed before this one.
    pub fn wait(self, tries: u32) -> Duration {
        let factor = 2_u32.checked_pow(tries).unwrap_or(u32::MAX);
        self.initial.saturating_mul(factor).min(self.max)
    }
}

/// How long after a conflict, or an accepted write, the watch may be silent before one GET.
const NEWS_DUE: Duration = Duration::from_secs(1);

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
        /// When it may be tried again; after a conflict, when to look at the object.
        retry: Mono,
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
        /// Who did it.
        by: Waker,
    },
    /// Back at 0 before it had served for long.
    TakenBack {
        /// When it may be woken again.
        retry: Mono,
    },
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

/// The attempt on a target, with the count that its waits grow by.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// What has been tried.
    pub attempt: Attempt,
    /// Failed and taken-back wakes in a row.
    pub tries: u32,
}

impl Tracked {
    /// A target that enters an episode.
    pub fn new(observed: Option<&Observed>, now: Mono) -> Self {
        let attempt = match observed {
            Some(Observed::Scaled { ready, .. }) => Attempt::Scaled {
                since: now,
                ready: (*ready > 0).then_some(now),
                by: Waker::Earlier,
            },
            _ => Attempt::Idle,
        };
        Self { attempt, tries: 0 }
    }

    /// Takes in how the target stands now.
    pub fn observe(
        &mut self,
        observed: Option<&Observed>,
        now: Mono,
        settle: Duration,
        backoff: Backoff,
    ) -> Option<Moved> {
        let Some(observed) = observed else {
            if !matches!(self.attempt, Attempt::Sent { .. }) {
                self.attempt = Attempt::Idle;
            }
            return None;
        };
        match (&mut self.attempt, observed) {
            // Its outcome comes first; the watch may be ahead of the answer.
            (Attempt::Sent { .. }, _) => None,

            (Attempt::Scaled { since, ready, by }, Observed::Scaled { ready: n, .. }) => match ready {
                None if *n > 0 => {
                    *ready = Some(now);
                    Some(Moved::Ready(now.since(*since), *by))
                }
                Some(at) if now.since(*at) >= settle => {
                    self.tries = 0;
                    None
                }
                _ => None,
            },
            (before, Observed::Scaled { ready, .. }) => {
                let (since, by) = match before {
                    Attempt::Accepted { at, .. } => (*at, Waker::Us),
                    // The answer was lost, the write was not.
                    Attempt::Failed {
                        why: Failure::NoAnswer,
                        ..
                    } => (now, Waker::Us),
                    _ => (now, Waker::Other),
                };
                let ready = (*ready > 0).then_some(now);
                *before = Attempt::Scaled { since, ready, by };
                Some(Moved::Up(by))
            }

            (Attempt::Scaled { ready, .. }, Observed::Zero(_)) => {
                if ready.is_some_and(|at| now.since(at) >= settle) {
                    *self = Self::new(None, now);
                    return None;
                }
                Some(self.taken_back(now, backoff))
            }
            // Compare-and-swap: the write followed `parked` directly, so another version at 0 is later.
            (Attempt::Accepted { parked, .. }, Observed::Zero(seen)) if seen != parked => {
                Some(self.taken_back(now, backoff))
            }
            (
                Attempt::Failed {
                    why: Failure::Conflict,
                    parked,
                    ..
                },
                Observed::Zero(seen),
            ) if seen != parked => {
                self.attempt = Attempt::Idle;
                None
            }
            (_, Observed::Zero(_)) => None,
        }
    }

    fn taken_back(&mut self, now: Mono, backoff: Backoff) -> Moved {
        let retry = now + backoff.wait(self.tries);
        self.attempt = Attempt::TakenBack { retry };
        self.tries = self.tries.saturating_add(1);
        Moved::TakenBack
    }

    /// Whether a wake may be sent now.
    pub fn may_try(&self, now: Mono) -> bool {
        match &self.attempt {
            Attempt::Idle => true,
            Attempt::Failed {
                why: Failure::Conflict,
                ..
            } => false,
            Attempt::Failed { retry, .. } | Attempt::TakenBack { retry } => now >= *retry,
            _ => false,
        }
    }

    /// Whether a wake is under way or has just gone through.
    pub fn is_under_way(&self) -> bool {
        matches!(
            self.attempt,
            Attempt::Sent { .. } | Attempt::Accepted { .. } | Attempt::Reported
        )
    }

    /// A wake has been sent.
    pub fn sent(&mut self, parked: Parked) {
        self.attempt = Attempt::Sent { parked };
    }

    /// The answer to it has come. `wait` is what the server asked for by Retry-After.
    pub fn answered(&mut self, answer: Result<(), (Failure, Option<Duration>)>, now: Mono, backoff: Backoff) {
        let Attempt::Sent { parked } = &self.attempt else {
            return;
        };
        let parked = parked.clone();
        self.attempt = match answer {
            Ok(()) => Attempt::Accepted {
                parked,
                at: now,
                look: now + NEWS_DUE,
            },
            Err((Failure::Conflict, _)) => Attempt::Failed {
                why: Failure::Conflict,
                parked,
                retry: now + NEWS_DUE,
            },
            Err((why, wait)) => {
                let retry = now + backoff.wait(self.tries).max(wait.unwrap_or_default());
                self.tries = self.tries.saturating_add(1);
                Attempt::Failed { why, parked, retry }
            }
        };
    }

    /// Whether the watch has been silent for too long after a write, so that one GET is due.
    /// Saying yes puts off the next by as long again.
    pub fn look_due(&mut self, now: Mono) -> bool {
        let (Attempt::Accepted { look: due, .. }
        | Attempt::Failed {
            why: Failure::Conflict,
            retry: due,
            ..
        }) = &mut self.attempt
        else {
            return false;
        };
        let is_due = now >= *due;
        if is_due {
            *due = now + NEWS_DUE * 10;
        }
        is_due
    }
}
