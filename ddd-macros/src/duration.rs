//! Durations as they are written in attributes: a whole number and a unit.

use std::time::Duration;

/// What a duration looks like, for messages.
pub(crate) const FORMAT: &str = "a whole number and a unit: `250ms`, `30s`, `5m`, `2h` or `1d`";

/// So long that a longer one can only be a mistake.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Reads a duration.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(24 * 3_600),
        _ => return Err(format!("`{text}` is no duration; write {FORMAT}")),
    };
    if number.is_empty() {
        return Err(format!("`{text}` is no duration; write {FORMAT}"));
    }
    number
        .parse::<u32>()
        .ok()
        .and_then(|it| unit.checked_mul(it))
        .filter(|it| *it <= LONGEST)
        .ok_or_else(|| format!("`{text}` is too long; write at most `36500d`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Duration, &str>) {
        assert_eq!(
            parse(text).map_err(|it| it.split(';').next().unwrap_or_default().to_owned()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn reads_every_unit() {
        check("250ms", Ok(Duration::from_millis(250)));
        check("30s", Ok(Duration::from_secs(30)));
        check("5m", Ok(Duration::from_secs(300)));
        check("2h", Ok(Duration::from_secs(7_200)));
        check("1d", Ok(Duration::from_secs(86_400)));
        check("0s", Ok(Duration::ZERO));
    }

    #[test]
    fn refuses_what_is_no_duration() {
        check("", Err("`` is no duration"));
        check("5", Err("`5` is no duration"));
        check("m", Err("`m` is no duration"));
        check("5 m", Err("`5 m` is no duration"));
        check("1.5s", Err("`1.5s` is no duration"));
        check("-5s", Err("`-5s` is no duration"));
        check("5min", Err("`5min` is no duration"));
        check("36501d", Err("`36501d` is too long"));
        check("99999999999999999999s", Err("`99999999999999999999s` is too long"));
    }
}
