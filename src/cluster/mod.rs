//! The edge to Kubernetes: objects trimmed while decoding, watches, and the few writes.

pub mod client;
mod error;
mod events;
mod health;
mod kinds;
mod leader;
mod look;
mod metadata;
mod objects;
mod report;
mod scale;
mod status;
mod watch;
mod watching;
mod write;

pub use error::RequestError;
pub use health::{WatchHealth, WatchName, WatchState, Watches};
pub use leader::hold;
pub use look::{look, look_at_namespace, look_at_pools, look_at_variant};
pub use report::send_report;
pub use scale::scale_from_zero;
pub use watching::watch_all;
