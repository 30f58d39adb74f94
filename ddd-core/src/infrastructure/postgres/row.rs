use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    error::{Outcome, corrupt},
    names::Names,
    numbers::{code, count, duration, fence, id_of, number, priority, status, time},
};
use crate::{
    domain::{Fence, Rank, RankStep, TaskRecord, Timestamp, WorkerId},
    infrastructure::sql::{errors_of, errors_text, json_of, json_text, raw},
};

/// A record with what only this store needs to know about it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) record: TaskRecord,
    pub(super) queue: i32,
    pub(super) kind: i32,
    /// The last claim that its worker ended; zero before the first.
    pub(super) ended: Fence,
    /// Whether one of the permits of its concurrency key is taken for it.
    pub(super) holds_permit: bool,
    /// Whether the end of its run frees its unique key.
    pub(super) frees_unique: bool,
    /// Whether it must run alone.
    pub(super) alone: bool,
    /// Whether it is in the history.
    pub(super) is_past: bool,
}

/// The columns of a row, in the order in which [`Row::read`] reads them.
macro_rules! columns {
    () => {
        "id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, timeout, fence, ended, created_at, \
         started_at, finished_at, lease_until, worker, cancel_requested, still_running, frees_unique, permit, alone, label, \
         errors, progress, result_until, params, result"
    };
}
pub(super) use columns;

/// The same for a row that is to be changed: its parameters cannot, and may be large, so they stay where they are.
macro_rules! changing_columns {
    () => {
        "id, status, queue, kind, priority, due, run, attempt, max_attempts, crashes, timeout, fence, ended, created_at, \
         started_at, finished_at, lease_until, worker, cancel_requested, still_running, frees_unique, permit, alone, label, \
         errors, progress, result_until, 'null', result"
    };
}
pub(super) use changing_columns;

impl Row {
    /// A row of which the columns were selected.
    pub(super) fn read(row: &PgRow, names: &Names, is_past: bool) -> Outcome<Self> {
        let (queue, kind): (i32, i32) = (row.try_get(2)?, row.try_get(3)?);
        let (name, version) = names.kind_name(kind).ok_or_else(|| corrupt(format!("kind {kind} has no name")))?;
        let queue_name = names.queue_name(queue).ok_or_else(|| corrupt(format!("queue {queue} has no name")))?;
        let params = raw(row.try_get(27)?)?;
        let mut record = TaskRecord::new(id_of(row.try_get(0)?), name, queue_name, params, Timestamp::default());
        record.version = version;
        record.status = status(row.try_get(1)?)?;
        record.priority = priority(row.try_get(4)?);
        record.due = time(row.try_get(5)?);
        record.run = count(row.try_get(6)?);
        record.attempt = count(row.try_get(7)?);
        record.max_attempts = count(row.try_get(8)?);
        record.crashes = count(row.try_get(9)?);
        record.timeout = duration(row.try_get(10)?);
        record.fence = fence(row.try_get(11)?);
        record.created_at = time(row.try_get(13)?);
        record.started_at = row.try_get::<Option<i64>, _>(14)?.map(time);
        record.finished_at = row.try_get::<Option<i64>, _>(15)?.map(time);
        record.lease_until = row.try_get::<Option<i64>, _>(16)?.map(time);
        record.worker = row.try_get::<Option<Uuid>, _>(17)?.map(WorkerId::from);
        record.cancel_requested = row.try_get(18)?;
        record.still_running = row.try_get(19)?;
        record.label = row.try_get::<Option<&str>, _>(23)?.map(json_of).transpose()?;
        record.errors = errors_of(row.try_get(24)?)?;
        record.progress = row.try_get::<Option<&str>, _>(25)?.map(json_of).transpose()?;
        record.result_until = row.try_get::<Option<i64>, _>(26)?.map(time);
        record.result = row.try_get::<Option<String>, _>(28)?.map(raw).transpose()?;
        Ok(Self {
            record,
            queue,
            kind,
            ended: fence(row.try_get(12)?),
            holds_permit: row.try_get(21)?,
            frees_unique: row.try_get(20)?,
            alone: row.try_get(22)?,
            is_past,
        })
    }

    pub(super) fn concurrency_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.concurrency_key.as_deref()
    }

    pub(super) fn unique_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.unique_key.as_deref()
    }

    /// Whether it belongs into the history.
    pub(super) fn is_over(&self) -> bool {
        self.record.status.is_terminal() && !self.record.still_running
    }

    /// What of it can have changed since it was stored.
    pub(super) fn saved(&self, step: RankStep) -> Outcome<Saved> {
        let record = &self.record;
        Ok(Saved {
            id: *record.id.as_uuid(),
            status: code(record.status),
            priority: record.priority.get().into(),
            run: record.run,
            attempt: record.attempt,
            crashes: record.crashes,
            rank: Rank::new(record.due, record.priority, step).get(),
            due: record.due.as_micros(),
            fence: number(record.fence),
            ended: number(self.ended),
            started_at: record.started_at.map(Timestamp::as_micros),
            finished_at: record.finished_at.map(Timestamp::as_micros),
            lease_until: record.lease_until.map(Timestamp::as_micros),
            result_until: record.result_until.map(Timestamp::as_micros),
            worker: record.worker.map(|it| *it.as_uuid()),
            cancel_requested: record.cancel_requested,
            still_running: record.still_running,
            permit: self.holds_permit,
            alone: self.alone,
            errors: errors_text(&record.errors)?,
            progress: record.progress.as_ref().map(json_text).transpose()?,
            result: record.result.as_ref().map(|it| it.get().to_owned()),
        })
    }
}

/// The columns that never change.
macro_rules! kept_columns {
    () => {
        "id, queue, kind, max_attempts, timeout, created_at, frees_unique, concurrency_key, tags, owner, label, params"
    };
}
pub(super) use kept_columns;

/// The columns of [`Saved`], besides the id.
macro_rules! changed_columns {
    () => {
        "status, priority, run, attempt, crashes, rank, due, fence, ended, started_at, finished_at, lease_until, result_until, \
         worker, cancel_requested, still_running, permit, alone, errors, progress, result"
    };
}
pub(super) use changed_columns;

/// What can change of a row, as JSON; the fields are the columns.
#[derive(Serialize)]
pub(super) struct Saved {
    id: Uuid,
    status: i16,
    priority: i16,
    run: u32,
    attempt: u32,
    crashes: u32,
    rank: i64,
    due: i64,
    fence: i64,
    ended: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    lease_until: Option<i64>,
    result_until: Option<i64>,
    worker: Option<Uuid>,
    cancel_requested: bool,
    still_running: bool,
    permit: bool,
    alone: bool,
    errors: Option<String>,
    progress: Option<String>,
    result: Option<String>,
}
