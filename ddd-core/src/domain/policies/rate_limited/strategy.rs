use std::fmt;

use serde::{Deserialize, Serialize};

/// How a rate limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// No span of `per`, wherever it begins, holds more than `limit`.
    ///
    /// Up to a limit of 64 every call is remembered, and counts for exactly `per`. Above that, calls are remembered in slices
    /// of a 62nd of `per`, and count until `per` after the end of their slice at the latest: never too short, and at most 1.7 %
    /// too long.
    #[default]
    SlidingWindow,
    /// A bucket of `burst` tokens is filled at the rate of `limit` per `per`, evenly. It is full at first.
    ///
    /// A span of any length holds at most `burst`, and what the rate gives in that time.
    TokenBucket,
    /// Time is cut into pieces of `per`, and no piece holds more than `limit`.
    ///
    /// Calls on both sides of a cut can come close together: up to twice the limit in less than `per`.
    FixedWindow,
}

impl Strategy {
    /// Its name, as in attributes and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlidingWindow => "sliding_window",
            Self::TokenBucket => "token_bucket",
            Self::FixedWindow => "fixed_window",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
