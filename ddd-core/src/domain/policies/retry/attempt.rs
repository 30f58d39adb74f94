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

/// What follows an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Another one, after this pause.
    Again(Duration),
    /// Nothing: the call ends with this failure.
    End(End),
}

/// Why no further attempt follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// There were as many as there may be.
    Attempts,
    /// It would begin too late: after `max_elapsed`, or after a `retry_after` that is longer than `max_delay`.
    Time,
}
