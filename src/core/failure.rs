//! Why writes fail, and how long to wait before the next try.

use std::{fmt, time::Duration};

/// Why a write did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// 409: somebody wrote the object since it was read.
    Conflict,
    /// 401: our credentials are not known there, or not for now.
    Unauthorized,
    /// 403.
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
    pub const ALL: [Self; 8] = [
        Self::Conflict,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Throttled,
        Self::Rejected,
        Self::NoAnswer,
        Self::Unavailable,
    ];

    /// The longest wait after it, whatever the backoff says. An API server that is away, or overloaded, is so for all
    /// targets at once and comes back for all of them: none is to wait for minutes then; nor where others write a
    /// target all the time. What is wrong with one target stays so until somebody mends it.
    pub fn longest_wait(self) -> Option<Duration> {
        match self {
            Self::NoAnswer | Self::Unavailable | Self::Unauthorized => Some(Duration::from_secs(10)),
            Self::Throttled | Self::Conflict => Some(Duration::from_secs(30)),
            Self::Forbidden | Self::NotFound | Self::Rejected => None,
        }
    }

    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Unauthorized => "unauthorized",
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
            Self::Unauthorized => "the API server does not know our token or certificate",
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
    /// The same for waits after such a failure.
    #[must_use]
    pub fn after(self, why: Failure) -> Self {
        let longest = why.longest_wait().unwrap_or(self.max);
        Self {
            max: self.max.min(longest),
            ..self
        }
    }

    /// The wait after `tries` tries that failed before this one.
    pub fn wait(self, tries: u32) -> Duration {
        let factor = 2_u32.checked_pow(tries).unwrap_or(u32::MAX);
        self.initial.saturating_mul(factor).min(self.max)
    }
}
