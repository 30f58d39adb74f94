//! Ids, times, statuses and counts between Rust and columns.

use std::time::Duration;

use uuid::Uuid;

use super::error::{Outcome, corrupt};
use crate::{
    domain::{Fence, Priority, TaskId, TaskStatus, Timestamp},
    infrastructure::sql::{status_code, status_of},
};

/// A text that is looked for: the one character that a column of texts does not hold is another one in it.
pub(super) fn searchable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(super) fn id_of(id: Uuid) -> TaskId {
    id.into()
}

pub(super) fn ids_of(ids: &[TaskId]) -> Vec<Uuid> {
    ids.iter().map(|it| *it.as_uuid()).collect()
}

/// The number that stands for a status.
pub(super) fn code(status: TaskStatus) -> i16 {
    i16::try_from(status_code(status)).unwrap_or_default()
}

pub(super) fn status(code: i16) -> Outcome<TaskStatus> {
    status_of(code.into()).ok_or_else(|| corrupt(format!("a task has the status {code}, which is unknown")))
}

pub(super) fn priority(level: i16) -> Priority {
    Priority::clamped(i8::try_from(level).unwrap_or_default())
}

pub(super) const fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

pub(super) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A number of attempts or rows as a column holds it.
pub(super) fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Fences are kept as signed numbers; none ever reaches the end of them.
pub(super) fn number(fence: Fence) -> i64 {
    i64::try_from(fence.get()).unwrap_or(i64::MAX)
}

pub(super) fn fence(number: i64) -> Fence {
    Fence::new(u64::try_from(number).unwrap_or_default())
}

pub(super) fn size(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
