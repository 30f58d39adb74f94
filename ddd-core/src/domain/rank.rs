//! The order in which tasks run: priority first, first in first out among equals, and nothing starves.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Timestamp;

/// How urgent a task is: -10 to 10, larger first; 0 is normal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Priority(i8);

impl Priority {
    /// The least urgent, -10.
    pub const MIN: Self = Self(-10);
    /// The most urgent, 10.
    pub const MAX: Self = Self(10);

    /// A priority, if `level` is within -10..=10.
    #[must_use]
    pub const fn new(level: i8) -> Option<Self> {
        if level >= Self::MIN.0 && level <= Self::MAX.0 { Some(Self(level)) } else { None }
    }

    /// The nearest priority to `level`.
    #[must_use]
    pub const fn clamped(level: i8) -> Self {
        if level < Self::MIN.0 {
            Self::MIN
        } else if level > Self::MAX.0 {
            Self::MAX
        } else {
            Self(level)
        }
    }

    /// The level, -10 to 10.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number that is no priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority {0} is outside -10..=10")]
pub struct PriorityError(i64);

impl TryFrom<i64> for Priority {
    type Error = PriorityError;

    fn try_from(level: i64) -> Result<Self, PriorityError> {
        i8::try_from(level).ok().and_then(Self::new).ok_or(PriorityError(level))
    }
}

impl TryFrom<i32> for Priority {
    type Error = PriorityError;

    fn try_from(level: i32) -> Result<Self, PriorityError> {
        i64::from(level).try_into()
    }
}

impl TryFrom<i8> for Priority {
    type Error = PriorityError;

    fn try_from(level: i8) -> Result<Self, PriorityError> {
        i64::from(level).try_into()
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// How much older a task must be to run before one whose priority is higher by one. One hour unless set otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankStep(Duration);

impl RankStep {
    /// So long that age never overtakes priority: 100 years. Low priorities may starve.
    pub const STRICT: Self = Self(Duration::from_secs(100 * 365 * 24 * 3_600));

    /// A step of `duration`, at most that of [`RankStep::STRICT`].
    #[must_use]
    pub fn new(duration: Duration) -> Self {
        Self(duration.min(Self::STRICT.0))
    }

    /// The step as a duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for RankStep {
    fn default() -> Self {
        Self(Duration::from_secs(3_600))
    }
}

/// The order key: `due − priority × step`. Tasks are claimed from the smallest rank up, ties by id.
///
/// One index or one sorted set suffices, and no task of priority p starts before one of priority q that became due
/// (p − q) steps earlier: nothing starves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(i64);

impl Rank {
    /// The rank of a task that is due at `due`.
    #[must_use]
    pub fn new(due: Timestamp, priority: Priority, step: RankStep) -> Self {
        let step = i64::try_from(step.0.as_micros()).unwrap_or(i64::MAX);
        Self(due.as_micros().saturating_sub(step.saturating_mul(i64::from(priority.0))))
    }

    /// The rank as a number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}
