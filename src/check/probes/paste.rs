//! Lines to paste: commands and manifest lines in mends.

use std::borrow::Cow;

/// A word of a shell command, quoted where it must be: names in files are not checked by any API server.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// A scalar in a line of YAML, quoted where it must be: whatever is more than a name that no other type looks like.
pub(super) fn scalar(text: &str) -> Cow<'_, str> {
    let name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let like_a_name = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(name);
    let like_a_type = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text));
    if like_a_name && !like_a_type {
        return Cow::Borrowed(text);
    }
    // A JSON string is a YAML scalar in double quotes.
    Cow::Owned(serde_json::Value::from(text).to_string())
}

/// `kubectl -n NAMESPACE ARGUMENTS`; the arguments as they are.
pub(super) fn kubectl(namespace: &str, arguments: &str) -> String {
    format!("kubectl -n {} {arguments}", word(namespace))
}

/// A span of time, for people: `1.5 s`, `2 min`, `250 ms`.
pub(super) fn seconds(seconds: f64) -> String {
    let digits = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if seconds < 1.0 && seconds > 0.0 {
        format!("{} ms", digits((seconds * 1000.0).round()))
    } else if seconds >= 120.0 {
        format!("{} min", digits((seconds / 6.0).round() / 10.0))
    } else {
        format!("{} s", digits(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_quoted_is() {
        assert_eq!(word("llm-epp.v1"), "llm-epp.v1");
        assert_eq!(word("a'; rm -rf ~; '"), r"'a'\''; rm -rf ~; '\'''");
        assert_eq!(word(""), "''");
        assert_eq!(scalar("prod-a"), "prod-a");
        assert_eq!(scalar("true"), "\"true\"");
        assert_eq!(scalar("1"), "\"1\"");
        assert_eq!(scalar("a: b"), "\"a: b\"");
    }

    #[test]
    fn times_are_short() {
        for (value, text) in [
            (0.25, "250 ms"),
            (5.05, "5.05 s"),
            (10.0, "10 s"),
            (60.0, "60 s"),
            (330.0, "5.5 min"),
            (0.0, "0 s"),
        ] {
            assert_eq!(seconds(value), text);
        }
    }
}
