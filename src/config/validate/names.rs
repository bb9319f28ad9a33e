//! What Kubernetes, Prometheus and HTTP take as a name.

/// A rule for a text.
pub(super) struct Rule {
    /// Completes "VALUE is not ...": what it should be and how that is written.
    pub wanted: &'static str,
    /// Whether a text keeps it.
    pub holds: fn(&str) -> bool,
}

pub(super) const METRIC: Rule = Rule {
    wanted: "a metric name; use letters, digits, _ and :, the first no digit",
    holds: |name| is_name(name, |c| c == '_' || c == ':'),
};

pub(super) const LABEL: Rule = Rule {
    wanted: "a label name; use letters, digits and _, the first no digit, and not __name__",
    holds: |name| is_name(name, |c| c == '_') && name != "__name__",
};

pub(super) const NAMESPACE: Rule = Rule {
    wanted: "a namespace; use lower-case letters, digits and -, first and last no -, at most 63",
    holds: is_dns_label,
};

pub(super) const OBJECT: Rule = Rule {
    wanted: "an object's name; use lower-case letters, digits, - and ., first and last a letter or digit, at most 253",
    holds: |name| name.len() <= 253 && name.split('.').all(is_dns_label),
};

pub(super) const LABEL_VALUE: Rule = Rule {
    wanted: "a label value; use letters, digits, -, _ and ., first and last a letter or digit, at most 63",
    holds: |value| {
        let outer = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        value.len() <= 63
            && outer(value.bytes().next())
            && outer(value.bytes().last())
            && value
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
    },
};

/// A path; whether there is such a file shows when it is read, again and again, since it may be rotated.
pub(super) const FILE: Rule = Rule {
    wanted: "a file; write its path",
    holds: |path| !path.trim().is_empty() && !path.contains('\0'),
};

pub(super) const ACCELERATOR: Rule = Rule {
    wanted: "an accelerator; write at least 2 characters, fewer are refused by the VariantAutoscaling's schema",
    holds: |name| name.trim().chars().count() >= 2,
};

pub(super) const EXPRESSION: Rule = Rule {
    wanted: "a query; write PromQL, or null for the built one",
    holds: |text| !text.trim().is_empty(),
};

fn is_name(name: &str, also: fn(char) -> bool) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || also(c))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || also(c))
}

fn is_dns_label(name: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_what_looks_like_them() {
        let cases: [(&Rule, &[&str], &[&str]); 6] = [
            (&METRIC, &["a", "_a:b9", ":x"], &["", "9a", "a-b", "a.b", "é"]),
            (
                &LABEL,
                &["a", "_a9", "__meta"],
                &["", "9a", "a:b", "a-b", "__name__"],
            ),
            (
                &NAMESPACE,
                &["a", "0", "a-9", &"x".repeat(63)],
                &["", "-a", "a-", "A", "a.b", "a_b", &"x".repeat(64)],
            ),
            (&OBJECT, &["a", "a.b-c"], &["", "a..b", ".a", "A"]),
            (
                &LABEL_VALUE,
                &["a", "A_b.c-9"],
                &["", "-a", "a-", "a/b", &"x".repeat(64)],
            ),
            (&ACCELERATOR, &["A1", "H100"], &["", "A", " A "]),
        ];
        for (rule, good, bad) in cases {
            for name in good {
                assert!((rule.holds)(name), "{name} is not {}", rule.wanted);
            }
            for name in bad {
                assert!(!(rule.holds)(name), "{name} is taken as {}", rule.wanted);
            }
        }
    }
}
