//! `check`: walks the wake path link by link, and says what is broken and how to mend it.
//!
//! ```text
//!   cluster + Prometheus ─┐
//!                         ├─▶ Facts ─▶ verdict (the loop's own decision) ─▶ probes ─▶ Report ─▶ table, JSON, story
//!   manifests + samples ──┘
//! ```
//!
//! [`Facts`] are plain values, however they were come by, so that every probe is a pure function and what is said of
//! manifests in a pipeline is what would be said of the cluster. What a variant is (its state, why it is not woken) is
//! not decided here: [`Verdict`] asks the decision of the loop itself. Probes add what the loop does not look at.

mod codes;
pub mod command;
pub mod explain;
mod facts;
pub mod gather;
mod near;
mod probes;
mod problem;
pub mod render;
mod report;
#[cfg(test)]
mod tests;
mod verdict;

pub use codes::CODES;
pub use facts::{Access, Facts, Need, Object, Objects, Origin, Prom, ScrapeTarget, Series, Unread};
pub use problem::{Concerns, Link, Problem, Severity};
pub use report::{Report, Row, judge};
pub use verdict::Verdict;
