//! The statement that stores new tasks within a transaction which has looked at what stands against them.

use sqlx::{PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    core::Shared,
    error::Outcome,
    numbers::{code, id_of, micros, searchable, small, status},
};
use crate::{
    domain::{TaskId, TaskStatus, Timestamp, Until},
    infrastructure::sql::json_text,
    ports::{Due, NewTask},
};

/// Times further away than this are this far away.
const FAR: i64 = 4_000_000_000_000_000_000;
/// Delays longer than this are this long: some 300 years.
const LONG: i64 = 10_000_000_000_000_000;

/// A task to be stored, with what was found out about it.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) task: &'a NewTask,
    pub(super) queue: i32,
    pub(super) kind: i32,
    pub(super) status: TaskStatus,
    pub(super) holds_permit: bool,
}

/// The key under which a task is unique, and until when.
pub(super) fn unique(task: &NewTask) -> Option<(&str, Until)> {
    Some((task.label.as_ref()?.unique_key.as_deref()?, task.unique_until?))
}

/// What was stored, and when.
#[derive(Debug)]
pub(super) struct Inserted {
    pub(super) now: Timestamp,
    /// In the order of ids.
    statuses: Vec<(TaskId, TaskStatus)>,
}

impl Inserted {
    pub(super) fn new(now: Timestamp, mut statuses: Vec<(TaskId, TaskStatus)>) -> Self {
        statuses.sort_unstable_by_key(|it| it.0);
        Self { now, statuses }
    }

    /// How a task was stored, if it was.
    pub(super) fn status(&self, id: TaskId) -> Option<TaskStatus> {
        let place = self.statuses.binary_search_by_key(&id, |it| it.0).ok()?;
        self.statuses.get(place).map(|it| it.1)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.statuses.iter().map(|it| it.0)
    }
}

const INSERT: &str = "\
    WITH given AS (SELECT u.*, coalesce(u.at, $18 + u.delay) AS due FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], \
        $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::integer[], $9::bigint[], $10::boolean[], \
        $11::boolean[], $12::bytea[], $13::text[], $14::text[], $15::text[], $16::text[]) \
        AS u(id, status, priority, queue, kind, at, delay, max_attempts, timeout, frees_unique, permit, key, tags, owner, \
        label, params)), \
    stored AS (INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, \
        frees_unique, permit, concurrency_key, tags, owner, label, params) \
        SELECT g.id, g.status, g.priority, g.queue, g.kind, g.max_attempts, g.due - g.priority * $17::bigint, g.due, \
        g.timeout, $18::bigint, g.frees_unique, g.permit, g.key, string_to_array(g.tags, ','), g.owner, g.label, g.params \
        FROM given g ON CONFLICT (id) DO NOTHING RETURNING id, status, queue, kind, priority), \
    tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
        SELECT s.queue, s.kind, s.priority, -1, s.status, $18 / 1000000, count(*) \
        FROM stored s GROUP BY s.queue, s.kind, s.priority, s.status) \
    SELECT id, status FROM stored";

/// Stores tasks whose ids are not there yet, at the time `now` by which all was decided.
pub(super) async fn insert(
    conn: &mut PgConnection,
    shared: &Shared,
    tasks: &[Planned<'_>],
    now: Timestamp,
) -> Outcome<Inserted> {
    if tasks.is_empty() {
        return Ok(Inserted::new(now, Vec::new()));
    }
    let found = sqlx::query(shared.texts.of(INSERT))
        .bind(all(tasks, |it| *it.task.id.as_uuid()))
        .bind(all(tasks, |it| code(it.status)))
        .bind(all(tasks, |it| i16::from(it.task.priority.get())))
        .bind(all(tasks, |it| it.queue))
        .bind(all(tasks, |it| it.kind))
        .bind(all(tasks, |it| at(it.task)))
        .bind(all(tasks, |it| delay(it.task)))
        .bind(all(tasks, |it| small(it.task.max_attempts)))
        .bind(all(tasks, |it| micros(it.task.timeout)))
        .bind(all(tasks, |it| unique(it.task).is_some_and(|(_, until)| until == Until::Finished)))
        .bind(all(tasks, |it| it.holds_permit))
        .bind(all(tasks, |it| it.task.label.as_ref()?.concurrency_key.as_deref().map(str::as_bytes)))
        .bind(all(tasks, |it| tags(it.task)))
        .bind(all(tasks, |it| owner(it.task)))
        .bind(labels(tasks)?)
        .bind(all(tasks, |it| it.task.params.get()))
        .bind(micros(shared.settings().rank_step.get()))
        .bind(now.as_micros())
        .fetch_all(conn)
        .await?;
    Ok(Inserted::new(now, found.iter().map(stored).collect::<Outcome<_>>()?))
}

/// What is read of a task that was stored.
pub(super) fn stored(row: &PgRow) -> Outcome<(TaskId, TaskStatus)> {
    Ok((id_of(row.try_get::<Uuid, _>(0)?), status(row.try_get(1)?)?))
}

/// One column of all tasks.
pub(super) fn all<'a, T>(tasks: &[Planned<'a>], of: impl Fn(&Planned<'a>) -> T) -> Vec<T> {
    tasks.iter().map(of).collect()
}

/// When it is due, if that is an instant.
pub(super) fn at(task: &NewTask) -> Option<i64> {
    match task.due {
        Due::At(at) => Some(at.as_micros().clamp(-FAR, FAR)),
        _ => None,
    }
}

/// After how long it is due, if it is no instant.
pub(super) fn delay(task: &NewTask) -> i64 {
    match task.due {
        Due::In(delay) => micros(delay).min(LONG),
        _ => 0,
    }
}

/// Its tags as one text: a list of lists is none in PostgreSQL.
pub(super) fn tags(task: &NewTask) -> Option<String> {
    let tags = task.label.as_ref()?.tags.iter().map(|it| it.as_str()).collect::<Vec<_>>();
    if tags.is_empty() { None } else { Some(tags.join(",")) }
}

pub(super) fn owner(task: &NewTask) -> Option<String> {
    task.label.as_ref()?.origin.owner.as_deref().map(searchable)
}

pub(super) fn labels(tasks: &[Planned<'_>]) -> Outcome<Vec<Option<String>>> {
    tasks.iter().map(|it| label(it.task)).collect()
}

pub(super) fn label(task: &NewTask) -> Outcome<Option<String>> {
    Ok(task.label.as_ref().map(json_text).transpose()?)
}
