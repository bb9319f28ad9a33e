//! What the loop asks for, so that a test can answer in the place of a server.

use futures::future::{BoxFuture, FutureExt as _};

use super::{Prometheus, QueryError};
use crate::core::{Sample, Seen};

/// Who answers the queries of a tick. Each method is that of [`Prometheus`].
pub trait Answers: Send + Sync {
    /// Whether [`Answers::ages`] would know them.
    fn knows_ages(&self) -> bool;

    /// The models with requests waiting.
    fn demand(&self) -> BoxFuture<'_, Result<Vec<Sample>, QueryError>>;

    /// How old those samples are.
    fn ages(&self) -> BoxFuture<'_, Result<Option<Vec<Sample>>, QueryError>>;

    /// What EPPs export even while nobody waits.
    fn signals(&self) -> BoxFuture<'_, Result<Option<Vec<Seen>>, QueryError>>;
}

impl Answers for Prometheus {
    fn knows_ages(&self) -> bool {
        Self::knows_ages(self)
    }

    fn demand(&self) -> BoxFuture<'_, Result<Vec<Sample>, QueryError>> {
        Self::demand(self).boxed()
    }

    fn ages(&self) -> BoxFuture<'_, Result<Option<Vec<Sample>>, QueryError>> {
        Self::ages(self).boxed()
    }

    fn signals(&self) -> BoxFuture<'_, Result<Option<Vec<Seen>>, QueryError>> {
        Self::signals(self).boxed()
    }
}
