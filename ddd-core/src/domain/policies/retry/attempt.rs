use std::time::Duration;

/// How an attempt ended, as far as a retry is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// Well.
    Done,
    /// Badly, and another attempt may end well.
    Failed {
        /// In how long another attempt can succeed, if the one who answered said so.
        retry_after: Option<Duration>,
    },
    /// Badly, and another attempt would as well.
    Final,
}
