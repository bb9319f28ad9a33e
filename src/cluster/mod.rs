//! The edge to Kubernetes: objects trimmed while decoding, watches, and the few writes.

pub mod client;
mod discovery;
mod error;
mod events;
mod guards;
mod health;
mod keda;
mod kinds;
mod leader;
mod look;
mod metadata;
mod objects;
mod other;
mod owners;
mod pods;
mod read;
mod report;
mod scale;
mod scalers;
mod status;
mod template;
mod watch;
mod watching;
mod write;

pub use discovery::{Discovered, Found, discover};
pub use error::RequestError;
pub use guards::write_guard;
pub use health::{WatchHealth, WatchName, WatchState, Watches};
pub use keda::{Keda, SINCE as KEDA_GUARDS_SINCE, keda_version};
pub use leader::hold;
pub use look::{look, look_at_namespace, look_at_pools, look_at_scalers, look_at_variant};
pub use owners::owners;
pub use pods::{PodsSeen, look_at_pods};
pub use report::{Warning, send_report, send_warning};
pub use scale::scale_from_zero;
pub use watching::WatchSet;
