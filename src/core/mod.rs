//! The decision: plain values in, plain values out.
//!
//! Nothing here knows tokio, kube, HTTP, files, logging or a clock; [`Now`] is an argument.
//! A test of the project keeps it so.
//!
//! The way through: [`rows`] adds samples up, [`join`] finds the variants they ask for in the
//! [`Inventory`], [`Memory::observe`] takes in what has happened since, [`plan`] decides, and
//! [`Memory::reports_due`] says what is to be told of it.

mod attempt;
mod blocked;
mod demand;
mod inventory;
mod join;
mod labels;
mod memory;
mod names;
mod plan;
mod report;
mod select;
mod signal;
mod status;
#[cfg(test)]
mod tests;
mod time;

pub use attempt::{Attempt, Backoff, Failure, Moved, Tracked, Waker};
pub use blocked::Blocked;
pub use demand::{Answer, Row, Sample, rows};
pub use inventory::{
    Change, Condition, Cost, Desired, Entry, Gone, Inventory, Namespace, Observed, OutOfScope, Parked, Pool,
    Scope, ScopeRules, Table, Target, TargetRef, Variant, VariantStatus,
};
pub use join::{Asked, Joined, Unanswered, join};
pub use labels::Labels;
pub use memory::{Episode, Memory, Notice};
pub use names::{Kind, ModelKey, ObjectName, PoolGroup, PoolKey, Source, TargetKey, TargetKind};
pub use plan::{Held, NotWakeable, Plan, Rules, Wake, plan};
pub use report::{Due, Report, Reported, Reporting, Told};
pub use select::{Select, Unmatched, asks_by_itself};
pub use signal::{Seen, Sign};
pub use status::{METRICS_AVAILABLE, OPTIMIZATION_READY, SCALE_FROM_ZERO_MODE, StatusUpdate};
pub use time::{Mono, Now, Wall};
