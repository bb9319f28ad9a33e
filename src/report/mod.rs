//! What is told to people and to Prometheus: the log, metrics, the history and the read-only listener.

mod history;
mod host;
mod journal;
mod listen;
mod metrics;
mod page;
mod queues;
mod server;
mod status;

pub use history::{Decision, History};
#[cfg(feature = "demo")]
pub(crate) use host::is_this_machine;
pub use journal::{Journal, QueryTrouble};
pub use listen::{ServeError, bind, serve};
pub use metrics::{Metrics, ResultLabel};
pub use queues::{QueueHistory, Queues};
pub use server::{Admin, Extras, StatusRequest};
pub use status::{Overview, status};
