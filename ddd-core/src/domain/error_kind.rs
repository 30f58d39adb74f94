//! One taxonomy of errors: it decides whether a failure is retried, and how it is reported.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What sort of failure an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is wrong; the same input will be wrong again.
    Invalid,
    /// What was asked for does not exist.
    NotFound,
    /// It contradicts the present state.
    Conflict,
    /// The caller is not known.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// Too much was asked for in too short a time.
    RateLimited,
    /// Something needed is away; it may come back.
    Unavailable,
    /// It took too long.
    Timeout,
    /// Anything else.
    Internal,
}

impl ErrorKind {
    /// Whether trying again can help.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout | Self::Internal | Self::Conflict)
    }
}

/// Tells the kind of an error. A task whose error type implements it is retried only if the kind is retryable.
///
/// ```
/// use ddd_core::{Classify, ErrorKind};
///
/// enum PaymentError { CardRefused, BankAway }
///
/// impl Classify for PaymentError {
///     fn kind(&self) -> ErrorKind {
///         match self {
///             Self::CardRefused => ErrorKind::Invalid, // never retried
///             Self::BankAway => ErrorKind::Unavailable, // retried as the task's settings say
///         }
///     }
/// }
/// ```
pub trait Classify {
    /// The kind of this error.
    fn kind(&self) -> ErrorKind;

    /// In how long another attempt can succeed, if the one who answered said so (HTTP's `Retry-After`). Default: not said.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}
