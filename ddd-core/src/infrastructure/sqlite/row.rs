use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    error::{Outcome, corrupt},
    names::Names,
    tallies::Place,
};
use crate::{
    domain::{Fence, Priority, TaskId, TaskRecord, Timestamp, WorkerId},
    infrastructure::sql::{errors_of, errors_text, json_of, json_text, raw, status_code, status_of},
};

/// Longer parameters are kept apart from what changes.
pub(super) const LARGE: usize = 2_048;

/// A record with what only this store needs to know about it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) record: TaskRecord,
    pub(super) queue: i64,
    pub(super) kind: i64,
    /// The last claim that its worker ended; zero before the first.
    pub(super) ended: Fence,
    /// Whether one of the permits of its concurrency key is taken for it.
    pub(super) holds_permit: bool,
    /// Whether the end of its run frees its unique key.
    pub(super) frees_unique: bool,
}

/// The columns of a row, in the order in which [`read`] reads them.
const COLUMNS: &str = "id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, timeout, fence, ended, \
                       created_at, started_at, finished_at, lease_until, worker, cancel_requested, still_running, \
                       frees_unique, permit IS NOT NULL, label, errors, progress, result_until, \
                       coalesce(params, (SELECT l.params FROM ddd_large l WHERE l.id = ddd_task.id)), result";

/// A statement that reads whole rows.
pub(super) fn select(rest: &str) -> String {
    format!("SELECT {COLUMNS} FROM ddd_task {rest}")
}

impl Row {
    pub(super) fn concurrency_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.concurrency_key.as_deref()
    }

    pub(super) fn unique_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.unique_key.as_deref()
    }

    /// Where it is counted.
    pub(super) fn place(&self) -> Place {
        Place { queue: self.queue, kind: self.kind, priority: i64::from(self.record.priority.get()) }
    }

    fn permit(&self) -> Option<&str> {
        self.concurrency_key().filter(|_| self.holds_permit)
    }

    /// Writes a row that is not there yet; whether it was not.
    pub(super) fn insert(&self, db: &Connection) -> Outcome<bool> {
        let record = &self.record;
        let text = record.params.get();
        let is_large = text.len() > LARGE;
        let label = record.label.as_ref().map(json_text).transpose()?;
        let inserted = db
            .prepare_cached(
                "INSERT INTO ddd_task (id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, \
                 timeout, fence, ended, created_at, cancel_requested, still_running, frees_unique, concurrency_key, \
                 permit, label, params) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0, ?7, 0, ?8, 0, 0, ?9, 0, 0, ?10, ?11, ?12, ?13, ?14) \
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                id_bytes(record.id),
                status_code(record.status),
                self.queue,
                self.kind,
                record.priority.get(),
                record.due.as_micros(),
                record.max_attempts,
                micros(record.timeout),
                record.created_at.as_micros(),
                self.frees_unique,
                self.concurrency_key(),
                self.permit(),
                label,
                Some(text).filter(|_| !is_large),
            ])?;
        if inserted > 0 && is_large {
            let mut insert = db.prepare_cached("INSERT INTO ddd_large (id, params) VALUES (?1, ?2)")?;
            insert.execute(params![id_bytes(record.id), text])?;
        }
        Ok(inserted > 0)
    }

    /// Writes all that can have changed.
    pub(super) fn save(&self, db: &Connection) -> Outcome<()> {
        let record = &self.record;
        let progress = record.progress.as_ref().map(json_text).transpose()?;
        db.prepare_cached(
            "UPDATE ddd_task SET status = ?2, priority = ?3, due = ?4, run = ?5, attempt = ?6, crashes = ?7, fence = ?8, \
             ended = ?9, started_at = ?10, finished_at = ?11, lease_until = ?12, worker = ?13, cancel_requested = ?14, \
             still_running = ?15, permit = ?16, errors = ?17, progress = ?18, result_until = ?19, result = ?20 \
             WHERE id = ?1",
        )?
        .execute(params![
            id_bytes(record.id),
            status_code(record.status),
            record.priority.get(),
            record.due.as_micros(),
            record.run,
            record.attempt,
            record.crashes,
            number(record.fence),
            number(self.ended),
            record.started_at.map(Timestamp::as_micros),
            record.finished_at.map(Timestamp::as_micros),
            record.lease_until.map(Timestamp::as_micros),
            record.worker.map(worker_bytes),
            record.cancel_requested,
            record.still_running,
            self.permit(),
            errors_text(&record.errors)?,
            progress,
            record.result_until.map(Timestamp::as_micros),
            record.result.as_ref().map(|it| it.get()),
        ])?;
        Ok(())
    }
}

/// The row of a task, if it is there.
pub(super) fn load(db: &Connection, names: &mut Names, id: TaskId) -> Outcome<Option<Row>> {
    let mut find = db.prepare_cached(&select("WHERE id = ?1"))?;
    let found = find.query_row([id_bytes(id)], |row| Ok(read(row, db, names))).optional()?;
    found.transpose()
}

/// A row as [`select`] selects it.
pub(super) fn read(row: &SqlRow<'_>, db: &Connection, names: &mut Names) -> Outcome<Row> {
    let (queue, kind) = (row.get(2)?, row.get(3)?);
    let (name, version) = names.kind_name(db, kind)?;
    let text: Option<String> = row.get(26)?;
    let params = raw(text.ok_or_else(|| corrupt("a task has no parameters"))?)?;
    let label: Option<String> = row.get(22)?;
    let errors: Option<String> = row.get(23)?;
    let progress: Option<String> = row.get(24)?;
    let mut record =
        TaskRecord::new(id_of(row.get(0)?), name, names.queue_name(db, queue)?, params, Timestamp::default());
    record.version = version;
    record.priority = Priority::clamped(row.get(4)?);
    record.status = status_of(row.get(1)?).ok_or_else(|| corrupt("a task has a status that is unknown"))?;
    record.due = time(row.get(5)?);
    (record.run, record.attempt, record.max_attempts) = (row.get(6)?, row.get(7)?, row.get(8)?);
    record.crashes = row.get(9)?;
    record.timeout = duration(row.get(10)?);
    record.fence = fence(row.get(11)?);
    record.created_at = time(row.get(13)?);
    record.started_at = row.get::<_, Option<i64>>(14)?.map(time);
    record.finished_at = row.get::<_, Option<i64>>(15)?.map(time);
    record.lease_until = row.get::<_, Option<i64>>(16)?.map(time);
    record.worker = row.get::<_, Option<[u8; 16]>>(17)?.map(worker_of);
    record.cancel_requested = row.get(18)?;
    record.still_running = row.get(19)?;
    record.label = label.as_deref().map(json_of).transpose()?;
    record.errors = errors_of(errors.as_deref())?;
    record.progress = progress.as_deref().map(json_of).transpose()?;
    record.result_until = row.get::<_, Option<i64>>(25)?.map(time);
    record.result = row.get::<_, Option<String>>(27)?.map(raw).transpose()?;
    let ended = fence(row.get(12)?);
    Ok(Row { record, queue, kind, ended, holds_permit: row.get(21)?, frees_unique: row.get(20)? })
}

pub(super) fn id_bytes(id: TaskId) -> [u8; 16] {
    *id.as_uuid().as_bytes()
}

pub(super) fn id_of(bytes: [u8; 16]) -> TaskId {
    Uuid::from_bytes(bytes).into()
}

pub(super) fn worker_bytes(id: WorkerId) -> [u8; 16] {
    *id.as_uuid().as_bytes()
}

pub(super) fn worker_of(bytes: [u8; 16]) -> WorkerId {
    Uuid::from_bytes(bytes).into()
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

/// Fences are kept as signed numbers; none ever reaches the end of them.
pub(super) fn number(fence: Fence) -> i64 {
    i64::try_from(fence.get()).unwrap_or(i64::MAX)
}

pub(super) fn fence(number: i64) -> Fence {
    Fence::new(u64::try_from(number).unwrap_or_default())
}

/// A result as a column holds it.
pub(super) fn text(json: &Option<Arc<RawValue>>) -> Option<&str> {
    json.as_ref().map(|it| it.get())
}
