//! Durations as people write them: a whole number and a unit.

use std::time::Duration;

/// The units, each with its length in nanoseconds, longest first.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// So long that a longer one can only be a mistake: 100 years.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Its nanoseconds, at most as many as a `u64` holds: 584 years.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A duration, or the text of one: a whole number and a unit, `250ms`, `30s`, `5m`, `2h` or `1d`, as in attributes; `us`
/// and `ns` exist as well.
pub trait IntoDuration {
    /// The duration.
    ///
    /// # Errors
    /// The text is none; the message says what to write.
    fn into_duration(self) -> Result<Duration, DurationError>;
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(String);

impl IntoDuration for Duration {
    fn into_duration(self) -> Result<Duration, DurationError> {
        Ok(self)
    }
}

impl IntoDuration for &str {
    fn into_duration(self) -> Result<Duration, DurationError> {
        parse(self).map_err(DurationError)
    }
}

impl IntoDuration for String {
    fn into_duration(self) -> Result<Duration, DurationError> {
        self.as_str().into_duration()
    }
}

impl IntoDuration for &String {
    fn into_duration(self) -> Result<Duration, DurationError> {
        self.as_str().into_duration()
    }
}

fn parse(text: &str) -> Result<Duration, String> {
    let none =
        || format!("`{text}` is no duration; write a whole number and a unit: `250ms`, `30s`, `5m`, `2h` or `1d`");
    let digits = text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit).filter(|_| digits > 0) else {
        return Err(none());
    };
    let total = number.parse::<u64>().ok().map(|it| u128::from(it) * length).filter(|it| *it <= LONGEST.as_nanos());
    let total = total.ok_or_else(|| format!("`{text}` is too long; write at most `36500d`"))?;
    let (seconds, nanos) = (total / 1_000_000_000, total % 1_000_000_000);
    // Both fit: the total is at most the longest.
    Ok(Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanos).unwrap_or(0)))
}

/// The text of a duration, in the longest unit that divides it: what [`IntoDuration`] reads back.
pub(crate) fn written(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.iter().find(|(_, length)| nanos.is_multiple_of(*length));
    let (name, length) = unit.unwrap_or(&("ns", 1));
    format!("{}{name}", nanos / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let durations = [0, 1, 999, 1_000, 1_500_000, 60_000_000_000, 90_000_000_000, 86_400_000_000_001];
        for nanos in durations {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(written(duration).into_duration(), Ok(duration), "{}", written(duration));
        }
        assert_eq!(written(Duration::from_secs(5_400)), "90m");
        assert_eq!(written(LONGEST).into_duration(), Ok(LONGEST));
    }
}
