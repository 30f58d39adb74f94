//! The end of every claim: rows become running, and are read.

use sqlx::{Row as _, postgres::PgRow};

use super::{
    core::Shared,
    error::{Outcome, corrupt},
    numbers::{count, duration, fence, id_of, priority, time},
};
use crate::{
    domain::{TaskStatus, Transition},
    infrastructure::sql::{Effects, json_of, raw},
    ports::Claimed,
};

/// What follows on `clock` (now) and `chosen` (ids, locked). `$1` is the worker, `$2` the lease. The rows are looked for by a list of
/// ids, not by a join: for that, some plans read the whole table.
macro_rules! take_chosen {
    () => {
        "taken AS (UPDATE ddd.task t SET status = 5, attempt = t.attempt + 1, fence = t.fence + 1, started_at = c.now, \
         lease_until = c.now + $2, worker = $1, progress = NULL FROM clock c WHERE t.id = ANY(ARRAY(SELECT id FROM chosen)) \
         RETURNING t.id, t.queue, t.kind, t.priority, t.due, t.created_at, t.run, t.attempt, t.max_attempts, t.timeout, \
         t.fence, t.label, t.params, t.rank), \
         tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
         SELECT t.queue, t.kind, t.priority, 0, 5, c.now / 1000000, count(*) FROM taken t CROSS JOIN clock c \
         GROUP BY t.queue, t.kind, t.priority, c.now) "
    };
}
pub(super) use take_chosen;

/// The columns that are read of each, in the order of [`read`].
macro_rules! claimed_columns {
    () => {
        "t.id, t.queue, t.kind, t.priority, t.due, t.created_at, t.run, t.attempt, t.max_attempts, t.timeout, t.fence, \
         t.label, t.params, t.rank, c.now"
    };
}
pub(super) use claimed_columns;

/// The queues and kinds that a claim's rows name.
pub(super) fn numbers(rows: &[PgRow]) -> Outcome<Vec<(i32, i32)>> {
    let numbers = |row: &PgRow| Ok((row.try_get::<Option<i32>, _>(1)?, row.try_get::<Option<i32>, _>(2)?));
    let all = rows.iter().map(numbers).collect::<Outcome<Vec<_>>>()?;
    Ok(all.into_iter().filter_map(|(queue, kind)| queue.zip(kind)).collect())
}

/// The tasks of a claim's rows, in the order in which they are to start. Their names are known.
pub(super) fn read(rows: &[PgRow], shared: &Shared, fx: &mut Effects) -> Outcome<Vec<Claimed>> {
    let mut claimed = Vec::with_capacity(rows.len());
    let mut departures = shared.departures.lock();
    for row in rows {
        let (queue, kind): (i32, i32) = (row.try_get(1)?, row.try_get(2)?);
        let (name, version) =
            shared.names.kind_name(kind).ok_or_else(|| corrupt(format!("kind {kind} has no name")))?;
        let started_at = time(row.try_get(14)?);
        departures.entry(queue).or_default().add(started_at);
        let queue = shared.names.queue_name(queue).ok_or_else(|| corrupt(format!("queue {queue} has no name")))?;
        let task = Claimed {
            id: id_of(row.try_get(0)?),
            name,
            version,
            queue,
            priority: priority(row.try_get(3)?),
            params: raw(row.try_get(12)?)?,
            run: count(row.try_get(6)?),
            attempt: count(row.try_get(7)?),
            max_attempts: count(row.try_get(8)?),
            timeout: duration(row.try_get(9)?),
            fence: fence(row.try_get(10)?),
            due: time(row.try_get(4)?),
            created_at: time(row.try_get(5)?),
            started_at,
            label: row.try_get::<Option<&str>, _>(11)?.map(json_of).transpose()?,
        };
        claimed.push((row.try_get::<i64, _>(13)?, task));
    }
    drop(departures);
    claimed.sort_by_key(|(rank, task)| (*rank, task.id));
    let claimed = claimed.into_iter().map(|it| it.1).collect::<Vec<_>>();
    if fx.is_heard {
        fx.transitions.extend(claimed.iter().map(|it| Transition {
            id: it.id,
            name: it.name.clone(),
            queue: it.queue.clone(),
            run: it.run,
            attempt: it.attempt,
            fence: it.fence,
            from: Some(TaskStatus::Pending),
            to: TaskStatus::Running,
            at: it.started_at,
            progress: None,
        }));
    }
    Ok(claimed)
}
