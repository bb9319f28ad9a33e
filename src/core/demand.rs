//! Demand: what the query says about models with requests waiting.

use super::{HashMap, maps::hash_map_for};

/// One element of the answered instant vector, reduced to the labels that the join reads.
///
/// A label that is missing or empty is `None`, as Prometheus holds the two to be the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// `__name__`, if the expression kept it.
    pub family: Option<Box<str>>,
    /// Namespace of the EPP.
    pub namespace: Option<Box<str>>,
    /// Name of the InferencePool.
    pub pool: Option<Box<str>>,
    /// The model as asked for.
    pub model: Option<Box<str>>,
    /// The model after rewriting.
    pub target_model: Option<Box<str>>,
    /// Requests waiting, or for the age query seconds. May be NaN or infinite.
    pub value: f64,
}

/// Requests waiting for one (namespace, pool, model), whatever the series it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Namespace of the EPP, where the row says it.
    pub namespace: Option<Box<str>>,
    /// Name of the pool, where the row says it.
    pub pool: Option<Box<str>>,
    /// The model asked for; `None` for EPPs before December 2025, which name none.
    pub model: Option<Box<str>>,
    /// Requests waiting, more than 0. Infinite if the expression makes it so.
    pub waiting: f64,
    /// The metric it was read from, if the expression kept the name.
    pub family: Option<Box<str>>,
}

/// What the last query answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All demand there is: what is not in it, is gone.
    Complete(Vec<Row>),
    /// Nothing is known: the query failed or was not sent.
    Unknown,
}

/// Adds samples up to rows (rule 1), named by rule 2, in order of their labels.
///
/// Samples of one model are added up within a family. Where both families speak of the same model,
/// the larger sum counts, since the two are the same gauge under its old and its new name.
/// Values that are not above 0, NaN among them, are no demand.
pub fn rows(samples: Vec<Sample>) -> Vec<Row> {
    type Key = (Option<Box<str>>, Option<Box<str>>, Option<Box<str>>);
    let mut families: HashMap<(Key, Option<Box<str>>), f64> = hash_map_for(samples.len());
    for sample in samples.into_iter().filter(|s| s.value > 0.0) {
        let model = sample.target_model.or(sample.model);
        let key = (sample.namespace, sample.pool, model);
        *families.entry((key, sample.family)).or_default() += sample.value;
    }
    let mut rows: Vec<Row> = families
        .into_iter()
        .map(|(((namespace, pool, model), family), waiting)| Row {
            namespace,
            pool,
            model,
            waiting,
            family,
        })
        .collect();
    // The larger sum first, so that it is the one `dedup_by` keeps.
    rows.sort_by(|a, b| {
        let labels = a.labels().cmp(&b.labels());
        labels
            .then(b.waiting.total_cmp(&a.waiting))
            .then_with(|| a.family.cmp(&b.family))
    });
    rows.dedup_by(|later, kept| later.labels() == kept.labels());
    rows
}

impl Row {
    fn labels(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (
            self.namespace.as_deref(),
            self.pool.as_deref(),
            self.model.as_deref(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Sample, rows};

    fn sample(family: &str, target: &str, model: &str, value: f64) -> Sample {
        let label = |text: &str| (!text.is_empty()).then(|| text.into());
        Sample {
            family: label(family),
            namespace: Some("llm".into()),
            pool: Some("pool".into()),
            model: label(model),
            target_model: label(target),
            value,
        }
    }

    fn row(model: &str, waiting: f64, family: &str) -> Row {
        let label = |text: &str| (!text.is_empty()).then(|| text.into());
        Row {
            namespace: Some("llm".into()),
            pool: Some("pool".into()),
            model: label(model),
            waiting,
            family: label(family),
        }
    }

    #[test]
    fn rule_1_rows_of_one_model_add_up_and_families_do_not() {
        let rewritten = rows(vec![
            sample("new", "llama", "public-chat", 2.0),
            sample("new", "llama", "llama", 3.0),
            sample("old", "llama", "llama", 4.0),
            sample("old", "qwen", "qwen", 7.0),
        ]);
        assert_eq!(rewritten, vec![row("llama", 5.0, "new"), row("qwen", 7.0, "old")]);
    }

    #[test]
    fn rule_1_what_is_not_above_zero_is_no_demand() {
        let values = [0.0, -3.0, f64::NAN, f64::NEG_INFINITY];
        assert_eq!(rows(values.map(|v| sample("new", "llama", "", v)).into()), vec![]);
        assert_eq!(
            rows(vec![sample("new", "llama", "", f64::INFINITY)]),
            vec![row("llama", f64::INFINITY, "new")]
        );
    }

    #[test]
    fn rule_2_the_target_model_names_the_row_else_the_model() {
        let named = rows(vec![
            sample("", "llama", "public", 1.0),
            sample("", "", "qwen", 1.0),
            sample("", "", "", 1.0),
        ]);
        assert_eq!(
            named,
            vec![row("", 1.0, ""), row("llama", 1.0, ""), row("qwen", 1.0, "")]
        );
    }
}
