//! What an expression asks for. `promtool` holds that it is one; this only finds the names in it.

use std::collections::BTreeSet;

/// A metric with its matchers.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    pub metric: String,
    /// Label, whether it is a regular expression, and its text.
    pub matchers: Vec<(String, bool, String)>,
}

/// The names in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Metrics of ours, and `ALERTS`.
    pub selectors: Vec<Selector>,
    /// Labels that it groups, joins or keeps series by.
    pub labels: BTreeSet<String>,
}

/// Finds them.
pub fn names(expression: &str) -> Names {
    let mut found = Names::default();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = after(&rest[1..], first);
        } else if first == '[' {
            rest = after(&rest[1..], ']');
        } else if first.is_ascii_alphabetic() || first == '_' {
            let (word, follows) = word(rest);
            rest = follows;
            let follows = follows.trim_start();
            if matches!(word, "by" | "without" | "on" | "ignoring") {
                let list = follows.strip_prefix('(').expect("a list of labels");
                let (list, _) = list.split_once(')').expect("its end");
                let labels = list.split(',').map(str::trim).filter(|label| !label.is_empty());
                found.labels.extend(labels.map(str::to_owned));
                rest = after(follows, ')');
            } else if word.starts_with("scale_from_zero_") || word == "ALERTS" {
                let (matchers, follows) = matchers(follows);
                rest = follows;
                found.selectors.push(Selector {
                    metric: word.to_owned(),
                    matchers,
                });
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Metrics of ours in prose.
pub fn mentioned(text: &str) -> Vec<Selector> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("scale_from_zero_") {
        let (metric, follows) = word(&rest[at..]);
        let (matchers, follows) = matchers(follows);
        all.push(Selector {
            metric: metric.to_owned(),
            matchers,
        });
        rest = follows;
    }
    all
}

fn word(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// What follows the next `end`.
fn after(text: &str, end: char) -> &str {
    text.split_once(end).map(|(_, rest)| rest).unwrap_or_default()
}

/// `{label="text",...}`, where there is one. None of our texts holds a quote or a brace.
fn matchers(text: &str) -> (Vec<(String, bool, String)>, &str) {
    let Some((list, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
        return (Vec::new(), text);
    };
    let mut all = Vec::new();
    let mut list = list.trim();
    while !list.is_empty() {
        let (label, follows) = word(list);
        let (operator, follows) = follows.split_once('"').expect("a text");
        let (text, follows) = follows.split_once('"').expect("its end");
        all.push((label.to_owned(), operator.contains('~'), text.to_owned()));
        list = follows.trim_start_matches([',', ' ']);
    }
    (all, rest)
}

/// That it finds what is there.
pub fn finds_names() {
    let found = names(
        "sum by (le, reason) (rate(scale_from_zero_a_bucket{job=~\"$job|scale_from_zero_x\",b!=\"c\"}[5m])) \
         / ignoring (d) group_left scale_from_zero_b offset 1m > 0.5 or on () absent(ALERTS{alertname=\"n\"})",
    );
    let text = |text: &str| text.to_owned();
    assert_eq!(
        found,
        Names {
            selectors: vec![
                Selector {
                    metric: text("scale_from_zero_a_bucket"),
                    matchers: vec![
                        (text("job"), true, text("$job|scale_from_zero_x")),
                        (text("b"), false, text("c")),
                    ],
                },
                Selector {
                    metric: text("scale_from_zero_b"),
                    matchers: vec![],
                },
                Selector {
                    metric: text("ALERTS"),
                    matchers: vec![(text("alertname"), false, text("n"))],
                },
            ],
            labels: ["le", "reason", "d"].map(text).into(),
        }
    );
}
