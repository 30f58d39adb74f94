//! A point in time that only this process knows.

use std::{ops::Sub, time::Duration};

use super::duration::nanos;

/// A point on a clock that never goes back: nanoseconds since some start that is the same for the whole process.
///
/// Arithmetic saturates. It says nothing to another process: what is stored or sent is a
/// [`Timestamp`](super::Timestamp).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The latest one.
    pub const MAX: Self = Self(u64::MAX);

    /// From nanoseconds since the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment plus `duration`, at most [`Moment::MAX`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// The moment so long before this one; `None` if that is before the start.
    #[must_use]
    pub fn before(self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(u64::try_from(duration.as_nanos()).ok()?).map(Self)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Sub for Moment {
    type Output = Duration;

    /// As [`Moment::since`].
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}
