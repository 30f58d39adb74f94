//! Who works: signs of life, and what each worker knows.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    known::Known,
    row::{fence, id_bytes, number, worker_bytes},
    session::Session,
};
use crate::{
    domain::{Timestamp, WorkerId},
    infrastructure::sql::{json_of, json_text},
    ports::{Declaration, Heartbeat, Held, KnownTask, Signal},
};

/// For so long after its last sign of life a worker may come back without declaring itself again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);
/// A claim is noted as a sign of life only so often: an idle worker that asks again and again must not write each time.
const SEEN_EVERY: Duration = Duration::from_secs(1);

impl Session<'_> {
    /// Makes a worker known.
    pub(super) fn register(&mut self, declaration: &Declaration) -> Outcome<()> {
        let id = worker_bytes(declaration.worker);
        let (now, alive_until) = (self.now().as_micros(), self.now().after(declaration.lease).as_micros());
        let revision = fastrand::i64(..);
        self.db
            .prepare_cached(
                "INSERT INTO ddd_worker (id, revision, host, queues, known, slots, started_at, seen_at, alive_until, \
                 renewed_until, empties_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, 0, 0) \
                 ON CONFLICT DO UPDATE SET revision = excluded.revision, host = excluded.host, \
                 queues = excluded.queues, known = excluded.known, slots = excluded.slots, \
                 seen_at = excluded.seen_at, alive_until = excluded.alive_until",
            )?
            .execute(params![
                id,
                revision,
                declaration.host,
                json_text(&declaration.queues)?,
                json_text(&declaration.known)?,
                declaration.slots,
                now,
                alive_until
            ])?;
        self.db.prepare_cached("DELETE FROM ddd_known WHERE worker = ?1")?.execute([id])?;
        let mut insert =
            self.db.prepare_cached("INSERT OR IGNORE INTO ddd_known (name, version, worker) VALUES (?1, ?2, ?3)")?;
        for it in &declaration.known {
            insert.execute(params![it.name.as_str(), it.version, id])?;
        }
        self.memory.known.insert(declaration.worker, Known::new(revision, &declaration.known));
        Ok(())
    }

    pub(super) fn withdraw(&mut self, worker: WorkerId) -> Outcome<()> {
        self.memory.known.remove(&worker);
        self.db.prepare_cached("DELETE FROM ddd_known WHERE worker = ?1")?.execute([worker_bytes(worker)])?;
        self.db.prepare_cached("DELETE FROM ddd_worker WHERE id = ?1")?.execute([worker_bytes(worker)])?;
        Ok(())
    }

    /// Notes that a worker asks for tasks; `false` if it never declared itself.
    pub(super) fn seen(&mut self, worker: WorkerId, lease: Duration) -> Outcome<bool> {
        let now = self.now();
        let mut find = self.db.prepare_cached("SELECT revision, seen_at, alive_until FROM ddd_worker WHERE id = ?1")?;
        let found = find
            .query_row([worker_bytes(worker)], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((revision, seen_at, alive_until)) = found else { return Ok(false) };
        if now.since(Timestamp::from_micros(seen_at)) >= SEEN_EVERY || Timestamp::from_micros(alive_until) <= now {
            let mut note = self.db.prepare_cached(
                "UPDATE ddd_worker SET seen_at = ?2, alive_until = max(alive_until, ?3) WHERE id = ?1",
            )?;
            note.execute(params![worker_bytes(worker), now.as_micros(), now.after(lease).as_micros()])?;
        }
        if self.memory.known.get(&worker).is_none_or(|it| it.revision != revision) {
            let mut find = self.db.prepare_cached("SELECT known FROM ddd_worker WHERE id = ?1")?;
            let text: String = find.query_row([worker_bytes(worker)], |row| row.get(0))?;
            let known: Vec<KnownTask> = json_of(&text)?;
            self.memory.known.insert(worker, Known::new(revision, &known));
        }
        Ok(true)
    }

    /// Whether a worker knows a kind. It was seen before.
    pub(super) fn knows(&mut self, worker: WorkerId, kind: i64) -> Outcome<bool> {
        let Some(known) = self.memory.known.get_mut(&worker) else { return Ok(false) };
        if let Some(knows) = known.kinds.get(&kind) {
            return Ok(*knows);
        }
        let (name, version) = self.memory.names.kind_name(self.db, kind)?;
        let knows = known.knows(&name, version);
        known.kinds.insert(kind, knows);
        Ok(knows)
    }

    /// Whether a live worker knows a kind.
    pub(super) fn anyone_knows(&mut self, kind: i64) -> Outcome<bool> {
        let (name, version) = self.memory.names.kind_name(self.db, kind)?;
        let mut find = self.db.prepare_cached(
            "SELECT 1 FROM ddd_known k JOIN ddd_worker w ON w.id = k.worker \
             WHERE k.name = ?1 AND k.version >= ?2 AND w.alive_until > ?3 LIMIT 1",
        )?;
        Ok(find.exists(params![name.as_str(), version, self.now().as_micros()])?)
    }

    pub(super) fn anyone_lives(&self) -> Outcome<bool> {
        let mut find = self.db.prepare_cached("SELECT 1 FROM ddd_worker WHERE alive_until > ?1 LIMIT 1")?;
        Ok(find.exists([self.now().as_micros()])?)
    }

    /// Whether a worker has given a sign of life since it claimed or renewed something until `lease_until`, and did not
    /// name it: then it lives and never learned of the claim.
    pub(super) fn has_beaten_without(&self, worker: WorkerId, lease_until: Timestamp) -> Outcome<bool> {
        let mut find = self.db.prepare_cached("SELECT 1 FROM ddd_worker WHERE id = ?1 AND renewed_until > ?2")?;
        Ok(find.exists(params![worker_bytes(worker), lease_until.as_micros()])?)
    }

    /// Whether another worker already empties itself for what must run alone: one at a time is enough.
    pub(super) fn is_left_to_another(&self, worker: WorkerId) -> Outcome<bool> {
        let mut find =
            self.db.prepare_cached("SELECT 1 FROM ddd_worker WHERE id <> ?1 AND empties_until > ?2 LIMIT 1")?;
        Ok(find.exists(params![worker_bytes(worker), self.now().as_micros()])?)
    }

    /// A worker empties itself until then.
    pub(super) fn empties(&self, worker: WorkerId, until: Timestamp) -> Outcome<()> {
        let mut note = self.db.prepare_cached("UPDATE ddd_worker SET empties_until = ?2 WHERE id = ?1")?;
        note.execute(params![worker_bytes(worker), until.as_micros()])?;
        Ok(())
    }

    pub(super) fn forget_dead(&self) -> Outcome<()> {
        let before = self.now().before(FORGOTTEN_AFTER).as_micros();
        let mut find = self.db.prepare_cached("SELECT 1 FROM ddd_worker WHERE alive_until <= ?1 LIMIT 1")?;
        if find.exists([before])? {
            let known = "DELETE FROM ddd_known WHERE worker IN (SELECT id FROM ddd_worker WHERE alive_until <= ?1)";
            self.db.prepare_cached(known)?.execute([before])?;
            self.db.prepare_cached("DELETE FROM ddd_worker WHERE alive_until <= ?1")?.execute([before])?;
        }
        Ok(())
    }

    pub(super) fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Outcome<Vec<Signal>> {
        let now = self.now();
        let until = now.after(heartbeat.lease).as_micros();
        let mut note = self.db.prepare_cached(
            "UPDATE ddd_worker SET seen_at = ?2, alive_until = max(alive_until, ?3), renewed_until = ?3 WHERE id = ?1",
        )?;
        note.execute(params![worker_bytes(heartbeat.worker), now.as_micros(), until])?;
        let mut signals = Vec::new();
        for held in &heartbeat.held {
            signals.extend(self.renew(*held, until)?);
        }
        Ok(signals)
    }

    /// Renews one lease; what its worker must know of it.
    fn renew(&self, held: Held, until: i64) -> Outcome<Option<Signal>> {
        let (id, fence_held) = (held.id, held.fence);
        let mut renew = self.db.prepare_cached(
            "UPDATE ddd_task SET lease_until = ?3 WHERE id = ?1 AND fence = ?2 AND lease_until IS NOT NULL \
             RETURNING cancel_requested",
        )?;
        let renewed = renew.query_row(params![id_bytes(id), number(fence_held), until], |row| row.get(0)).optional()?;
        if let Some(is_cancelled) = renewed {
            return Ok(Some(Signal::Cancel { id, fence: fence_held }).filter(|_| is_cancelled));
        }
        let mut find = self.db.prepare_cached("SELECT ended FROM ddd_task WHERE id = ?1")?;
        let ended: Option<i64> = find.query_row([id_bytes(id)], |row| row.get(0)).optional()?;
        let is_over = ended.is_some_and(|it| fence(it) == fence_held);
        Ok(Some(Signal::Lost { id, fence: fence_held }).filter(|_| !is_over))
    }
}
