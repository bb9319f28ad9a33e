//! The decision: plain values in, plain values out.
//!
//! Nothing here knows tokio, kube, HTTP, files, logging or a clock; [`Now`] is an argument.
//! A test of the project keeps it so.
//!
//! The way through: [`rows`] adds samples up, [`join`] finds the variants they ask for in the
//! [`Inventory`], [`Memory::observe`] takes in what has happened since, [`plan`] decides, and
//! [`Memory::reports_due`] says what is to be told of it.

mod ages;
mod attempt;
mod blocked;
mod caps;
mod demand;
mod episode;
mod escalation;
mod failure;
mod few;
mod guard;
mod inventory;
mod join;
mod labels;
mod maps;
mod memory;
mod names;
mod notice;
mod overdue;
mod plan;
mod report;
mod restore;
mod role;
mod rules;
mod select;
mod signal;
mod state;
mod status;
mod taken_back;
#[cfg(test)]
mod tests;
mod time;
mod tracked;
mod wake;

pub use attempt::{Attempt, Attribution, Moved, Waker};
pub use blocked::Blocked;
pub use demand::{Answer, Row, Sample, rows};
pub use episode::{Episode, EpisodeEnd, Presence};
pub use failure::{Backoff, Failure};
pub use few::Few;
pub use guard::{GuardChange, GuardWrite, Guarded};
pub use inventory::{
    Change, Condition, Cost, Desired, Entry, Gone, Guard, Inventory, Namespace, Observed, OutOfScope,
    PAUSED_SCALE_IN, Parked, Pause, Pool, Scaler, Scope, ScopeRules, Stuck, StuckBy, Table, Target,
    TargetRef, Variant, VariantStatus,
};
pub use join::{Asked, Joined, Unanswered, join};
pub use labels::Labels;
pub use maps::{HashMap, Map};
pub use memory::Memory;
pub use names::{
    Kind, ModelKey, ObjectName, OtherKind, PoolGroup, PoolKey, ScalerKey, ScalerKind, Source, TargetKey,
    TargetKind, VariantKey,
};
pub use notice::Notice;
pub use overdue::Overdue;
pub use plan::{Escalation, Held, Plan, by_variant, plan};
pub use report::{Due, Mark, Report, Reported, Reporting, Told};
pub use role::{Parts, ROLE, Role};
pub use rules::Rules;
pub use select::{Select, Unmatched, asks_by_itself};
pub use signal::{Seen, Sign, Signal, Signals};
pub use state::{Situation, State};
pub use status::{METRICS_AVAILABLE, OPTIMIZATION_READY, SCALE_FROM_ZERO_MODE, StatusUpdate};
pub use taken_back::{Owner, TakenBy};
pub use time::{Mono, Now, Wall};
pub use tracked::Tracked;
pub use wake::{Cause, Demanded, NotWakeable, Wake};
