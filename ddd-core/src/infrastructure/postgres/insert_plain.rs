//! The statements that store new tasks against which nothing can stand: no key, and ids that were never sent before.

use std::{collections::HashMap, time::Instant};

use sqlx::{Arguments as _, PgConnection, Postgres, Row as _, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    core::Shared,
    error::Outcome,
    insert::{Inserted, Planned, all, at, delay, label, labels, owner, tags},
    numbers::{id_of, micros, small, status, time},
};
use crate::ports::{Due, NewTask};

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
    ") RETURNING id, status, created_at"
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
    if tasks.is_empty() {
        return Ok(None);
    }
    let unseen = match tasks {
        [one] if one.task.due == Due::Now && shared.unbounded.is_believed(one.queue) => Some(one),
        _ => None,
    };
    let began = Instant::now();
    let query = match unseen {
        Some(one) => one_of(shared, one)?,
        None => all_of(shared, tasks)?,
    };
    let found = match query.fetch_all(conn).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
        found => found?,
    };
    let mut inserted = Inserted { statuses: HashMap::with_capacity(found.len()), ..Inserted::default() };
    for row in found {
        inserted.now = time(row.try_get(2)?);
        inserted.statuses.insert(id_of(row.try_get::<Uuid, _>(0)?), status(row.try_get(1)?)?);
    }
    if unseen.is_none() {
        let stored = tasks.iter().filter(|it| inserted.statuses.contains_key(&it.task.id));
        shared.unbounded.note(stored.map(|it| it.queue), began);
    }
    Ok(Some(inserted))
}

type Insert<'q> = Query<'q, Postgres, PgArguments>;

fn one_of<'q>(shared: &Shared, one: &Planned<'q>) -> Outcome<Insert<'q>> {
    let task = one.task;
    let mut arguments = PgArguments::default();
    // To grow takes longer than to fill.
    arguments.reserve(12, 128 + task.params.get().len());
    Ok(sqlx::query_with(shared.texts.of(ONE), arguments)
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
        .bind(shared.offset()))
}

fn all_of<'q>(shared: &Shared, tasks: &[Planned<'q>]) -> Outcome<Insert<'q>> {
    Ok(sqlx::query(shared.texts.of(MANY))
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
        .bind(shared.offset()))
}

fn step(shared: &Shared) -> i64 {
    micros(shared.settings().rank_step.get())
}

fn priority(task: &NewTask) -> i16 {
    task.priority.get().into()
}
