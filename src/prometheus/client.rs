//! Asking, and asking the next server when one fails.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    decode,
    endpoint::{Endpoint, Manner},
    error::{QueryError, SetupError},
    query,
    servers::{Servers, manner},
    signal,
    verdict::{Decoded, Kind, Question},
};
use crate::{
    config::{self, Labels},
    core::{Sample, Seen},
};

/// The queries, and the servers they are asked of. Clones share connections and memory.
#[derive(Clone)]
pub struct Prometheus {
    inner: Arc<Inner>,
}

struct Inner {
    demand: String,
    /// A selector for each family that only an EPP with flow control exports.
    families: Vec<String>,
    age: Option<String>,
    signal: Option<String>,
    labels: Labels,
    signal_labels: Labels,
    servers: Servers,
    manner: Manner,
    /// The server that answered last, asked first; an index into `servers`.
    preferred: AtomicUsize,
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus")
            .field("demand", &self.inner.demand)
            .finish_non_exhaustive()
    }
}

impl Prometheus {
    /// Builds the queries and one HTTP client for each server; reads the files of `prometheus.tls`
    /// (blocking, some milliseconds) and sends nothing.
    ///
    /// # Errors
    /// Where a URL, a header or a parameter cannot be used, a file of `prometheus.tls` cannot be read or
    /// holds something else, or HTTPS would find no CA root to trust.
    pub fn new(prometheus: &config::Prometheus, query: &config::Query) -> Result<Self, SetupError> {
        let inner = Inner {
            demand: query::demand(query),
            families: signal::flow_control(query)
                .iter()
                .map(|family| query::selector(family, query))
                .collect(),
            age: query::age(query),
            signal: query::signal(query),
            labels: query.labels.clone(),
            signal_labels: signal::labels(&query.labels),
            servers: Servers::new(prometheus)?,
            manner: manner(prometheus)?,
            preferred: AtomicUsize::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The models with requests waiting; each value is a number of requests.
    ///
    /// One request with a deadline of `prometheus.timeout`; where it fails and there are more servers, one
    /// to each of them until one answers, with the same deadline each.
    ///
    /// # Errors
    /// No server gave a whole answer: the demand is unknown, not gone.
    pub async fn demand(&self) -> Result<Vec<Sample>, QueryError> {
        self.ask(&self.inner.demand, &self.inner.labels).await
    }

    /// Whether the age of samples can be asked for: not with a custom expression.
    pub fn knows_ages(&self) -> bool {
        self.inner.age.is_some()
    }

    /// The age in seconds of the freshest sample behind each row of [`demand`](Self::demand), at the
    /// time of this second query; `None` with a custom expression, where it cannot be known. Rows have no
    /// `family`.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand).
    pub async fn ages(&self) -> Result<Option<Vec<Sample>>, QueryError> {
        match &self.inner.age {
            Some(age) => self.ask(age, &self.inner.labels).await.map(Some),
            None => Ok(None),
        }
    }

    /// What EPPs export even while nobody waits (rule 4): for a call every half minute, not for each tick.
    /// `None` with a custom expression, where it cannot be known.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand): nothing is known then, and nothing is to be concluded from it.
    pub async fn signals(&self) -> Result<Option<Vec<Seen>>, QueryError> {
        let Some(signal) = &self.inner.signal else {
            return Ok(None);
        };
        let rows = self.ask(signal, &self.inner.signal_labels).await?;
        Ok(Some(rows.into_iter().map(signal::seen).collect()))
    }

    /// Selectors of the queue families and of the saturations beside them.
    pub(super) fn families(&self) -> &[String] {
        &self.inner.families
    }

    /// Base URLs of the servers, for people, in the order of the configuration.
    pub async fn urls(&self) -> Vec<String> {
        let endpoints = self.inner.servers.current().await;
        endpoints
            .iter()
            .map(|endpoint| endpoint.url().to_owned())
            .collect()
    }

    async fn ask(&self, text: &str, labels: &Labels) -> Result<Vec<Sample>, QueryError> {
        let kind = match self.inner.age {
            Some(_) => Kind::Built,
            None => Kind::Custom,
        };
        self.first(Question { text, kind }, |body| {
            decode::answer(body, labels).map(|answer| (answer.samples, answer.warnings))
        })
        .await
    }

    /// Asks one server after the other, until one has an answer.
    pub(super) async fn first<T>(
        &self,
        question: Question<'_>,
        decode: impl Fn(&[u8]) -> Decoded<T>,
    ) -> Result<T, QueryError> {
        let Inner {
            servers,
            manner,
            preferred,
            ..
        } = &*self.inner;
        let endpoints = servers.current().await;
        let first = preferred.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for (index, endpoint) in endpoints
            .iter()
            .enumerate()
            .cycle()
            .skip(first)
            .take(endpoints.len())
        {
            match endpoint.ask(question, manner, &decode).await {
                Ok(answer) => {
                    // That one server has a page, and another has not, says nothing of their answers to queries.
                    if question.kind != Kind::Page && preferred.swap(index, Ordering::Relaxed) != index {
                        report(failures, endpoint);
                    }
                    return Ok(answer);
                }
                Err(failure) => {
                    servers.suspect();
                    let is_everywhere = failure.reason.is_everywhere();
                    failures.push((endpoint.url().to_owned(), failure));
                    if is_everywhere {
                        break;
                    }
                }
            }
        }
        Err(QueryError::new(failures))
    }
}

/// Said when the preferred server changes, and so once for each failover.
fn report(failures: Vec<(String, super::error::Failure)>, now: &Endpoint) {
    let error = QueryError::new(failures);
    tracing::warn!(
        reason = error.reason.as_str(),
        "{error}; {} answered and is asked first now",
        now.url()
    );
}
