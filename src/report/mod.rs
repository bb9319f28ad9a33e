//! What is told to people and to Prometheus: the log, metrics and the read-only listener.

mod journal;
mod metrics;
mod server;

pub use journal::Journal;
pub use metrics::{Metrics, ResultLabel};
pub use server::{Admin, ServeError, bind, serve};
