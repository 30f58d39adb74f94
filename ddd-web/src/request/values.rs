//! Single values from JSON or a query, each with words for what is expected.

use std::{borrow::Cow, ops::RangeInclusive, time::Duration};

use ddd_core::{IntoDuration as _, Name, TaskId, TaskStatus, Timestamp};
use serde::de::DeserializeOwned;

/// A value, or what is wrong with it.
pub(crate) type Read<T> = Result<T, Cow<'static, str>>;

/// The longest duration that is taken: 100 years.
const LONGEST_SECONDS: f64 = 100.0 * 365.0 * 24.0 * 3_600.0;

fn json<T: DeserializeOwned>(text: &str, expected: &'static str) -> Read<T> {
    serde_json::from_str(text).map_err(|_| Cow::Borrowed(expected))
}

/// A string.
pub(crate) fn text(json_text: &str) -> Read<String> {
    json(json_text, "is not a string")
}

/// A string, borrowed where that is possible.
pub(crate) fn word(json_text: &str) -> Read<Cow<'_, str>> {
    match json_text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => text(json_text).map(Cow::Owned),
    }
}

/// A string of 1 to `longest` characters, none of them a control character.
pub(crate) fn short_text(json_text: &str, longest: usize) -> Read<String> {
    let text = text(json_text)?;
    let is_good = (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_good { Ok(text) } else { Err(format!("is not a text of 1 to {longest} characters").into()) }
}

/// A whole number within a range.
pub(crate) fn integer(json_text: &str, range: RangeInclusive<i64>) -> Read<i64> {
    let expected = || Cow::Owned(format!("is not a whole number from {} to {}", range.start(), range.end()));
    let number: i64 = serde_json::from_str(json_text).map_err(|_| expected())?;
    if range.contains(&number) { Ok(number) } else { Err(expected()) }
}

/// `true` or `false`.
pub(crate) fn boolean(json_text: &str) -> Read<bool> {
    json(json_text, "is neither `true` nor `false`")
}

/// A duration: a number of seconds, or a text such as `"5m"`.
pub(crate) fn duration(json_text: &str) -> Read<Duration> {
    if json_text.starts_with('"') {
        return text(json_text)?.into_duration().map_err(|_| NO_DURATION.into());
    }
    seconds(json_text)
}

const NO_DURATION: &str =
    "is no duration; write seconds, or a text such as `30s`, `5m`, `2h` or `1d`, at most 100 years";

/// A duration as it stands in a query: seconds, or as `5m`.
pub(crate) fn plain_duration(text: &str) -> Read<Duration> {
    seconds(text).or_else(|_| text.into_duration().map_err(|_| NO_DURATION.into()))
}

fn seconds(text: &str) -> Read<Duration> {
    let seconds: f64 = json(text, NO_DURATION)?;
    let is_good = (0.0..=LONGEST_SECONDS).contains(&seconds);
    if is_good { Ok(Duration::from_secs_f64(seconds)) } else { Err(NO_DURATION.into()) }
}

/// The same, but not zero.
pub(crate) fn positive_duration(json_text: &str) -> Read<Duration> {
    duration(json_text).and_then(|it| if it.is_zero() { Err("is zero; write more".into()) } else { Ok(it) })
}

/// A time, as of RFC 3339.
pub(crate) fn timestamp(json_text: &str) -> Read<Timestamp> {
    plain_timestamp(&text(json_text)?)
}

/// A time as it stands in a query.
pub(crate) fn plain_timestamp(text: &str) -> Read<Timestamp> {
    Timestamp::parse(text).map_err(|_| "is no time; write one as `2026-11-22T09:30:00Z`".into())
}

/// A name of a queue or a tag.
pub(crate) fn name(json_text: &str) -> Read<Name> {
    plain_name(text(json_text)?)
}

/// A name as it stands in a query.
pub(crate) fn plain_name(text: String) -> Read<Name> {
    match Name::check(&text) {
        Ok(()) => Ok(Name::from(text)),
        Err(problem) => Err(format!("is no name: {problem}").into()),
    }
}

/// At most `most` names.
pub(crate) fn names(json_text: &str, most: usize) -> Read<Vec<Name>> {
    let texts: Vec<String> = json(json_text, "is not an array of strings")?;
    if texts.len() > most {
        return Err(format!("has more than {most} elements").into());
    }
    texts.into_iter().map(plain_name).collect()
}

/// At most `most` ids of tasks.
pub(crate) fn task_ids(json_text: &str, most: usize) -> Read<Vec<TaskId>> {
    let texts: Vec<String> = json(json_text, "is not an array of strings")?;
    if texts.len() > most {
        return Err(format!("has more than {most} elements").into());
    }
    texts.iter().map(|it| it.parse().map_err(|_| Cow::Borrowed("holds what is no id of a task"))).collect()
}

/// Statuses, separated by commas.
pub(crate) fn statuses(text: &str) -> Read<Vec<TaskStatus>> {
    text.split(',').map(|it| it.trim().parse().map_err(Cow::Owned)).collect()
}
