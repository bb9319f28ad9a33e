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
//! Any state but `Sent` moves to `Scaled` when the target is seen above 0, whoever did it.

use std::{fmt, time::Duration};

use super::{Mono, Now, Observed, Parked, Wall};

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

/// How long after an accepted write the watch may still show what was before it.
const OLD_NEWS: Duration = Duration::from_secs(30);

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
    /// When it was last seen to come back to 0: what was told before that is of an earlier wake.
    pub down: Option<Wall>,
}

impl Tracked {
    /// A target that enters an episode.
    pub fn new(observed: Option<&Observed>, now: Mono) -> Self {
        // For how long one that serves has done so is not known: for as long as this process runs,
        // so that WVA's or an HPA's parking of it is not taken for a wake taken back.
        let begin = Mono::default();
        let attempt = match observed {
            Some(Observed::Scaled { ready, .. }) => Attempt::Scaled {
                since: if *ready > 0 { begin } else { now },
                ready: (*ready > 0).then_some(begin),
                by: Waker::Earlier,
            },
            _ => Attempt::Idle,
        };
        Self {
            attempt,
            tries: 0,
            down: None,
        }
    }

    /// Takes in how the target stands now.
    pub fn observe(
        &mut self,
        observed: Option<&Observed>,
        now: Now,
        settle: Duration,
        backoff: Backoff,
    ) -> Option<Moved> {
        // Its outcome comes first; the watch may be ahead of the answer.
        if matches!(self.attempt, Attempt::Sent { .. }) {
            return None;
        }
        match observed {
            None => {
                self.attempt = Attempt::Idle;
                None
            }
            Some(Observed::Scaled { ready, .. }) => self.seen_up(*ready > 0, now.mono, settle),
            Some(Observed::Zero(seen)) => self.seen_at_zero(seen, now, settle, backoff),
        }
    }

    fn seen_up(&mut self, is_ready: bool, now: Mono, settle: Duration) -> Option<Moved> {
        let (since, by) = match &mut self.attempt {
            Attempt::Scaled { since, ready, by } => {
                return match ready {
                    None if is_ready => {
                        *ready = Some(now);
                        Some(Moved::Ready(now.since(*since), *by))
                    }
                    Some(at) if now.since(*at) >= settle => {
                        self.tries = 0;
                        None
                    }
                    _ => None,
                };
            }
            Attempt::Accepted { at, .. } => (*at, Waker::Us),
            // The answer was lost, the write was not.
            Attempt::Failed {
                why: Failure::NoAnswer,
                ..
            } => (now, Waker::Us),
            _ => (now, Waker::Other),
        };
        // Ready or not: that is told by the next look, so that no time to ready goes uncounted.
        self.attempt = Attempt::Scaled {
            since,
            ready: None,
            by,
        };
        Some(Moved::Up(by))
    }

    fn seen_at_zero(&mut self, seen: &Parked, now: Now, settle: Duration, backoff: Backoff) -> Option<Moved> {
        match &self.attempt {
            Attempt::Scaled { ready, .. } => {
                self.down = Some(now.wall);
                if ready.is_some_and(|at| now.mono.since(at) >= settle) {
                    self.attempt = Attempt::Idle;
                    self.tries = 0;
                    return None;
                }
                Some(self.taken_back(now, backoff))
            }
            // Compare-and-swap: the write followed `parked` directly, so a later version at 0 was
            // written after it. An earlier one is old news.
            Attempt::Accepted { parked, at, .. }
                if seen.is_later_than(parked) || (seen != parked && now.mono.since(*at) >= OLD_NEWS) =>
            {
                Some(self.taken_back(now, backoff))
            }
            Attempt::Failed {
                why: Failure::Conflict,
                parked,
                ..
            } if seen.is_later_than(parked) => {
                self.attempt = Attempt::Idle;
                None
            }
            _ => None,
        }
    }

    fn taken_back(&mut self, now: Now, backoff: Backoff) -> Moved {
        let retry = now.mono + backoff.wait(self.tries);
        self.attempt = Attempt::TakenBack { retry };
        self.tries = self.tries.saturating_add(1);
        self.down = Some(now.wall);
        Moved::TakenBack
    }

    /// Whether a wake may be sent now.
    pub fn may_try(&self, now: Mono) -> bool {
        match &self.attempt {
            Attempt::Idle => true,
            Attempt::Failed { retry, look, .. } => look.is_none() && now >= *retry,
            Attempt::TakenBack { retry } => now >= *retry,
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
            // Tried again as soon as the object is seen newer. Where even a look finds it as it was,
            // the 409 had another cause, an admission webhook perhaps: then as any failure.
            Err((Failure::Conflict, wait)) => Attempt::Failed {
                why: Failure::Conflict,
                parked,
                retry: now + NEWS_DUE + backoff.wait(self.tries).max(wait.unwrap_or_default()),
                look: Some(now + NEWS_DUE),
            },
            Err((why, wait)) => {
                let retry = now + backoff.wait(self.tries).max(wait.unwrap_or_default());
                self.tries = self.tries.saturating_add(1);
                Attempt::Failed {
                    why,
                    parked,
                    retry,
                    look: None,
                }
            }
        };
    }

    /// Whether the watch has been silent for too long after a write, so that one GET is due. Saying
    /// yes ends it for a conflict; after an accepted write it puts off the next.
    pub fn look_due(&mut self, now: Mono) -> bool {
        match &mut self.attempt {
            Attempt::Accepted { look, .. } if now >= *look => {
                *look = now + NEWS_DUE * 10;
                true
            }
            Attempt::Failed { look, .. } if look.is_some_and(|due| now >= due) => {
                *look = None;
                self.tries = self.tries.saturating_add(1);
                true
            }
            _ => false,
        }
    }
}
