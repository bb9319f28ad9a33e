//! One exchange with one server.

use std::{error::Error as StdError, io, time::Duration};

use http::{HeaderValue, header::AUTHORIZATION};
use prometheus_http_query::Client;
use reqwest::{Response, Url};

use super::{
    auth::authorization,
    error::{Failure, Reason, SetupError},
    verdict::{Decoded, Kind, Question, Reply, verdict},
};
use crate::{config::Auth, core::Wall, text::tame};

/// An answer larger than this is given up: some 150,000 rows.
const LARGEST_ANSWER: usize = 32 << 20;
/// So much of an error's body is read.
const LARGEST_ERROR: usize = 64 << 10;

/// One server, and the client that asks it.
pub(super) struct Endpoint {
    client: Client,
    url: String,
}

/// What every exchange needs and no configuration change alters.
pub(super) struct Manner {
    /// Deadline of one exchange, from connecting to the last byte.
    pub timeout: Duration,
    /// How a query authenticates.
    pub auth: Auth,
    /// Added to the query string.
    pub params: Vec<(&'static str, String)>,
}

/// A URL of the configuration, ready for use, without what follows the path.
pub(super) fn base(uri: &http::Uri, auth: &Auth) -> Result<Url, SetupError> {
    let url = Url::parse(&uri.to_string());
    let error = |url: Option<&Url>, problem| SetupError::Url {
        url: url.map_or_else(|| "the URL".into(), shown),
        problem,
    };
    let mut url = url.map_err(|_| {
        error(
            None,
            "cannot be parsed; write it as http://host:9090 or https://host/path",
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(error(
            Some(&url),
            "is neither http:// nor https:// with a host; correct it",
        ));
    }
    if url.query().is_some() {
        return Err(error(
            Some(&url),
            "has a query string; write its parts under prometheus.params",
        ));
    }
    if *auth != Auth::None {
        // Only fails for URLs that have no host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// `url` for people: without user information, query and fragment.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

impl Endpoint {
    /// A server to be asked through `http`.
    pub fn new(http: reqwest::Client, url: &Url) -> Result<Self, SetupError> {
        let client = Client::from(http, url.as_str()).map_err(|error| SetupError::Client {
            cause: tame(&error.to_string(), 200),
        })?;
        Ok(Self {
            client,
            url: shown(url),
        })
    }

    /// The base URL, for people.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks, and waits for the whole answer no longer than the timeout.
    pub async fn ask<T>(
        &self,
        question: Question<'_>,
        manner: &Manner,
        decode: impl FnOnce(&[u8]) -> Decoded<T>,
    ) -> Result<T, Failure> {
        let authorization = authorization(&manner.auth, self.client.inner()).await?;
        let exchange = self.exchange(question, manner, authorization);
        let reply = tokio::time::timeout(manner.timeout, exchange)
            .await
            .map_err(|_| late(manner))??;
        verdict(question, &reply, Wall::now(), decode)
    }

    async fn exchange(
        &self,
        question: Question<'_>,
        manner: &Manner,
        authorization: Option<HeaderValue>,
    ) -> Result<Reply, Failure> {
        let mut response = match question.kind {
            Kind::Page => self.get(question.text, manner, authorization).await?,
            Kind::Built | Kind::Custom => self.query(question.text, manner, authorization).await?,
        };
        let status = response.status();
        let limit = if status.is_success() {
            LARGEST_ANSWER
        } else {
            LARGEST_ERROR
        };
        let (body, whole) = read(&mut response, limit)
            .await
            .map_err(|error| unsent(&error, manner))?;
        if status.is_success() && !whole {
            let mend = match question.kind {
                Kind::Page => "it is left at that",
                Kind::Built | Kind::Custom => "narrow it with query.matchers or query.expression",
            };
            return Err(Failure::new(
                Reason::TooLarge,
                format!("the answer is larger than {} MiB; {mend}", LARGEST_ANSWER >> 20),
            ));
        }
        Ok(Reply {
            status,
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// No `time` goes along, so the server evaluates at its own present, to the millisecond.
    async fn query(
        &self,
        text: &str,
        manner: &Manner,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, Failure> {
        let timeout = i64::try_from(manner.timeout.as_millis())
            .unwrap_or(i64::MAX)
            .max(1);
        let mut query = self.client.query(text).timeout(timeout);
        for (name, value) in &manner.params {
            query = query.query(name, value);
        }
        if let Some(authorization) = authorization {
            query = query.header(AUTHORIZATION, authorization);
        }
        query.get_raw().await.map_err(|error| match error {
            prometheus_http_query::Error::Client(error) => error
                .inner()
                .map_or_else(|| broken(&error), |error| unsent(error, manner)),
            error => broken(&error),
        })
    }

    /// A page of the API: prometheus-http-query has some of them, and none of them raw.
    async fn get(
        &self,
        path: &str,
        manner: &Manner,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, Failure> {
        let base = self.client.base_url().as_str().trim_end_matches('/');
        let mut request = self.client.inner().get(format!("{base}{path}"));
        request = request.query(&manner.params);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await.map_err(|error| unsent(&error, manner))
    }
}

/// The body up to `limit` bytes, and whether that is all of it.
async fn read(response: &mut Response, limit: usize) -> reqwest::Result<(Vec<u8>, bool)> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(announced.unwrap_or_default().min(limit));
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, true))
}

fn late(manner: &Manner) -> Failure {
    Failure::new(
        Reason::Timeout,
        format!(
            "no whole answer within {}; raise prometheus.timeout, or find out what makes the server slow",
            humantime::format_duration(manner.timeout)
        ),
    )
}

fn broken(error: &dyn StdError) -> Failure {
    Failure::new(
        Reason::Connect,
        format!("cannot be asked: {}", tame(&error.to_string(), 200)),
    )
}

/// Why nothing, or not all, came back. The error's own display is left out: it shows the whole URL.
fn unsent(error: &reqwest::Error, manner: &Manner) -> Failure {
    let causes: Vec<_> = std::iter::successors(error.source(), |&error| error.source()).collect();
    if error.is_builder() {
        // The base URL was found good at setup, and values are escaped, so it can only be the length.
        let message = "the query is too long for a URL (64 KiB); shorten query.expression or query.matchers";
        return Failure::new(Reason::BadQuery, message);
    }
    let tls = causes.iter().any(|cause| is_tls(*cause));
    let cause = causes
        .last()
        .map_or_else(|| "no cause given".into(), |cause| tame(&cause.to_string(), 200));
    if tls {
        let mend = if cause.contains("invalid peer certificate") {
            "name the CA that signed it in prometheus.tls.caFile, and in prometheus.url a host that it is for"
        } else if cause.contains("fatal alert") {
            "check prometheus.tls.certFile and keyFile: the server may want a certificate it trusts"
        } else {
            "is it https that the server speaks at this port?"
        };
        return Failure::new(Reason::Tls, format!("TLS: {cause}; {mend}"));
    }
    if error.is_timeout() && !error.is_connect() {
        return late(manner);
    }
    let (doing, mend) = if error.is_connect() {
        (
            "cannot connect",
            "check prometheus.url, the Service behind it, and NetworkPolicies",
        )
    } else {
        (
            "the connection broke off",
            "look at the server, or at what stands before it",
        )
    };
    Failure::new(Reason::Connect, format!("{doing}: {cause}; {mend}"))
}

/// What TLS finds wrong, in the handshake or after it, travels as an I/O error of this kind, sometimes
/// within another one.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        error.kind() == io::ErrorKind::InvalidData || error.get_ref().is_some_and(|inner| is_tls(inner))
    })
}
