//! The decision: plain values in, plain values out.
//!
//! Nothing here knows tokio, kube, HTTP, files, logging or a clock; [`Now`] is an argument.
//! `tests/core_is_pure.rs` keeps it so.

mod demand;
mod time;

pub use demand::Sample;
pub use time::{Mono, Now, Wall};
