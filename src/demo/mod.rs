//! `scale-from-zero demo`: everything the control loop needs, inside the process.

pub mod kubernetes;
