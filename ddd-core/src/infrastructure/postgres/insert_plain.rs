//! The statements that store new tasks against which nothing can stand: no key, and ids that were never sent before.

use std::time::Instant;

use sqlx::{Arguments as _, PgConnection, Row as _, postgres::PgArguments};

use super::{
    core::Shared,
    error::Outcome,
    insert::{Inserted, Planned, all, at, delay, label, labels, owner, stored, tags},
    numbers::{micros, small, time},
};
use crate::{
    domain::TaskStatus,
    ports::{Due, NewTask},
};

/// The server's time, shifted by `$12`.
macro_rules! now {
    () => {
        "((extract(epoch FROM statement_timestamp()) * 1000000)::bigint + $12)"
    };
}

/// Most submissions are of one task that is due at once, in a queue that had no bound a moment ago. Without lists, and with nothing to
/// look at, it costs the server two thirds. Nothing is said about ids that are there already, because a conflict that is expected
/// costs more than one that is an error.
const ONE: &str = concat!(
    "WITH tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) VALUES ($3, $4, $2, -1, 0, ",
    now!(),
    " / 1000000, 1)) INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, timeout, tags, owner, label, params, \
        rank, due, created_at) \
        VALUES ($1, 0, $2, $3, $4, $5, $6, string_to_array($7, ','), $8, $9, $10, ",
    now!(),
    " - $11, ",
    now!(),
    ", ",
    now!(),
    ") RETURNING created_at"
);

/// Queues with a bound are left out.
const MANY: &str = "\
    WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $14 AS now), \
    given AS (SELECT u.*, c.now, coalesce(u.at, c.now + u.delay) AS due FROM unnest($1::uuid[], $2::smallint[], $3::integer[], \
        $4::integer[], $5::bigint[], $6::bigint[], $7::integer[], $8::bigint[], $9::text[], $10::text[], $11::text[], \
        $12::text[]) AS u(id, priority, queue, kind, at, delay, max_attempts, timeout, tags, owner, label, params) \
        CROSS JOIN clock c), \
    stored AS (INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, tags, \
        owner, label, params) \
        SELECT g.id, CASE WHEN g.due > g.now THEN 1 ELSE 0 END, g.priority, g.queue, g.kind, g.max_attempts, \
        g.due - g.priority * $13, g.due, g.timeout, g.now, string_to_array(g.tags, ','), g.owner, g.label, g.params \
        FROM given g JOIN ddd.queue q ON q.number = g.queue WHERE NOT q.bounded \
        RETURNING id, status, queue, kind, priority, created_at), \
    tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
        SELECT queue, kind, priority, -1, status, created_at / 1000000, count(*) FROM stored \
        GROUP BY queue, kind, priority, status, created_at) \
    SELECT id, status, created_at FROM stored";

/// Stores tasks, all or none; none if one of them is there already. Those of queues that are seen to be bounded are left out.
pub(super) async fn insert_plain(
    conn: &mut PgConnection,
    shared: &Shared,
    tasks: &[Planned<'_>],
) -> Outcome<Option<Inserted>> {
    match tasks {
        [one] if one.task.due == Due::Now && shared.unbounded.is_believed(one.queue) => {
            insert_one(conn, shared, one).await
        }
        _ => insert_all(conn, shared, tasks).await,
    }
}

async fn insert_one(conn: &mut PgConnection, shared: &Shared, one: &Planned<'_>) -> Outcome<Option<Inserted>> {
    let task = one.task;
    let mut arguments = PgArguments::default();
    // To grow takes longer than to fill.
    arguments.reserve(12, 128 + task.params.get().len());
    let stored = sqlx::query_scalar_with(shared.texts.of(ONE), arguments)
        .bind(*task.id.as_uuid())
        .bind(priority(task))
        .bind(one.queue)
        .bind(one.kind)
        .bind(small(task.max_attempts))
        .bind(micros(task.timeout))
        .bind(tags(task))
        .bind(owner(task))
        .bind(label(task)?)
        .bind(task.params.get())
        .bind(step(shared).saturating_mul(priority(task).into()))
        .bind(shared.offset())
        .fetch_one(conn)
        .await;
    Ok(unless_there(stored)?.map(|now| Inserted::new(time(now), vec![(task.id, TaskStatus::Pending)])))
}

async fn insert_all(conn: &mut PgConnection, shared: &Shared, tasks: &[Planned<'_>]) -> Outcome<Option<Inserted>> {
    let began = Instant::now();
    let found = sqlx::query(shared.texts.of(MANY))
        .bind(all(tasks, |it| *it.task.id.as_uuid()))
        .bind(all(tasks, |it| priority(it.task)))
        .bind(all(tasks, |it| it.queue))
        .bind(all(tasks, |it| it.kind))
        .bind(all(tasks, |it| at(it.task)))
        .bind(all(tasks, |it| delay(it.task)))
        .bind(all(tasks, |it| small(it.task.max_attempts)))
        .bind(all(tasks, |it| micros(it.task.timeout)))
        .bind(all(tasks, |it| tags(it.task)))
        .bind(all(tasks, |it| owner(it.task)))
        .bind(labels(tasks)?)
        .bind(all(tasks, |it| it.task.params.get()))
        .bind(step(shared))
        .bind(shared.offset())
        .fetch_all(conn)
        .await;
    let Some(found) = unless_there(found)? else { return Ok(None) };
    let now = found.last().map(|it| it.try_get(2)).transpose()?;
    let inserted = Inserted::new(now.map(time).unwrap_or_default(), found.iter().map(stored).collect::<Outcome<_>>()?);
    let stored = tasks.iter().filter(|it| inserted.status(it.task.id).is_some());
    shared.unbounded.note(stored.map(|it| it.queue), began);
    Ok(Some(inserted))
}

/// The answer, unless one of the ids is there already.
fn unless_there<T>(answer: sqlx::Result<T>) -> Outcome<Option<T>> {
    match answer {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

fn step(shared: &Shared) -> i64 {
    micros(shared.settings().rank_step.get())
}

fn priority(task: &NewTask) -> i16 {
    task.priority.get().into()
}
