//! The ends that most attempts have, by one statement; the others in a transaction that looks at each.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{
    core::Core,
    error::{Outcome, corrupt},
    numbers::{count, fence, id_of, micros, number, time},
};
use crate::{
    domain::{TaskId, TaskStatus, Transition},
    infrastructure::sql::Effects,
    ports::{AttemptEnd, Finish, Finished},
};

/// Ends attempts in `success`, unless anything else follows from that: a cancellation, a permit, a unique key, a body that ran
/// over its time. What belongs to a row is looked up in the lists by bisection, for which the ids are sorted: a join with the
/// lists, whose length no plan knows, looks at each row of one for each of the other.
const SUCCEED: &str = "\
    WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $5 AS now), \
    gone AS (DELETE FROM ddd.task t USING ddd.queue q, clock c \
        WHERE t.id = ANY($1) AND t.fence = ($2::bigint[])[width_bucket(t.id, $1::uuid[])] AND t.status = 5 \
        AND NOT t.cancel_requested AND NOT t.still_running AND NOT t.permit AND NOT t.frees_unique AND q.number = t.queue \
        RETURNING t.*, ($3::text[])[width_bucket(t.id, $1::uuid[])] AS returned, \
            ($4::bigint[])[width_bucket(t.id, $1::uuid[])] AS ttl, q.limited, c.now), \
    kept AS (INSERT INTO ddd.history (id, status, priority, queue, kind, run, attempt, max_attempts, crashes, rank, due, \
            timeout, fence, ended, created_at, started_at, finished_at, result_until, worker, frees_unique, concurrency_key, \
            tags, owner, label, errors, progress, params, result) \
        SELECT id, 6, priority, queue, kind, run, attempt, max_attempts, crashes, rank, due, timeout, fence, fence, \
            created_at, started_at, now, CASE WHEN returned IS NULL THEN NULL ELSE now + ttl END, worker, frees_unique, \
            concurrency_key, tags, owner, label, errors, progress, params, CASE WHEN ttl > 0 THEN returned END FROM gone \
        ON CONFLICT (id) DO NOTHING), \
    tallied AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
        SELECT queue, kind, priority, 5, 6, now / 1000000, count(*) FROM gone GROUP BY queue, kind, priority, now) \
    SELECT id, queue, kind, run, attempt, fence, limited, now FROM gone";

impl Core {
    pub(super) async fn finish(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        finishes: &[Finish],
    ) -> Outcome<Vec<Finished>> {
        let mut ids = HashSet::with_capacity(finishes.len());
        let are_different = finishes.iter().all(|it| ids.insert(it.id));
        let done = if are_different { self.succeed(conn, finishes).await? } else { HashSet::new() };
        let left = finishes.iter().filter(|it| !done.contains(&it.id)).cloned().collect::<Vec<_>>();
        let mut left = if left.is_empty() {
            Vec::new()
        } else {
            self.transact(conn, move |session| {
                let left = left.clone();
                Box::pin(async move { session.finish(left).await })
            })
            .await?
        }
        .into_iter();
        let answer = |it: &Finish| {
            if done.contains(&it.id) { Some(Finished::Applied(TaskStatus::Success)) } else { left.next() }
        };
        finishes.iter().map(answer).collect::<Option<_>>().ok_or_else(|| corrupt("an end has no answer"))
    }

    /// Ends what succeeded and needs nothing else; which.
    async fn succeed(self: &Arc<Self>, conn: &mut PgConnection, finishes: &[Finish]) -> Outcome<HashSet<TaskId>> {
        let (mut ids, mut fences, mut results, mut ttls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut returned = HashMap::with_capacity(finishes.len());
        // In the order in which everybody locks rows, and by which the statement looks up what belongs to them.
        let mut in_order = finishes.iter().collect::<Vec<_>>();
        in_order.sort_unstable_by_key(|it| it.id);
        for it in in_order {
            if let AttemptEnd::Success { result, ttl } = &it.end {
                ids.push(*it.id.as_uuid());
                fences.push(number(it.fence));
                results.push(result.as_ref().map(|it| it.get()));
                ttls.push(micros(*ttl).min(i64::MAX / 4));
                returned.insert(it.id, result);
            }
        }
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let turn = self.turns.enter(returned.keys().copied());
        let is_open = self.open(conn).await?;
        let gone = sqlx::query(self.texts.of(SUCCEED))
            .bind(ids)
            .bind(fences)
            .bind(results)
            .bind(ttls)
            .bind(self.offset())
            .fetch_all(&mut *conn)
            .await;
        let gone = self.close(conn, is_open, gone).await?;
        let mut numbers = Vec::with_capacity(gone.len());
        for row in &gone {
            numbers.push((row.try_get::<i32, _>(1)?, row.try_get::<i32, _>(2)?));
        }
        if !self.names.hold(numbers.iter().map(|it| it.0), numbers.iter().map(|it| it.1)) {
            self.names.read(conn, &self.texts).await?;
        }
        let mut fx = Effects { is_heard: self.are_transitions_wanted(), ..Effects::default() };
        let mut done = HashSet::with_capacity(gone.len());
        for (row, (queue, kind)) in gone.iter().zip(numbers) {
            let id = id_of(row.try_get::<Uuid, _>(0)?);
            done.insert(id);
            let (Some(queue), Some((name, _))) = (self.names.queue_name(queue), self.names.kind_name(kind)) else {
                return Err(corrupt("a task has no name"));
            };
            if row.try_get(6)? {
                // In a queue that lets only some run, an end makes room.
                fx.ready(&queue, 1);
            }
            if fx.is_heard {
                fx.transitions.push(Transition {
                    id,
                    name,
                    queue,
                    run: count(row.try_get(3)?),
                    attempt: count(row.try_get(4)?),
                    fence: fence(row.try_get(5)?),
                    from: Some(TaskStatus::Running),
                    to: TaskStatus::Success,
                    at: time(row.try_get(7)?),
                    progress: None,
                });
            }
            fx.ended.push((id, TaskStatus::Success, returned.get(&id).and_then(|it| (*it).clone())));
        }
        turn.come().await;
        self.tell(&mut fx, &[]);
        Ok(done)
    }
}
