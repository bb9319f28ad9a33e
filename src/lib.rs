//! `scale-from-zero` wakes parked language models on Kubernetes.
//!
//! Each tick one PromQL query says which models have requests waiting; joined with the cached
//! mapping of inactive variants and InferencePools, it says which targets go from 0 to 1.

pub mod config;
pub mod core;
