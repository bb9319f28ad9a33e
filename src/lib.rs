//! `scale-from-zero` wakes parked language models on Kubernetes.
//!
//! Each tick one PromQL query says which models have requests waiting; joined with the cached
//! mapping of inactive variants and InferencePools, it says which targets go from 0 to 1.

mod actuate;
pub mod build_info;
pub mod check;
pub mod cli;
mod clock;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod core;
#[cfg(feature = "demo")]
pub mod demo;
pub mod logging;
mod output;
mod pace;
pub mod prometheus;
pub mod report;
mod retry_after;
mod rules;
pub mod run;
mod text;
mod tick;
pub mod wake;
