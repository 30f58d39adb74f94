//! What a list reads of a row: nothing that may be large.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};

use super::{
    error::{Outcome, corrupt},
    names::Names,
    row::{duration, fence, id_bytes, id_of, time, worker_of},
};
use crate::{
    domain::{AttemptError, Priority, TaskId, TaskSummary, Timestamp},
    infrastructure::sql::{json_of, status_of},
};

/// Whether there is a result is known without reading it, and of the errors only the last leaves SQLite.
const SUMMARY: &str = "SELECT id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, timeout, fence, \
                       created_at, started_at, finished_at, lease_until, worker, cancel_requested, still_running, label, \
                       errors -> '$[#-1]', progress, result_until, typeof(result) = 'text' FROM ddd_task WHERE id = ?1";

/// The task with this id in short, as it is shown at `now`.
pub(super) fn load(db: &Connection, names: &mut Names, id: TaskId, now: Timestamp) -> Outcome<Option<TaskSummary>> {
    let mut find = db.prepare_cached(SUMMARY)?;
    let found = find.query_row([id_bytes(id)], |row| Ok(read(row, db, names, now))).optional()?;
    found.transpose()
}

fn read(row: &SqlRow<'_>, db: &Connection, names: &mut Names, now: Timestamp) -> Outcome<TaskSummary> {
    let (name, version) = names.kind_name(db, row.get(3)?)?;
    let times = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(time));
    let texts = |column| row.get::<_, Option<String>>(column);
    let error: Option<AttemptError> = texts(20)?.as_deref().map(json_of).transpose()?;
    let result_until = times(22)?;
    Ok(TaskSummary {
        id: id_of(row.get(0)?),
        name,
        version,
        queue: names.queue_name(db, row.get(2)?)?,
        priority: Priority::clamped(row.get(4)?),
        status: status_of(row.get(1)?).ok_or_else(|| corrupt("a task has a status that is unknown"))?,
        run: row.get(6)?,
        attempt: row.get(7)?,
        max_attempts: row.get(8)?,
        crashes: row.get(9)?,
        timeout: duration(row.get(10)?),
        fence: fence(row.get(11)?),
        due: time(row.get(5)?),
        created_at: time(row.get(12)?),
        started_at: times(13)?,
        finished_at: times(14)?,
        lease_until: times(15)?,
        worker: row.get::<_, Option<[u8; 16]>>(16)?.map(worker_of),
        cancel_requested: row.get(17)?,
        still_running: row.get(18)?,
        progress: texts(21)?.as_deref().map(json_of).transpose()?,
        has_result: row.get::<_, bool>(23)? && result_until.is_none_or(|it| it > now),
        result_until,
        error: error.as_ref().map(TaskSummary::short),
        label: texts(19)?.as_deref().map(json_of).transpose()?,
    })
}
