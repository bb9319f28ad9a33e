//! Demand: what the query says about models with requests waiting.

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
