//! A point in time, in whole microseconds.

use std::{cmp::Ordering, fmt, num::NonZeroI64, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time: microseconds since 1970-01-01T00:00:00Z. In JSON and text it is RFC 3339 in UTC.
///
/// Arithmetic saturates: a delay of a thousand years is far away, not a panic.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp(NonZeroI64);

/// What the number is kept as differs from it in this bit. Zero then stands for the first instant of all, which is not
/// represented, so that an optional timestamp takes no more memory than one that is always there.
const FLIPPED: i64 = i64::MIN;

impl Timestamp {
    /// The last representable instant that the text form can show, the end of the year 9999.
    pub const MAX: Self = Self::from_micros(253_402_207_200_000_000);

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        match NonZeroI64::new(micros ^ FLIPPED) {
            Some(kept) => Self(kept),
            None => Self::from_micros(i64::MIN + 1),
        }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0.get() ^ FLIPPED
    }

    /// This instant plus `duration`, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.as_micros().saturating_add(micros)).min(Self::MAX)
    }

    /// This instant minus `duration`.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.as_micros().saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.as_micros().saturating_sub(earlier.as_micros());
        if micros > 0 { Duration::from_micros(micros.unsigned_abs()) } else { Duration::ZERO }
    }

    /// From an RFC 3339 text such as `2026-11-22T09:30:00Z`.
    ///
    /// # Errors
    /// The text is no timestamp.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>().map(|it| Self::from_micros(it.as_microsecond())).map_err(|it| it.to_string())
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_micros(0)
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_micros().cmp(&other.as_micros())
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.as_micros()) {
            Ok(it) => it.fmt(f),
            Err(_) => write!(f, "{} µs", self.as_micros()),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_timestamp_takes_no_more_memory_and_the_order_is_that_of_the_micros() {
        assert_eq!(size_of::<Option<Timestamp>>(), size_of::<i64>());
        let all = [i64::MIN + 1, -1, 0, 1, i64::MAX].map(Timestamp::from_micros);
        assert!(all.is_sorted());
        assert_eq!(all.map(Timestamp::as_micros), [i64::MIN + 1, -1, 0, 1, i64::MAX]);
        assert_eq!(Timestamp::from_micros(i64::MIN), all[0], "the first instant of all is not represented");
        assert_eq!(Timestamp::default().as_micros(), 0);
    }
}
