//! What can go wrong while asking, and while getting ready to ask.

use std::{fmt, io, path::PathBuf, time::Duration};

/// Why a query failed: a closed list, so that it can be a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No connection, or it broke off.
    Connect,
    /// No whole answer within `prometheus.timeout`, or the server gave up on the query.
    Timeout,
    /// The two sides do not trust each other's certificates.
    Tls,
    /// The server points elsewhere, which is not followed: credentials would go along.
    Redirect,
    /// Any other status than 2xx.
    HttpStatus,
    /// 401 or 403.
    Unauthorized,
    /// 429.
    Throttled,
    /// The query cannot be parsed, or its result is no instant vector of plain numbers.
    BadQuery,
    /// The server understood the query and could not carry it out.
    Execution,
    /// The answer is not what Prometheus answers.
    Decode,
    /// The answer came with warnings: something is missing in it.
    Partial,
    /// The answer is larger than is held in memory.
    TooLarge,
    /// A token or password file cannot be used.
    Credentials,
}

impl Reason {
    /// All of them, for metrics that should exist before the first failure.
    pub const ALL: [Self; 13] = [
        Self::Connect,
        Self::Timeout,
        Self::Tls,
        Self::Redirect,
        Self::HttpStatus,
        Self::Unauthorized,
        Self::Throttled,
        Self::BadQuery,
        Self::Execution,
        Self::Decode,
        Self::Partial,
        Self::TooLarge,
        Self::Credentials,
    ];

    /// The value of a metric's label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Redirect => "redirect",
            Self::HttpStatus => "http_status",
            Self::Unauthorized => "unauthorized",
            Self::Throttled => "throttled",
            Self::BadQuery => "bad_query",
            Self::Execution => "execution",
            Self::Decode => "decode",
            Self::Partial => "partial",
            Self::TooLarge => "too_large",
            Self::Credentials => "credentials",
        }
    }

    /// Whether another server with the same data would fail alike, so that asking it is in vain.
    pub(super) const fn is_everywhere(self) -> bool {
        matches!(self, Self::BadQuery | Self::TooLarge | Self::Credentials)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A query that brought no answer one may act on: the demand is unknown (rule 6).
///
/// Displayed, it is one line that names the server, the cause and the mend, and holds no secret.
/// Where several servers were asked, `url` and `reason` are those of the first, and the line tells of all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The server that was asked, without user information, query or fragment.
    pub url: String,
    /// Why it failed.
    pub reason: Reason,
    /// How long the server wants to be left alone: `Retry-After` of a 429 or 503, at most 5 minutes.
    /// Of several servers, the longest.
    pub retry_after: Option<Duration>,
    /// What happened, where, and what to mend.
    pub message: String,
}

impl QueryError {
    /// As if a server had failed so.
    #[cfg(test)]
    pub(crate) fn example(reason: Reason, retry_after: Option<Duration>) -> Self {
        let failure = Failure {
            retry_after,
            ..Failure::new(reason, "a fault of the test")
        };
        Self::new(vec![("http://fake".into(), failure)])
    }

    /// `failures` in the order of asking: the server's URL, and what was wrong there.
    pub(super) fn new(failures: Vec<(String, Failure)>) -> Self {
        let retry_after = failures
            .iter()
            .filter_map(|(_, failure)| failure.retry_after)
            .max();
        let message = failures
            .iter()
            .map(|(url, failure)| format!("{url}: {}", failure.message))
            .collect::<Vec<_>>()
            .join("; then ");
        let (url, reason) = failures
            .into_iter()
            .next()
            .map_or((String::new(), Reason::Connect), |(url, failure)| {
                (url, failure.reason)
            });
        Self {
            url,
            reason,
            retry_after,
            message,
        }
    }
}

/// A [`QueryError`] before it is known which server it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub reason: Reason,
    pub retry_after: Option<Duration>,
    pub message: String,
}

impl Failure {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            retry_after: None,
            message: message.into(),
        }
    }
}

/// Why no client could be built. Each names the key of the configuration, the cause and the mend.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No server is configured.
    #[error("prometheus.url: no server given; name at least one")]
    NoServer,
    /// A URL that cannot be asked.
    #[error("prometheus.url: {url} {problem}")]
    Url {
        /// Without user information, query or fragment.
        url: String,
        /// What is wrong with it, and the mend.
        problem: &'static str,
    },
    /// A file that cannot be read.
    #[error("{key}: cannot read {}: {source}; mount the file there, or correct the path", file.display())]
    Read {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{key}: {} {problem}", file.display())]
    Pem {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and the mend.
        problem: String,
    },
    /// HTTPS without a single root to trust.
    #[error(
        "prometheus.tls.caFile: this machine has no CA roots to trust ({cause}); \
         name the CA of the server there, or install ca-certificates"
    )]
    NoRoots {
        /// What the TLS library says.
        cause: String,
    },
    /// A header that cannot be sent.
    #[error("prometheus.headers: {name:?} {problem}")]
    Header {
        /// Name of the header. Its value may be a secret.
        name: String,
        /// What is wrong with it, and the mend.
        problem: &'static str,
    },
    /// A parameter that is not the user's to set.
    #[error("prometheus.params: {name:?} is set by scale-from-zero itself ({instead}); remove it")]
    Param {
        /// Name of the parameter.
        name: String,
        /// Where its value comes from.
        instead: &'static str,
    },
    /// Anything else the HTTP client finds fault with.
    #[error("prometheus: cannot build an HTTP client: {cause}")]
    Client {
        /// What it says.
        cause: String,
    },
}
