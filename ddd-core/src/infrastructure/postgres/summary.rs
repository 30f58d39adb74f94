//! What a list reads of a row: nothing that may be large.

use sqlx::{Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    error::{Outcome, corrupt},
    names::Names,
    numbers::{count, duration, fence, id_of, priority, status, time},
};
use crate::{
    domain::{AttemptError, TaskSummary, Timestamp, WorkerId},
    infrastructure::sql::json_of,
};

/// The columns in the order in which [`read`] reads them. Whether there is a result is known without fetching it, and of the
/// errors only the last leaves the server: it is what follows the last `{"run":`, which no text within holds, because there the
/// quotes are escaped. The server's own functions for JSON refuse texts with zero characters.
macro_rules! summary {
    () => {
        "id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, timeout, fence, created_at, started_at, \
         finished_at, lease_until, worker, cancel_requested, still_running, label, \
         left(right(errors, strpos(reverse(errors), ':\"nur\"{') + 6), -1), progress, result_until, result IS NOT NULL"
    };
}
pub(super) use summary;

/// Where a row says its queue and its kind.
pub(super) fn names_of(row: &PgRow) -> Outcome<(i32, i32)> {
    Ok((row.try_get(2)?, row.try_get(3)?))
}

/// A task in short, as it is shown at `now`.
pub(super) fn read(row: &PgRow, names: &Names, now: Timestamp) -> Outcome<TaskSummary> {
    let (queue, kind) = names_of(row)?;
    let (name, version) = names.kind_name(kind).ok_or_else(|| corrupt(format!("kind {kind} has no name")))?;
    let queue = names.queue_name(queue).ok_or_else(|| corrupt(format!("queue {queue} has no name")))?;
    let times = |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(time));
    let texts = |column: usize| row.try_get::<Option<&str>, _>(column);
    let error: Option<AttemptError> = texts(20)?.map(json_of).transpose()?;
    let result_until = times(22)?;
    Ok(TaskSummary {
        id: id_of(row.try_get(0)?),
        name,
        version,
        queue,
        priority: priority(row.try_get(4)?),
        status: status(row.try_get(1)?)?,
        run: count(row.try_get(6)?),
        attempt: count(row.try_get(7)?),
        max_attempts: count(row.try_get(8)?),
        crashes: count(row.try_get(9)?),
        timeout: duration(row.try_get(10)?),
        fence: fence(row.try_get(11)?),
        due: time(row.try_get(5)?),
        created_at: time(row.try_get(12)?),
        started_at: times(13)?,
        finished_at: times(14)?,
        lease_until: times(15)?,
        worker: row.try_get::<Option<Uuid>, _>(16)?.map(WorkerId::from),
        cancel_requested: row.try_get(17)?,
        still_running: row.try_get(18)?,
        progress: texts(21)?.map(json_of).transpose()?,
        has_result: row.try_get(23)? && result_until.is_none_or(|it| it > now),
        result_until,
        error: error.as_ref().map(TaskSummary::short),
        label: texts(19)?.map(json_of).transpose()?,
    })
}
