//! One thing that is wrong, with its evidence and its mend.

use std::collections::BTreeSet;

use crate::core::VariantKey;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A model cannot wake, or what was asked to be checked could not be.
    Error,
    /// It wakes, but late, or may be taken back, or costs more than it needs to.
    Warning,
    /// Worth knowing. Does not count for the exit status.
    Note,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The link of the wake path that it is in, in order: what is broken at an earlier one hides what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The configuration of this program.
    Config,
    /// Reading the cluster.
    Permissions,
    /// Asking Prometheus.
    Prometheus,
    /// The variant: model, target, scope.
    Variant,
    /// The pool that selects the target.
    Pool,
    /// The endpoint picker: its pods, its flow control.
    Epp,
    /// The scrape of the EPP, and what it exports.
    Signal,
    /// Requests waiting.
    Demand,
    /// The wake itself: the write, and becoming ready.
    Wake,
    /// Who may take the wake back, or wakes as well.
    TakeBack,
}

impl Link {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Permissions => "permissions",
            Self::Prometheus => "prometheus",
            Self::Variant => "variant",
            Self::Pool => "pool",
            Self::Epp => "epp",
            Self::Signal => "signal",
            Self::Demand => "demand",
            Self::Wake => "wake",
            Self::TakeBack => "take_back",
        }
    }
}

/// Whom a problem concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// Every variant.
    All,
    /// These.
    Variants(BTreeSet<VariantKey>),
    /// None that exists: demand that nothing serves.
    None,
}

impl Concerns {
    /// One variant.
    pub fn one(variant: &VariantKey) -> Self {
        Self::Variants([variant.clone()].into())
    }

    /// Whether it concerns a variant.
    pub fn includes(&self, variant: &VariantKey) -> bool {
        match self {
            Self::All => true,
            Self::Variants(variants) => variants.contains(variant),
            Self::None => false,
        }
    }
}

/// One thing that is wrong. Texts may hold outside text; whoever prints them makes them fit for a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What, as one of a closed list of words (docs/check.md).
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where on the path.
    pub link: Link,
    /// The object it is about, for people: `Deployment llm/llama`; empty where it is about none.
    pub object: String,
    /// Whom it concerns.
    pub concerns: Concerns,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What was seen that says so, line by line.
    pub evidence: Vec<String>,
    /// How to mend it: first what, in words, then commands or manifest lines, line by line.
    pub mend: Vec<String>,
}

impl Problem {
    /// A problem of nothing and nobody yet.
    pub fn new(code: &'static str, severity: Severity, link: Link, what: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            link,
            object: String::new(),
            concerns: Concerns::None,
            what: what.into(),
            evidence: Vec::new(),
            mend: Vec::new(),
        }
    }

    /// The object it is about.
    #[must_use]
    pub fn about(mut self, object: impl Into<String>) -> Self {
        self.object = object.into();
        self
    }

    /// Whom it concerns.
    #[must_use]
    pub fn concerning(mut self, concerns: Concerns) -> Self {
        self.concerns = concerns;
        self
    }

    /// One more line of evidence.
    #[must_use]
    pub fn seen(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// One more line of its mend: words first, then what can be pasted.
    #[must_use]
    pub fn mend(mut self, line: impl Into<String>) -> Self {
        self.mend.push(line.into());
        self
    }
}
