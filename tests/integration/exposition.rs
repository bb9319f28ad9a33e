//! Metrics as they are exposed: read from the program, to assert on them.

use std::collections::{BTreeMap, BTreeSet};

/// What a family's samples add to its name.
const PARTS: [&str; 5] = ["", "_total", "_bucket", "_sum", "_count"];

/// The samples of one look at `/metrics`.
#[derive(Debug)]
pub struct Exposition {
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
    /// Families as `# TYPE` names them.
    families: BTreeMap<String, String>,
}

impl Exposition {
    /// Reads OpenMetrics text.
    ///
    /// # Panics
    /// On a line that is none.
    pub fn parse(text: &str) -> Self {
        let mut families = BTreeMap::new();
        let mut samples = Vec::new();
        assert!(text.ends_with("# EOF\n"), "no OpenMetrics text: {text}");
        for line in text.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').expect("a type");
                let before = families.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
            } else if !line.starts_with('#') {
                samples.push(sample(line).unwrap_or_else(|| panic!("no sample: {line}")));
            }
        }
        Self { samples, families }
    }

    /// Each metric with its type and its labels, as documentation names them: counters with
    /// `_total`, histograms without the names of their parts.
    pub fn described(&self) -> impl Iterator<Item = (String, (String, BTreeSet<String>))> {
        self.families.iter().map(|(family, kind)| {
            let part = |name: &str| {
                name.strip_prefix(family.as_str())
                    .is_some_and(|rest| PARTS.contains(&rest))
            };
            let of = self.samples.iter().filter(|(name, ..)| part(name));
            let labels = of
                .flat_map(|(_, labels, _)| labels.keys().cloned())
                .filter(|label| label != "le");
            let suffix = if kind == "counter" { "_total" } else { "" };
            (format!("{family}{suffix}"), (kind.clone(), labels.collect()))
        })
    }

    /// The sum of all samples of a name with these labels; 0 without any. `scale_from_zero_` goes
    /// without saying.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let name = format!("scale_from_zero_{name}");
        let wanted = |of: &BTreeMap<String, String>| {
            labels
                .iter()
                .all(|(label, value)| of.get(*label).is_some_and(|is| is == value))
        };
        let samples = self.samples.iter();
        samples
            .filter(|(is, of, _)| *is == name && wanted(of))
            .map(|(_, _, value)| value)
            .sum()
    }
}

/// `name{label="value",...} number`
fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series.to_owned(), BTreeMap::new(), value));
    };
    let mut rest = labels.strip_suffix('}')?;
    let mut all = BTreeMap::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        let (text, after) = quoted(after)?;
        all.insert(label.to_owned(), text);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some((name.to_owned(), all, value))
}

/// Text up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
