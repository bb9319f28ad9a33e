//! What is told to people and to Prometheus: the log, metrics, the history and the read-only listener.

mod history;
mod journal;
mod metrics;
mod server;
mod status;

pub use history::{Decision, History};
pub use journal::Journal;
pub use metrics::{Metrics, ResultLabel};
pub use server::{Admin, Extras, ServeError, StatusRequest, bind, serve};
pub use status::{Overview, status};
