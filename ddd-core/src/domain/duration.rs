//! Durations as people write them: a whole number and a unit.

use std::time::Duration;

/// So long that a longer one can only be a mistake: 100 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// A duration, or the text of one: a whole number and a unit, `250ms`, `30s`, `5m`, `2h` or `1d`, as in attributes.
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
    let unit = match unit {
        _ if number.is_empty() => return Err(none()),
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(24 * 3_600),
        _ => return Err(none()),
    };
    let total = number.parse::<u32>().ok().and_then(|it| unit.checked_mul(it));
    total.filter(|it| *it <= LONGEST).ok_or_else(|| format!("`{text}` is too long; write at most `36500d`"))
}
