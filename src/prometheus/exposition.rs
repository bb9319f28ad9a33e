//! The text that `curl EPP/metrics` prints, to series.
//!
//! Both formats are read: Prometheus' own (<https://prometheus.io/docs/instrumenting/exposition_formats/>) and OpenMetrics,
//! several scrapes one after the other, and the labels that a scrape adds. The crates that read them keep histograms and
//! types apart, which nobody wants here, and tell no line of what is wrong.

use std::{
    collections::{BTreeMap, HashMap},
    iter::Peekable,
    str::Chars,
};

use super::series::Series;
use crate::text::tame;

/// Series of one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// Each with its last sample; no age, since the text knows no present.
    pub series: Vec<Series>,
    /// Seconds since 1970 of the samples that say it, beside `series`.
    pub times: Vec<Option<f64>>,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ExpositionError {
    /// Counted from 1.
    pub line: usize,
    /// What, and the mend.
    pub problem: String,
}

/// Reads a text.
///
/// # Errors
/// At the first line that is none of the format, or repeats a series: of two EPPs a label must tell which is which.
pub fn exposition(text: &str) -> Result<Exposition, ExpositionError> {
    // OpenMetrics, which ends so, counts seconds, where the older format counts milliseconds.
    let in_seconds = text.lines().any(|line| line.trim_end() == "# EOF");
    let mut all = Exposition::default();
    let mut lines: HashMap<(String, BTreeMap<String, String>), usize> = HashMap::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (series, time) = sample(text, in_seconds).map_err(|problem| ExpositionError {
            line,
            problem: format!("{problem}: {:?}", tame(text, 80)),
        })?;
        let key = (series.name.clone(), series.labels.clone());
        if let Some(first) = lines.insert(key, line) {
            return Err(ExpositionError {
                line,
                problem: format!(
                    "is the series of line {first} again; where two endpoint pickers are put together, \
                     tell them apart with a label, e.g. pod=\"epp-0\": {:?}",
                    tame(text, 80)
                ),
            });
        }
        all.series.push(series);
        all.times.push(time);
    }
    Ok(all)
}

/// `name{label="value",...} value [time] [# exemplar]`
fn sample(text: &str, in_seconds: bool) -> Result<(Series, Option<f64>), String> {
    let mut rest = text.chars().peekable();
    let mut name = word(&mut rest, ":");
    blanks(&mut rest);
    let mut labels = BTreeMap::new();
    if rest.next_if_eq(&'{').is_some() {
        name = braces(&mut rest, name, &mut labels)?;
    } else if name.is_empty() {
        return Err("begins with no name of a metric".into());
    }
    if name.is_empty() {
        return Err("names no metric".into());
    }
    let rest: String = rest.collect();
    let mut parts = rest.split_whitespace();
    let number = |text: &str, what: &str| {
        text.parse::<f64>()
            .map_err(|_| format!("{:?} is no {what}", tame(text, 30)))
    };
    let value = parts.next().ok_or("has no value")?;
    let value = number(value, "number")?;
    let time = match parts.next() {
        None | Some("#") => None,
        Some(text) => {
            let time = number(text, "time")?;
            let seconds = in_seconds || text.contains(['.', 'e']);
            match parts.next() {
                None | Some("#") => {}
                Some(more) => {
                    return Err(format!(
                        "holds more than a value and a time: {:?}",
                        tame(more, 30)
                    ));
                }
            }
            Some(if seconds { time } else { time / 1000.0 }).filter(|time| time.is_finite())
        }
    };
    labels.retain(|_, value: &mut String| !value.is_empty());
    let series = Series {
        name,
        labels,
        value,
        age: None,
    };
    Ok((series, time))
}

/// What stands in braces, up to their end: labels, and a name that cannot stand before them.
fn braces(
    rest: &mut Peekable<Chars<'_>>,
    mut name: String,
    labels: &mut BTreeMap<String, String>,
) -> Result<String, String> {
    loop {
        blanks(rest);
        if rest.next_if_eq(&'}').is_some() {
            return Ok(name);
        }
        let is_quoted = rest.peek() == Some(&'"');
        let label = if is_quoted { quoted(rest)? } else { word(rest, "") };
        if label.is_empty() {
            return Err(match rest.peek() {
                Some(c) => format!("has {c:?} where the name of a label is wanted"),
                None => "ends within its labels".into(),
            });
        }
        blanks(rest);
        if rest.next_if_eq(&'=').is_some() {
            blanks(rest);
            if rest.peek() != Some(&'"') {
                return Err(format!("the value of label {label} is not in double quotes"));
            }
            if labels.insert(label.clone(), quoted(rest)?).is_some() {
                return Err(format!("has label {label} twice"));
            }
        } else if is_quoted && name.is_empty() {
            name = label;
        } else {
            return Err(format!("label {label} has no value"));
        }
        blanks(rest);
        if rest.next_if_eq(&',').is_none() && rest.peek() != Some(&'}') {
            return Err("ends within its labels, or lacks a comma between them".into());
        }
    }
}

/// Text in double quotes.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    rest.next();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => return Ok(text),
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some(c @ ('"' | '\\')) => text.push(c),
                // As Prometheus does: what is no escape stays as it is.
                Some(c) => text.extend(['\\', c]),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("ends within double quotes".into())
}

/// The name of a metric or a label.
fn word(rest: &mut Peekable<Chars<'_>>, extra: &str) -> String {
    let mut word = String::new();
    let fits = |c: char, first: bool| {
        c.is_ascii_alphabetic() || c == '_' || extra.contains(c) || (!first && c.is_ascii_digit())
    };
    while let Some(c) = rest.next_if(|c| fits(*c, word.is_empty())) {
        word.push(c);
    }
    word
}

fn blanks(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> (Series, Option<f64>) {
        let mut all = exposition(text).unwrap();
        assert_eq!(all.series.len(), 1, "{text}");
        (all.series.remove(0), all.times.remove(0))
    }

    fn error(text: &str) -> String {
        exposition(text).unwrap_err().to_string()
    }

    #[test]
    fn what_an_epp_prints_is_read() {
        let text = "# HELP q Requests, \"quoted\" {}\n# TYPE q gauge\r\n\
            q{fairness_id=\"a\\\"b\\\\c\\nd\\x\",priority=\"-1\",empty=\"\",} 5\n\n  \
            q{priority=\"0\"}\t+Inf 1700000000500\n\
            up NaN\n{\"my.metric\", \"k8s.ns\"=\"n\"} 1e3 # {trace=\"1\"} 2\n";
        let all = exposition(text).unwrap();
        assert_eq!(all.series.len(), 4);
        assert_eq!(all.series[0].label("fairness_id"), "a\"b\\c\nd\\x");
        assert_eq!(all.series[0].labels.len(), 2, "an empty label is a missing one");
        assert_eq!(
            (all.series[1].value, all.times[1]),
            (f64::INFINITY, Some(1_700_000_000.5))
        );
        assert!(all.series[2].value.is_nan());
        assert_eq!(
            (all.series[3].label("__name__"), all.series[3].label("k8s.ns")),
            ("my.metric", "n")
        );
        assert_eq!(all.times[3], None);
    }

    #[test]
    fn times_are_told_in_the_unit_of_the_format() {
        assert_eq!(one("q 1 1700000000000").1, Some(1.7e9));
        assert_eq!(one("q 1 1700000000\n# EOF\n").1, Some(1.7e9));
        assert_eq!(one("q 1 1700000000.25").1, Some(1_700_000_000.25));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("q 1\nq{a=\"b\" 1", "line 2: ends within its labels"),
            ("q{a=\"b", "ends within double quotes"),
            ("q{a=b} 1", "not in double quotes"),
            ("q{a} 1", "label a has no value"),
            ("q{a=\"1\",a=\"2\"} 1", "label a twice"),
            ("q{", "ends within its labels"),
            ("q{-} 1", "'-' where the name"),
            ("q", "no value"),
            ("q one", "\"one\" is no number"),
            ("q 1 then", "\"then\" is no time"),
            ("q 1 2 3", "more than a value and a time"),
            ("{a=\"b\"} 1", "names no metric"),
            ("<html>", "no name of a metric"),
            ("9 1", "no name of a metric"),
            ("q 1\n\nq 2", "line 3: is the series of line 1 again"),
        ] {
            assert!(error(text).contains(told), "{told}: {}", error(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "(?s).{0,200}") {
            let _ = exposition(&text);
        }

        #[test]
        fn no_line_breaks_it(text in r#"[a-z{}="\\, #0-9.]{0,60}"#) {
            let _ = exposition(&text);
        }

        #[test]
        fn any_value_of_a_label_comes_through(value in "(?s)[^\r]{1,20}") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            prop_assume!(!escaped.contains(['\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']));
            let (series, _) = one(&format!("q{{a=\"{escaped}\"}} 1"));
            prop_assert_eq!(series.label("a"), value);
        }
    }
}
