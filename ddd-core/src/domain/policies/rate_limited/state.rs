use std::time::Duration;

/// How a limit stands for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitState {
    /// How much more passes now; of several limits, of the one that has the least left.
    pub remaining: u32,
    /// In how long a call of the cost 1 passes, if nothing else does until then: zero if it does now, `None` if it never does.
    pub retry_after: Option<Duration>,
    /// In how long all that was used is over, if nothing else passes until then.
    pub reset_after: Duration,
}

impl LimitState {
    /// A limit with so much left.
    #[must_use]
    pub const fn new(remaining: u32, retry_after: Option<Duration>, reset_after: Duration) -> Self {
        Self { remaining, retry_after, reset_after }
    }
}
