//! Who works: signs of life, and what each worker knows.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{
    core::Core,
    error::Outcome,
    load::Locked,
    numbers::{count, fence, id_of, ids_of, micros, number, size, small, time},
    session::Session,
};
use crate::{
    domain::{Fence, Name, TaskId, TaskStatus, Timestamp, WorkerId},
    infrastructure::sql::{json_of, json_text},
    ports::{Declaration, Heartbeat, KnownTask, Signal, WorkerState},
};

/// For so long after its last sign of life a worker may come back without declaring itself again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);
/// So many tasks come back from the parking place at once.
const UNPARKED: usize = 500;

impl Session<'_> {
    /// Makes a worker known.
    async fn know(&mut self, declaration: &Declaration) -> Outcome<()> {
        let id = declaration.worker.as_uuid();
        let text = "INSERT INTO ddd.worker (id, host, queues, slots, started_at, seen_at, alive_until) \
                    VALUES ($1, $2, $3, $4, $5, $5, $6) \
                    ON CONFLICT (id) DO UPDATE SET host = excluded.host, queues = excluded.queues, slots = excluded.slots, \
                    seen_at = excluded.seen_at, alive_until = excluded.alive_until";
        sqlx::query(self.core.texts.of(text))
            .bind(id)
            .bind(super::numbers::searchable(&declaration.host))
            .bind(json_text(&declaration.queues)?)
            .bind(i32::try_from(declaration.slots).unwrap_or(i32::MAX))
            .bind(self.now.as_micros())
            .bind(self.now.after(declaration.lease).as_micros())
            .execute(&mut *self.conn)
            .await?;
        let mut known = HashMap::<&str, i32>::new();
        for it in &declaration.known {
            let version = known.entry(it.name.as_str()).or_default();
            *version = small(it.version).max(*version);
        }
        let (names, versions): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        let text = "DELETE FROM ddd.known WHERE worker = $1 AND name <> ALL($2)";
        sqlx::query(self.core.texts.of(text)).bind(id).bind(&names).execute(&mut *self.conn).await?;
        let text = "INSERT INTO ddd.known (worker, name, version) SELECT $1, * FROM unnest($2::text[], $3::integer[]) \
                    ON CONFLICT (worker, name) DO UPDATE SET version = excluded.version";
        sqlx::query(self.core.texts.of(text)).bind(id).bind(names).bind(versions).execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Makes at most `max` parked tasks ready that a live worker knows; how many were found.
    pub(super) async fn unpark(&mut self, max: usize) -> Outcome<usize> {
        let text = "SELECT t.id FROM ddd.task t WHERE t.status = 4 AND t.kind = ANY(ARRAY(SELECT k.number FROM ddd.kind k \
                    WHERE EXISTS (SELECT FROM ddd.known n JOIN ddd.worker w ON w.id = n.worker WHERE n.name = k.name \
                    AND n.version >= k.version AND w.alive_until > $1))) ORDER BY t.id LIMIT $2";
        let found: Vec<Uuid> = sqlx::query_scalar(self.core.texts.of(text))
            .bind(self.now.as_micros())
            .bind(size(max))
            .fetch_all(&mut *self.conn)
            .await?;
        let ids = found.into_iter().map(id_of).collect::<Vec<_>>();
        self.load(&ids, Locked::Wait).await?;
        for id in &ids {
            let Some(mut row) = self.take(*id) else { continue };
            if row.record.status == TaskStatus::Parked {
                self.arrive_when_ready(&mut row)?;
                self.put(row);
            } else {
                self.put_back(row);
            }
        }
        Ok(ids.len())
    }

    pub(super) async fn withdraw(&mut self, worker: WorkerId) -> Outcome<()> {
        let text = "DELETE FROM ddd.worker WHERE id = $1";
        sqlx::query(self.core.texts.of(text)).bind(worker.as_uuid()).execute(&mut *self.conn).await?;
        let text = "DELETE FROM ddd.known WHERE worker = $1";
        sqlx::query(self.core.texts.of(text)).bind(worker.as_uuid()).execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Notes that a worker asks for tasks; `false` if it never declared itself.
    pub(super) async fn seen(&mut self, worker: WorkerId, lease: Duration) -> Outcome<bool> {
        let text = "UPDATE ddd.worker SET seen_at = $2, alive_until = greatest(alive_until, $3) WHERE id = $1";
        let done = sqlx::query(self.core.texts.of(text))
            .bind(worker.as_uuid())
            .bind(self.now.as_micros())
            .bind(self.now.after(lease).as_micros())
            .execute(&mut *self.conn)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The kinds that a worker knows.
    pub(super) async fn known_kinds(&mut self, worker: WorkerId) -> Outcome<HashSet<i32>> {
        let text = "SELECT k.number FROM ddd.known n JOIN ddd.kind k ON k.name = n.name AND k.version <= n.version \
                    WHERE n.worker = $1";
        let found: Vec<i32> =
            sqlx::query_scalar(self.core.texts.of(text)).bind(worker.as_uuid()).fetch_all(&mut *self.conn).await?;
        Ok(found.into_iter().collect())
    }

    /// Which of these kinds a live worker knows.
    pub(super) async fn known_to_anyone(&mut self, kinds: &HashSet<i32>) -> Outcome<HashSet<i32>> {
        if kinds.is_empty() {
            return Ok(HashSet::new());
        }
        let text = "SELECT k.number FROM ddd.kind k WHERE k.number = ANY($1) AND EXISTS (SELECT FROM ddd.known n \
                    JOIN ddd.worker w ON w.id = n.worker \
                    WHERE n.name = k.name AND n.version >= k.version AND w.alive_until > $2)";
        let found: Vec<i32> = sqlx::query_scalar(self.core.texts.of(text))
            .bind(kinds.iter().copied().collect::<Vec<_>>())
            .bind(self.now.as_micros())
            .fetch_all(&mut *self.conn)
            .await?;
        Ok(found.into_iter().collect())
    }

    /// Whether another worker already empties itself for what must run alone: one at a time is enough.
    pub(super) async fn is_left_to_another(&mut self, worker: WorkerId) -> Outcome<bool> {
        let text = "SELECT EXISTS (SELECT FROM ddd.worker WHERE id <> $1 AND empties_until > $2)";
        Ok(sqlx::query_scalar(self.core.texts.of(text))
            .bind(worker.as_uuid())
            .bind(self.now.as_micros())
            .fetch_one(&mut *self.conn)
            .await?)
    }

    /// A worker empties itself until then.
    pub(super) async fn empties(&mut self, worker: WorkerId, until: Timestamp) -> Outcome<()> {
        let text = "UPDATE ddd.worker SET empties_until = $2 WHERE id = $1";
        let (id, until) = (worker.as_uuid(), until.as_micros());
        sqlx::query(self.core.texts.of(text)).bind(id).bind(until).execute(&mut *self.conn).await?;
        Ok(())
    }

    pub(super) async fn forget_dead(&mut self) -> Outcome<()> {
        let before = self.now.as_micros().saturating_sub(micros(FORGOTTEN_AFTER));
        let text = "WITH dead AS (DELETE FROM ddd.worker WHERE id = ANY(ARRAY(SELECT id FROM ddd.worker \
                    WHERE alive_until <= $1 FOR UPDATE SKIP LOCKED)) RETURNING id) \
                    DELETE FROM ddd.known WHERE worker IN (SELECT id FROM dead)";
        sqlx::query(self.core.texts.of(text)).bind(before).execute(&mut *self.conn).await?;
        Ok(())
    }

    /// The workers that are alive.
    pub(super) async fn workers(&mut self) -> Outcome<Vec<WorkerState>> {
        let text = "SELECT w.id, w.host, w.queues, w.slots, w.started_at, w.seen_at, (SELECT count(*) FROM ddd.task t \
                    WHERE t.lease_until IS NOT NULL AND t.worker = w.id), \
                    ARRAY(SELECT n.name FROM ddd.known n WHERE n.worker = w.id ORDER BY n.name), \
                    ARRAY(SELECT n.version FROM ddd.known n WHERE n.worker = w.id ORDER BY n.name) \
                    FROM ddd.worker w WHERE w.alive_until > $1 ORDER BY w.started_at, w.id";
        let found = sqlx::query(self.core.texts.of(text)).bind(self.now.as_micros()).fetch_all(&mut *self.conn).await?;
        let mut states = Vec::with_capacity(found.len());
        for row in found {
            let known = row.try_get::<Vec<String>, _>(7)?.into_iter().zip(row.try_get::<Vec<i32>, _>(8)?);
            let known = known.map(|(name, version)| KnownTask { name: name.into(), version: count(version) });
            let queues: Vec<Name> = json_of(row.try_get(2)?)?;
            let declaration = Declaration::new(
                row.try_get::<Uuid, _>(0)?.into(),
                row.try_get(1)?,
                queues,
                known.collect(),
                usize::try_from(row.try_get::<i32, _>(3)?).unwrap_or_default(),
                Duration::ZERO,
            );
            let mut state = WorkerState::of(&declaration, time(row.try_get(4)?));
            state.seen_at = time(row.try_get(5)?);
            state.running = usize::try_from(row.try_get::<i64, _>(6)?).unwrap_or_default();
            states.push(state);
        }
        Ok(states)
    }
}

/// Renews leases. What others hold in this moment is left out: it ends just now, or the next beat renews it. The fence of a row is
/// looked up by bisection, for which the ids are sorted; no join with the lists, whose length no plan knows.
const BEAT: &str = "\
    WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $3 AS now), \
    noted AS (UPDATE ddd.worker w SET seen_at = c.now, alive_until = greatest(w.alive_until, c.now + $2), \
        renewed_until = c.now + $2 FROM clock c WHERE w.id = $1), \
    held AS MATERIALIZED (SELECT t.id FROM ddd.task t WHERE t.id = ANY($4) \
        AND t.fence = ($5::bigint[])[width_bucket(t.id, $4::uuid[])] AND t.lease_until IS NOT NULL FOR UPDATE SKIP LOCKED), \
    renewed AS (UPDATE ddd.task t SET lease_until = c.now + $2 FROM clock c WHERE t.id = ANY(ARRAY(SELECT id FROM held)) \
        RETURNING t.id, t.cancel_requested) \
    SELECT id, cancel_requested FROM renewed";

impl Core {
    /// Makes a worker known; what was parked for want of it becomes ready.
    pub(super) async fn declare(self: &Arc<Self>, conn: &mut PgConnection, declaration: &Declaration) -> Outcome<()> {
        let declaration = declaration.clone();
        self.transact(conn, move |session| {
            let declaration = declaration.clone();
            Box::pin(async move { session.know(&declaration).await })
        })
        .await?;
        while self.transact(conn, |session| Box::pin(session.unpark(UNPARKED))).await? == UNPARKED {}
        Ok(())
    }

    pub(super) async fn heartbeat(&self, conn: &mut PgConnection, heartbeat: &Heartbeat) -> Outcome<Vec<Signal>> {
        // Of several claims of one task the last one is found, and only that can still hold.
        let mut held = heartbeat.held.iter().map(|it| (it.id, it.fence)).collect::<Vec<_>>();
        held.sort_unstable();
        let ids = held.iter().map(|it| it.0).collect::<Vec<_>>();
        let renewed = sqlx::query(self.texts.of(BEAT))
            .bind(heartbeat.worker.as_uuid())
            .bind(micros(heartbeat.lease))
            .bind(self.offset())
            .bind(ids_of(&ids))
            .bind(held.iter().map(|it| number(it.1)).collect::<Vec<_>>())
            .fetch_all(&mut *conn)
            .await?;
        let mut known = HashMap::<TaskId, bool>::with_capacity(renewed.len());
        for row in renewed {
            known.insert(id_of(row.try_get(0)?), row.try_get(1)?);
        }
        let missing = ids.into_iter().filter(|it| !known.contains_key(it)).collect::<Vec<_>>();
        let states = self.states(conn, &missing).await?;
        let signals = heartbeat.held.iter().filter_map(|held| {
            let (id, fence) = (held.id, held.fence);
            match (known.get(&id), states.get(&id)) {
                (Some(is_cancelled), _) => is_cancelled.then_some(Signal::Cancel { id, fence }),
                (None, Some(state)) if state.is_of(fence) => None,
                _ => Some(Signal::Lost { id, fence }),
            }
        });
        Ok(signals.collect())
    }

    async fn states(&self, conn: &mut PgConnection, ids: &[TaskId]) -> Outcome<HashMap<TaskId, Held>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let text = "SELECT id, fence, ended, lease_until IS NOT NULL FROM ddd.task WHERE id = ANY($1) \
                    UNION ALL SELECT id, fence, ended, false FROM ddd.history WHERE id = ANY($1)";
        let found = sqlx::query(self.texts.of(text)).bind(ids_of(ids)).fetch_all(conn).await?;
        let read = |row: &sqlx::postgres::PgRow| {
            let held = Held { fence: fence(row.try_get(1)?), ended: fence(row.try_get(2)?), is_held: row.try_get(3)? };
            Ok((id_of(row.try_get(0)?), held))
        };
        found.iter().map(read).collect()
    }
}

/// A claim as it is stored.
struct Held {
    fence: Fence,
    ended: Fence,
    is_held: bool,
}

impl Held {
    /// Whether the claim of this fence still holds, or ended in order.
    fn is_of(&self, fence: Fence) -> bool {
        self.ended == fence || (self.is_held && self.fence == fence)
    }
}
