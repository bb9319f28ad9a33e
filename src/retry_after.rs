//! How long a server asks us to wait: the `Retry-After` header, or what Kubernetes says in the body.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::fmt::rfc2822::DateTimeParser;

use crate::core::Wall;

/// No server may make us deaf for longer than this, whatever it asks for.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Seconds, or an HTTP date that is measured from `now`; `None` where it is missing or makes no sense.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub(crate) fn retry_after(headers: &HeaderMap, now: Wall) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

/// `details.retryAfterSeconds` of a Kubernetes `Status`; 0 says nothing.
pub(crate) fn in_body(seconds: u32) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds.into()).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, "2015-10-21T07:27:30Z".parse().unwrap())
    }

    #[test]
    fn reads_seconds_and_dates() {
        assert_eq!(parsed("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            parsed("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn a_date_that_has_passed_is_no_wait() {
        assert_eq!(parsed("Wed, 21 Oct 2015 07:27:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn no_server_makes_us_deaf() {
        assert_eq!(parsed("18446744073709551615"), Some(LONGEST));
        assert_eq!(parsed("Wed, 21 Oct 2099 07:27:00 GMT"), Some(LONGEST));
        assert_eq!(in_body(u32::MAX), Some(LONGEST));
    }

    #[test]
    fn a_body_says_seconds() {
        assert_eq!(in_body(7), Some(Duration::from_secs(7)));
        assert_eq!(in_body(0), None);
    }

    #[test]
    fn nonsense_is_no_wish() {
        for value in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(parsed(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Wall::UNIX_EPOCH), None);
    }
}
