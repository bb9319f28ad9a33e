//! What decisions read of the configuration.

use std::time::Duration;

use super::{Backoff, Select, Unmatched};

/// The part of the configuration that decisions read.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the configuration, not a state"
)]
pub struct Rules {
    /// Rule 8.
    pub select: Select,
    /// Rule 10.
    pub unmatched: Unmatched,
    /// `query.missingNamespace: all` (rule 3).
    pub every_namespace: bool,
    /// Rule 5.
    pub max_sample_age: Duration,
    /// How long a woken model may take to become ready.
    pub ready_timeout: Duration,
    /// How long its pods may be unschedulable.
    pub unschedulable_after: Duration,
    /// How often in an episode another set is woken in place of one that does not become ready.
    pub max_escalations: u32,
    /// How long a model must serve without demand before its episode ends.
    pub settle: Duration,
    /// How long a target that a person took back is left alone.
    pub manual_hold: Duration,
    /// Rule 17.
    pub guard: bool,
    /// Targets that may be starting at once (rule 19).
    pub max_starting: Option<usize>,
    /// The same within one namespace.
    pub max_starting_per_namespace: Option<usize>,
    /// Rule 13.
    pub backoff: Backoff,
    /// Whether the status of variants is written.
    pub status: bool,
    /// Whether Events are written.
    pub events: bool,
    /// The accelerator written where none can be found.
    pub fallback_accelerator: Box<str>,
}
