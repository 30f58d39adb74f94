use std::fmt;

use serde::{Deserialize, Serialize};

/// Which attribute a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PolicyKind {
    /// `#[cached]`.
    Cached,
    /// `#[rate_limited]`.
    RateLimited,
    /// `#[retry]`.
    Retry,
    /// `#[circuit_breaker]`.
    CircuitBreaker,
    /// `#[timeout]`.
    Timeout,
    /// `#[bulkhead]`.
    Bulkhead,
}

impl PolicyKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Cached, Self::RateLimited, Self::Retry, Self::CircuitBreaker, Self::Timeout, Self::Bulkhead];

    /// The attribute's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::RateLimited => "rate_limited",
            Self::Retry => "retry",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Timeout => "timeout",
            Self::Bulkhead => "bulkhead",
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
