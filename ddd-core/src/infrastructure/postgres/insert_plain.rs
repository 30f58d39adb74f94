//! The statements that store new tasks against which nothing can stand: no key, and ids that were never sent before.

use std::collections::HashMap;

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{
    core::Shared,
    error::Outcome,
    insert::{Inserted, Planned, all, at, delay, labels, owner, tags},
    numbers::{id_of, micros, small, status, time},
};
use crate::ports::NewTask;

/// Most submissions are of one task: without lists it costs two thirds. Nothing is said about ids that are there already, because a
/// conflict that is expected costs more than one that is an error; and queues with a bound are left out.
const ONE: &str = "\
    WITH stored AS (INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, tags, \
        owner, label, params) \
        SELECT $1, CASE WHEN g.due > g.now THEN 1 ELSE 0 END, $2, q.number, $4, $7, g.due - $13, g.due, $8, g.now, \
        string_to_array($9, ','), $10, $11, $12 \
        FROM (SELECT c.now, coalesce($5, c.now + $6) AS due FROM \
            (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $14 AS now OFFSET 0) c) g \
        CROSS JOIN ddd.queue q WHERE q.number = $3 AND NOT q.bounded \
        RETURNING id, status, queue, kind, priority, created_at), \
    tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
        SELECT queue, kind, priority, -1, status, created_at / 1000000, 1 FROM stored) \
    SELECT id, status, created_at FROM stored";

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

/// Stores tasks, all or none; none if one of them is there already. Those of queues that are bounded are left out.
pub(super) async fn insert_plain(
    conn: &mut PgConnection,
    shared: &Shared,
    tasks: &[Planned<'_>],
) -> Outcome<Option<Inserted>> {
    let step = micros(shared.settings().rank_step.get());
    let found = match tasks {
        [] => return Ok(None),
        [one] => {
            let task = one.task;
            sqlx::query(shared.texts.of(ONE))
                .bind(*task.id.as_uuid())
                .bind(priority(task))
                .bind(one.queue)
                .bind(one.kind)
                .bind(at(task))
                .bind(delay(task))
                .bind(small(task.max_attempts))
                .bind(micros(task.timeout))
                .bind(tags(task))
                .bind(owner(task))
                .bind(labels(tasks)?.pop().flatten())
                .bind(task.params.get())
                .bind(step.saturating_mul(priority(task).into()))
                .bind(shared.offset())
                .fetch_all(conn)
                .await
        }
        _ => {
            sqlx::query(shared.texts.of(MANY))
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
                .bind(step)
                .bind(shared.offset())
                .fetch_all(conn)
                .await
        }
    };
    let found = match found {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
        found => found?,
    };
    let mut inserted = Inserted { statuses: HashMap::with_capacity(found.len()), ..Inserted::default() };
    for row in found {
        inserted.now = time(row.try_get(2)?);
        inserted.statuses.insert(id_of(row.try_get::<Uuid, _>(0)?), status(row.try_get(1)?)?);
    }
    Ok(Some(inserted))
}

fn priority(task: &NewTask) -> i16 {
    task.priority.get().into()
}
