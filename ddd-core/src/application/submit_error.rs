use std::{fmt, time::Duration};

use crate::{
    domain::Name,
    ports::{InvalidParams, StoreError, StoreErrorKind, write_chain},
};

/// A task that was not taken.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// No definition of this name is linked into this program.
    #[error("there is no task `{name}`{}", .closest.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())]
    #[non_exhaustive]
    UnknownTask {
        /// The name.
        name: String,
        /// A name that is like it.
        closest: Option<&'static str>,
    },
    /// The parameters do not fit, or break a rule.
    #[error("the parameters of `{name}` do not fit")]
    #[non_exhaustive]
    InvalidParams {
        /// The definition.
        name: Name,
        /// Where, and what is wrong.
        source: InvalidParams,
    },
    /// The parameters are too large.
    #[error("the parameters of `{name}` have {size} bytes of JSON; at most {limit} are taken")]
    #[non_exhaustive]
    TooLarge {
        /// The definition.
        name: Name,
        /// How large they are.
        size: usize,
        /// How large they may be.
        limit: usize,
    },
    /// An option of the submission is out of its range.
    #[error("{0}")]
    InvalidOption(String),
    /// The queue is full.
    #[error("the queue `{queue}` is full; try again in {retry_after:?}")]
    #[non_exhaustive]
    QueueFull {
        /// The queue.
        queue: Name,
        /// When there may be room.
        retry_after: Duration,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another submission; take a new key for a new submission")]
    KeyReused,
    /// The connection leads to another store than the application's; nothing was stored.
    #[error(transparent)]
    OtherStore(StoreError),
    /// The store did not take it. Whether it is stored is not known; the handle's id was not given out.
    #[error("the task could not be stored")]
    Store(#[source] StoreError),
}

impl From<StoreError> for SubmitError {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::OtherStore => Self::OtherStore(error),
            _ => Self::Store(error),
        }
    }
}

/// As text, source included: this is what `main` prints when it returns the error.
impl fmt::Debug for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(f, self)
    }
}
