//! By when a request must be answered.

use std::time::Duration;

use tokio::time::Instant;

/// By when a request must be answered: the server answers for a handler that takes longer.
///
/// A server that has such a bound puts this into the extensions of its requests, so that those who may wait, wait no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So long before the end waiting should be over, for an answer to arrive in time.
    const MARGIN: Duration = Duration::from_millis(500);

    pub(crate) const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// How long may be waited, of the time that is wanted.
    pub(crate) fn at_most(self, wanted: Duration) -> Duration {
        wanted.min(self.0.saturating_duration_since(Instant::now()).saturating_sub(Self::MARGIN))
    }
}
