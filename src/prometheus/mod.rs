//! Demand is asked of Prometheus here: one query a tick, a second one for the age of what it found, and now and
//! then a slow one for what EPPs export at all.
//!
//! Everything at this edge ends in plain [`Sample`](crate::core::Sample)s and [`Seen`](crate::core::Seen) or in
//! a [`QueryError`] that names the server, the cause and the mend. Nothing here decides anything about a wake.
//!
//! - [`query`]: the text of the queries, built from the configuration alone; `signal`: the slow one and its rows.
//! - [`decode`]: bytes of an answer to samples; `series`: to series with all their labels.
//! - `exposition`: the text that an EPP prints, to the same.
//! - `survey`: what `check` asks beside: series, targets, version, clock. `offline`: the queries, evaluated here.
//! - `client`: which server is asked, and which next when it fails.
//! - `servers`: the clients in force, built anew when a certificate on disk was rotated.
//! - `endpoint`: one exchange with one server; `verdict`: what its answer means.
//! - `auth`, `tls`: credentials, read from their files; `file`: no more of one than it may hold.

mod answers;
mod auth;
mod client;
pub mod decode;
mod endpoint;
mod error;
mod exposition;
mod file;
pub mod offline;
pub mod query;
mod series;
mod servers;
mod signal;
mod survey;
mod tls;
mod verdict;

pub use answers::Answers;
pub use client::Prometheus;
pub use error::{QueryError, Reason, SetupError};
pub use exposition::{Exposition, ExpositionError, exposition};
pub use series::{Series, series};
pub use survey::ScrapeTarget;
