use std::{fmt, time::Duration};

use serde::Serialize;

use crate::domain::{Classify, ErrorKind};

/// A call that a policy did not let through, or not to its end.
///
/// A function whose policies can refuse returns a `Result` whose error can be made of this.
///
/// ```
/// use ddd_core::Refused;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error(transparent)]
///     Refused(#[from] Refused),
///     #[error("the service answered {0}")]
///     Status(u16),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refused {
    /// Why.
    pub kind: RefusedKind,
    /// The name of the policy.
    pub policy: &'static str,
    /// In how long the same call may pass, if that is known.
    pub retry_after: Option<Duration>,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusedKind {
    /// Too many calls in too short a time: `#[rate_limited]`.
    RateLimited,
    /// What the function calls fails too often: `#[circuit_breaker]`.
    CircuitOpen,
    /// Too many calls at once: `#[bulkhead]`.
    BulkheadFull,
    /// The call began and took too long: `#[timeout]`.
    TimedOut,
    /// The store that all processes share does not answer, and the policy says to refuse then.
    Unavailable,
}

impl Refused {
    /// A refusal by the policy of this name.
    #[must_use]
    pub const fn new(kind: RefusedKind, policy: &'static str, retry_after: Option<Duration>) -> Self {
        Self { kind, policy, retry_after }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.kind {
            RefusedKind::RateLimited => "too many calls in too short a time",
            RefusedKind::CircuitOpen => "its circuit is open",
            RefusedKind::BulkheadFull => "too many calls at once",
            RefusedKind::TimedOut => "it took too long",
            RefusedKind::Unavailable => "the store of its policy does not answer",
        };
        write!(f, "`{}` was refused: {why}", self.policy)?;
        match self.retry_after {
            Some(it) => write!(f, "; try again in {it:.1?}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}

impl Classify for Refused {
    fn kind(&self) -> ErrorKind {
        match self.kind {
            RefusedKind::RateLimited => ErrorKind::RateLimited,
            RefusedKind::TimedOut => ErrorKind::Timeout,
            RefusedKind::CircuitOpen | RefusedKind::BulkheadFull | RefusedKind::Unavailable => ErrorKind::Unavailable,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
