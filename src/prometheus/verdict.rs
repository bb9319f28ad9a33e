//! What an answer means: samples, or why there are none and what to mend.

use http::{HeaderMap, StatusCode, header::LOCATION};

use super::{
    decode::{self, DecodeError, ErrorBody},
    error::{Failure, Reason},
};
use crate::{core::Wall, retry_after::retry_after, text::tame};

/// What was asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The query, as sent; of a page its path with its parameters.
    pub text: &'a str,
    /// What kind of question it is.
    pub kind: Kind,
}

/// The kinds of question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A query built from the configuration.
    Built,
    /// The user's own `query.expression`.
    Custom,
    /// A page of the API that is no query, and that not every server has.
    Page,
}

/// What decoding makes of a body: the value, and what the server warns of.
pub(super) type Decoded<T> = Result<(T, Vec<String>), DecodeError>;

/// The status line, the headers and the body (of an error maybe only its beginning).
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Reads `reply`; `now` is for a `Retry-After` given as a date.
pub(super) fn verdict<T>(
    question: Question<'_>,
    reply: &Reply,
    now: Wall,
    decode: impl FnOnce(&[u8]) -> Decoded<T>,
) -> Result<T, Failure> {
    if !reply.status.is_success() {
        let error = decode::error_body(&reply.body);
        return Err(refusal(question, reply, error.as_ref(), now));
    }
    let error = match decode(&reply.body) {
        Ok((value, warnings)) if warnings.is_empty() => return Ok(value),
        Ok((_, warnings)) => {
            return Err(Failure::new(
                Reason::Partial,
                format!(
                    "the answer may lack something, so nothing is concluded from it; the server warns: {}; \
                     mend what it names",
                    tame(&warnings.join("; "), 500)
                ),
            ));
        }
        Err(error) => error,
    };
    if let Some(error) = decode::error_body(&reply.body) {
        return Err(refusal(question, reply, Some(&error), now));
    }
    Err(match error {
        DecodeError::ResultType { .. } => Failure::new(
            Reason::BadQuery,
            format!(
                "{error}, where an instant vector is wanted (one element for each model); mend {}; sent: {}",
                origin(question),
                sent(question)
            ),
        ),
        _ => Failure::new(
            Reason::Decode,
            format!("{error}; is prometheus.url the base URL of a Prometheus, without /api/v1?"),
        ),
    })
}

/// An answer that is an error, `error` being its body where it is Prometheus' own.
fn refusal(question: Question<'_>, reply: &Reply, error: Option<&ErrorBody>, now: Wall) -> Failure {
    let status = reply.status;
    let reason = reason(status, error);
    let said = error.map_or_else(
        || match tame(&String::from_utf8_lossy(&reply.body), 100) {
            text if text.is_empty() => "without a word".to_owned(),
            text => format!("saying {text:?}"),
        },
        |error| format!("{}: {}", tame(&error.kind, 50), tame(&error.error, 500)),
    );
    let message = match reason {
        Reason::BadQuery => {
            format!(
                "the query is refused, {said}; mend {}; sent: {}",
                origin(question),
                sent(question)
            )
        }
        Reason::Execution => {
            format!(
                "the query failed on the server, {said}; look at the server; sent: {}",
                sent(question)
            )
        }
        Reason::Timeout => format!(
            "the server gave up on the query, {said}; raise prometheus.timeout, or find out what makes it slow"
        ),
        Reason::Unauthorized => format!(
            "HTTP {status}, {said}; let us in: mend prometheus.bearerTokenFile, basicAuth, tls.certFile or \
             headers, or what the server grants to them"
        ),
        Reason::Throttled => {
            format!("HTTP {status}, {said}; the server asks for fewer queries: raise interval or its limit")
        }
        Reason::Redirect => format!(
            "HTTP {status} to {}, which is not followed, as credentials would go along; set prometheus.url to \
             where the server is (a redirect to a login page means that credentials are wanted)",
            location(&reply.headers)
        ),
        _ if question.kind == Kind::Page && is_missing(status) => {
            format!("HTTP {status}: the server has no {}", sent(question))
        }
        _ => format!("HTTP {status}, {said}; {}", hint(status)),
    };
    let wish = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let retry_after = if wish {
        retry_after(&reply.headers, now)
    } else {
        None
    };
    Failure {
        reason,
        retry_after,
        message,
    }
}

/// The class of an error. `errorType` of <https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview>
/// is one of Prometheus' `bad_data`, `execution`, `timeout`, `canceled`, `internal`, ...; others repeat
/// the status there, so it only counts where it says more. Thanos answers `execution` when a store is
/// out of reach, so that is no fault of the query.
fn reason(status: StatusCode, error: Option<&ErrorBody>) -> Reason {
    match (status, error.map(|error| error.kind.as_str())) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Reason::Unauthorized,
        (StatusCode::TOO_MANY_REQUESTS, _) => Reason::Throttled,
        (_, Some("bad_data")) => Reason::BadQuery,
        (_, Some("timeout" | "canceled")) => Reason::Timeout,
        (_, Some("execution")) | (StatusCode::UNPROCESSABLE_ENTITY, Some(_)) => Reason::Execution,
        _ if status.is_redirection() => Reason::Redirect,
        _ => Reason::HttpStatus,
    }
}

/// Whether there is nothing behind a path. Some answer 404 there, some gateways 405 or 501.
fn is_missing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    )
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "there is no /api/v1/query: correct the path of prometheus.url"
        }
        StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the query is too long for something on the way: shorten query.expression or raise that limit"
        }
        StatusCode::BAD_REQUEST => "check the scheme (http or https) and the port of prometheus.url",
        _ => "look at the server, or at what stands before it",
    }
}

/// The query on one line.
fn sent(question: Question<'_>) -> String {
    tame(question.text, 4000)
}

/// The keys of the configuration that the query comes from.
fn origin(question: Question<'_>) -> &'static str {
    match question.kind {
        Kind::Custom => "query.expression",
        Kind::Built => "query.families, query.labels or query.matchers",
        Kind::Page => "prometheus.params",
    }
}

/// Where a redirect points, without what may be secret: user information, query and fragment.
fn location(headers: &HeaderMap) -> String {
    let Some(Ok(location)) = headers.get(LOCATION).map(|location| location.to_str()) else {
        return "nowhere".into();
    };
    let bare = location.split(['?', '#']).next().unwrap_or_default();
    match bare.split_once("//") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or_default();
            tame(&format!("{scheme}//{host}/{path}"), 200)
        }
        None => tame(bare, 200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Query, core::Sample};

    const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

    fn judged(
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
        custom: bool,
    ) -> Result<Vec<Sample>, Failure> {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
                .collect(),
            body: body.into(),
        };
        verdict(
            Question {
                text: "the query",
                kind: if custom { Kind::Custom } else { Kind::Built },
            },
            &reply,
            Wall::UNIX_EPOCH,
            |body| decode::answer(body, &Query::default().labels).map(|a| (a.samples, a.warnings)),
        )
    }

    fn failed(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
        judged(status, headers, body, false).unwrap_err()
    }

    #[test]
    fn an_empty_vector_is_an_answer() {
        assert_eq!(judged(200, &[], EMPTY, false).unwrap(), []);
    }

    #[test]
    fn each_kind_of_error_has_its_reason_and_its_mend() {
        let error = |kind: &str| format!(r#"{{"status":"error","errorType":"{kind}","error":"the cause"}}"#);
        for (status, body, reason, mend) in [
            (400, error("bad_data"), Reason::BadQuery, "mend query.families"),
            (200, error("bad_data"), Reason::BadQuery, "sent: the query"),
            (422, error("execution"), Reason::Execution, "the cause"),
            (422, error("422"), Reason::Execution, "sent: the query"),
            (503, error("timeout"), Reason::Timeout, "raise prometheus.timeout"),
            (503, error("canceled"), Reason::Timeout, "the cause"),
            (500, error("internal"), Reason::HttpStatus, "internal: the cause"),
            (
                401,
                String::new(),
                Reason::Unauthorized,
                "prometheus.bearerTokenFile",
            ),
            (403, error("bad_data"), Reason::Unauthorized, "the cause"),
            (
                404,
                "404 page not found".into(),
                Reason::HttpStatus,
                "path of prometheus.url",
            ),
            (
                400,
                "plain HTTP to HTTPS port".into(),
                Reason::HttpStatus,
                "the scheme",
            ),
            (414, String::new(), Reason::HttpStatus, "too long"),
            (
                429,
                "slow\u{1b} down".into(),
                Reason::Throttled,
                "\"slow<U+001B> down\"",
            ),
            (502, String::new(), Reason::HttpStatus, "without a word"),
        ] {
            let failure = failed(status, &[], &body);
            assert_eq!(failure.reason, reason, "{status} {body}");
            assert!(
                failure.message.contains(mend),
                "{status} {body}: {}",
                failure.message
            );
            assert_eq!(failure.retry_after, None);
        }
    }

    #[test]
    fn a_page_that_is_missing_is_said_to_be() {
        let question = Question {
            text: "/api/v1/targets",
            kind: Kind::Page,
        };
        let reply = |status| Reply {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        let judged = |status| {
            verdict(question, &reply(status), Wall::UNIX_EPOCH, |_| {
                Ok(((), Vec::new()))
            })
            .unwrap_err()
            .message
        };
        let missing = judged(StatusCode::NOT_FOUND);
        assert!(missing.contains("the server has no /api/v1/targets"), "{missing}");
        let other = judged(StatusCode::BAD_GATEWAY);
        assert!(other.contains("look at the server"), "{other}");
    }

    #[test]
    fn a_custom_expression_is_named_as_the_culprit() {
        let body = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        let failure = judged(400, &[], body, true).unwrap_err();
        assert!(
            failure.message.contains("mend query.expression; sent: the query"),
            "{}",
            failure.message
        );
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#;
        let failure = judged(200, &[], body, true).unwrap_err();
        assert_eq!(failure.reason, Reason::BadQuery);
        assert!(
            failure.message.starts_with("the result is a scalar, where"),
            "{}",
            failure.message
        );
        assert!(
            failure.message.contains("mend query.expression"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn only_429_and_503_are_granted_a_rest() {
        let wish = [("retry-after", "3")];
        for (status, rest) in [(429, Some(3)), (503, Some(3)), (500, None), (301, None)] {
            let rest = rest.map(std::time::Duration::from_secs);
            assert_eq!(failed(status, &wish, "").retry_after, rest, "{status}");
        }
    }

    #[test]
    fn a_redirect_is_named_without_its_secrets() {
        for (location, shown) in [
            (
                "https://u:secret@sso.example/login?secret=1#secret",
                "https://sso.example/login,",
            ),
            ("/login?secret", "to /login,"),
            ("//host?secret", "to //host/,"),
        ] {
            let failure = failed(302, &[("location", location)], "");
            assert_eq!(failure.reason, Reason::Redirect);
            assert!(failure.message.contains(shown), "{}", failure.message);
            assert!(!failure.message.contains("secret"), "{}", failure.message);
        }
        assert!(failed(302, &[], "").message.contains("nowhere"));
    }

    #[test]
    fn an_answer_with_warnings_is_partial() {
        let body = EMPTY.replace(
            r#""data""#,
            r#""warnings":["no store matched","second"],"infos":["fine"],"data""#,
        );
        let failure = failed(200, &[], &body);
        assert_eq!(failure.reason, Reason::Partial);
        assert!(
            failure.message.contains("no store matched; second"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn notes_about_the_query_are_no_warnings() {
        for noted in [
            r#""infos":["PromQL info: x"]"#,
            r#""warnings":["PromQL info: x"]"#,
            r#""warnings":null"#,
        ] {
            let body = EMPTY.replace(r#""data""#, &format!(r#"{noted},"data""#));
            assert_eq!(judged(200, &[], &body, false).unwrap(), [], "{noted}");
        }
    }

    #[test]
    fn what_is_not_json_is_shown() {
        let failure = failed(200, &[], &format!("<html>\u{7}{}", "x".repeat(500)));
        assert_eq!(failure.reason, Reason::Decode);
        assert!(
            failure
                .message
                .contains(&format!("<html><U+0007>{}…", "x".repeat(93))),
            "{}",
            failure.message
        );
    }
}
