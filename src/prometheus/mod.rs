//! Demand is asked of Prometheus here: one query a tick, and a second one for the age of what it found.
//!
//! Everything at this edge ends in plain [`Sample`](crate::core::Sample)s or in an error that
//! names the server, the cause and the mend. Nothing here decides anything about a wake.
//!
//! - [`query`]: the text of the two queries, built from the configuration alone.
//! - [`decode`]: bytes of an answer to samples.

pub mod decode;
pub mod query;
mod text;
