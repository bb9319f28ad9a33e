//! What has happened, for logs, metrics, Events and the history.

use std::time::Duration;

use super::{ModelKey, Moved, TakenBy, TargetKey};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// First demand of a model.
    EpisodeBegan {
        /// The model.
        key: ModelKey,
        /// Requests waiting.
        waiting: f64,
    },
    /// The end of an episode.
    EpisodeEnded {
        /// The model.
        key: ModelKey,
        /// Whether it ended with the model serving and demand gone.
        served: bool,
    },
    /// A target moved.
    Moved {
        /// The target.
        target: TargetKey,
        /// How.
        moved: Moved,
    },
    /// It is known who scaled a target back.
    TakenBack {
        /// The target.
        target: TargetKey,
        /// The model whose episode it was in, if that is still open.
        key: Option<ModelKey>,
        /// Who did it.
        by: TakenBy,
        /// When it may be woken again, should requests wait.
        again_in: Duration,
    },
}
