//! The one statement that stores new tasks.

use std::collections::HashMap;

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{
    core::Shared,
    error::Outcome,
    numbers::{code, id_of, micros, searchable, small, status, time},
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
    /// `None` if its due time alone decides.
    pub(super) status: Option<TaskStatus>,
    pub(super) holds_permit: bool,
}

/// The key under which a task is unique, and until when.
pub(super) fn unique(task: &NewTask) -> Option<(&str, Until)> {
    Some((task.label.as_ref()?.unique_key.as_deref()?, task.unique_until?))
}

/// What was stored, and when.
#[derive(Debug)]
pub(super) struct Inserted {
    pub(super) statuses: HashMap<TaskId, TaskStatus>,
    pub(super) now: Timestamp,
}

const INSERT: &str = "\
    WITH clock AS MATERIALIZED (SELECT coalesce($18::bigint, \
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $19::bigint) AS now), \
    given AS (SELECT u.*, coalesce(u.at, c.now + u.delay) AS due FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], \
        $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::integer[], $9::bigint[], $10::boolean[], \
        $11::boolean[], $12::bytea[], $13::text[], $14::text[], $15::text[], $16::text[]) \
        AS u(id, status, priority, queue, kind, at, delay, max_attempts, timeout, frees_unique, permit, key, tags, owner, \
        label, params) CROSS JOIN clock c), \
    stored AS (INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, \
        frees_unique, permit, concurrency_key, tags, owner, label, params) \
        SELECT g.id, coalesce(g.status, CASE WHEN g.due > c.now THEN 1 ELSE 0 END), g.priority, g.queue, g.kind, \
        g.max_attempts, g.due - g.priority * $17::bigint, g.due, g.timeout, c.now, g.frees_unique, g.permit, g.key, \
        string_to_array(g.tags, ','), g.owner, g.label, g.params \
        FROM given g CROSS JOIN clock c JOIN ddd.queue q ON q.number = g.queue \
        WHERE ($20 OR NOT q.bounded) AND NOT EXISTS (SELECT FROM ddd.history h WHERE h.id = g.id) \
        ON CONFLICT (id) DO NOTHING RETURNING id, status, queue, kind, priority), \
    tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
        SELECT s.queue, s.kind, s.priority, -1, s.status, c.now / 1000000, count(*) \
        FROM stored s CROSS JOIN clock c GROUP BY s.queue, s.kind, s.priority, s.status, c.now) \
    SELECT s.id, s.status, c.now FROM clock c LEFT JOIN stored s ON true";

/// Stores tasks whose ids are not there yet. Those of queues that are bounded are left out, unless their depth was counted; then
/// `at` is the time by which all was decided.
pub(super) async fn insert(
    conn: &mut PgConnection,
    shared: &Shared,
    tasks: &[Planned<'_>],
    counted_at: Option<Timestamp>,
) -> Outcome<Inserted> {
    if tasks.is_empty() {
        return Ok(Inserted { statuses: HashMap::new(), now: counted_at.unwrap_or_default() });
    }
    fn all<'a, T>(tasks: &[Planned<'a>], of: impl Fn(&Planned<'a>) -> T) -> Vec<T> {
        tasks.iter().map(of).collect()
    }
    let labels =
        tasks.iter().map(|it| it.task.label.as_ref().map(json_text).transpose()).collect::<Result<Vec<_>, _>>()?;
    let found = sqlx::query(shared.texts.of(INSERT))
        .bind(all(tasks, |it| *it.task.id.as_uuid()))
        .bind(all(tasks, |it| it.status.map(code)))
        .bind(all(tasks, |it| i16::from(it.task.priority.get())))
        .bind(all(tasks, |it| it.queue))
        .bind(all(tasks, |it| it.kind))
        .bind(all(tasks, |it| match it.task.due {
            Due::At(at) => Some(at.as_micros().clamp(-FAR, FAR)),
            _ => None,
        }))
        .bind(all(tasks, |it| match it.task.due {
            Due::In(delay) => micros(delay).min(LONG),
            _ => 0,
        }))
        .bind(all(tasks, |it| small(it.task.max_attempts)))
        .bind(all(tasks, |it| micros(it.task.timeout)))
        .bind(all(tasks, |it| unique(it.task).is_some_and(|(_, until)| until == Until::Finished)))
        .bind(all(tasks, |it| it.holds_permit))
        .bind(all(tasks, |it| it.task.label.as_ref()?.concurrency_key.as_deref().map(str::as_bytes)))
        .bind(all(tasks, |it| {
            let tags = &it.task.label.as_ref()?.tags;
            let tags = tags.iter().map(|it| it.as_str()).collect::<Vec<_>>();
            if tags.is_empty() { None } else { Some(tags.join(",")) }
        }))
        .bind(all(tasks, |it| it.task.label.as_ref()?.origin.owner.as_deref().map(searchable)))
        .bind(labels)
        .bind(all(tasks, |it| it.task.params.get()))
        .bind(micros(shared.settings().rank_step.get()))
        .bind(counted_at.map(Timestamp::as_micros))
        .bind(shared.offset())
        .bind(counted_at.is_some())
        .fetch_all(conn)
        .await?;
    let mut inserted = Inserted { statuses: HashMap::with_capacity(found.len()), now: Timestamp::default() };
    for row in found {
        inserted.now = time(row.try_get(2)?);
        if let Some(id) = row.try_get::<Option<Uuid>, _>(0)? {
            inserted.statuses.insert(id_of(id), status(row.try_get(1)?)?);
        }
    }
    Ok(inserted)
}
