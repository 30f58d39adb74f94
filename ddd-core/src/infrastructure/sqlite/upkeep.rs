use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    names::settings_text,
    row::{Row, id_of, time},
    session::Session,
    tallies::Place,
};
use crate::{
    domain::{AttemptError, FailureKind, TaskId, TaskStatus, Timestamp},
    infrastructure::sql::status_code,
    ports::{Declaration, Reaped, Signal, StoreSettings},
};

/// So many parked tasks come back with one declaration; upkeep brings the others.
const UNPARKED: usize = 1_000;
/// How long the figures about the last day are kept, in seconds.
const DAY: i64 = 24 * 3_600 + 60;

impl Session<'_> {
    /// Writes the settings of queues; the others are the process's own.
    pub(super) fn configure(&mut self, settings: &StoreSettings) -> Outcome<()> {
        for (name, settings) in &settings.queues {
            let queue = self.memory.names.queue(self.db, name)?;
            let mut write =
                self.db.prepare_cached("UPDATE ddd_queue SET settings = ?2 WHERE number = ?1 AND settings <> ?2")?;
            write.execute(params![queue, settings_text(settings)?])?;
            self.memory.queues.remove(&queue);
            let pending = self.memory.tallies.count(self.db, queue, status_code(TaskStatus::Pending))?;
            if pending > 0 {
                self.ready(queue, usize::try_from(pending).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    pub(super) fn reap(&mut self, max: usize) -> Outcome<Reaped> {
        self.take_in()?;
        let mut reaped = Reaped { more: self.promote(max)?, ..Reaped::default() };
        reaped.recovered = self.recover(max, &mut reaped.ended)?;
        let unparked = self.unpark(max)?;
        let parked = self.park_unknown(max)?;
        reaped.pruned = self.prune(max)?;
        let results = self.drop_expired_results(max)?;
        let keys = self.expire_keys(max)?;
        reaped.more |= max > 0 && [reaped.recovered, unparked, parked, reaped.pruned, results, keys].contains(&max);
        self.forget_dead()?;
        let mut forget = self.db.prepare_cached("DELETE FROM ddd_ended WHERE second < ?1")?;
        forget.execute([self.now().as_micros().div_euclid(1_000_000) - DAY])?;
        Ok(reaped)
    }

    /// Makes at most `max` due tasks ready; whether more are due.
    pub(super) fn promote(&mut self, max: usize) -> Outcome<bool> {
        let due = self.ids(
            "SELECT id FROM ddd_task WHERE status IN (1, 2) AND due <= ?1 ORDER BY due LIMIT ?2",
            self.now().as_micros(),
            max,
        )?;
        for id in &due {
            if let Some(mut row) = self.load(*id)? {
                self.arrive_when_ready(&mut row)?;
            }
        }
        Ok(due.len() == max && self.next_due()?.is_some_and(|it| it <= self.now()))
    }

    /// When the first of those that wait for their time is due.
    pub(super) fn next_due(&self) -> Outcome<Option<Timestamp>> {
        let mut find =
            self.db.prepare_cached("SELECT due FROM ddd_task WHERE status IN (1, 2) ORDER BY due LIMIT 1")?;
        Ok(find.query_row([], |row| row.get(0)).optional()?.map(time))
    }

    fn ids(&self, statement: &str, key: i64, max: usize) -> Outcome<Vec<TaskId>> {
        let mut find = self.db.prepare_cached(statement)?;
        let ids = find.query_map(params![key, max], |row| row.get(0))?;
        Ok(ids.map(|it| it.map(id_of)).collect::<Result<_, _>>()?)
    }

    /// Takes tasks back from workers whose lease ran out.
    fn recover(&mut self, max: usize, ended: &mut Vec<(TaskId, TaskStatus)>) -> Outcome<usize> {
        if self.memory.has_leapt {
            return Ok(0);
        }
        let lost = self.ids(
            "SELECT id FROM ddd_task WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
            self.now().as_micros(),
            max,
        )?;
        for id in &lost {
            if let Some(mut row) = self.load(*id)? {
                ended.extend(self.recover_one(&mut row)?.map(|it| (*id, it)));
            }
        }
        Ok(lost.len())
    }

    /// Takes one task back; answers with the status in which its run ended, if it did.
    fn recover_one(&mut self, row: &mut Row) -> Outcome<Option<TaskStatus>> {
        let now = self.now();
        self.memory.fx.signal(Signal::Lost { id: row.record.id, fence: row.record.fence });
        if row.record.status.is_terminal() {
            self.stopped(row)?;
            return Ok(None);
        }
        let held_until = row.record.worker.zip(row.record.lease_until);
        let has_died = match held_until {
            Some((worker, until)) => !self.has_beaten_without(worker, until)?,
            None => true,
        };
        let record = &mut row.record;
        record.still_running = false;
        record.lease_until = None;
        record.crashes += u32::from(has_died);
        let crashes = record.crashes;
        let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
        let reason = format!("its worker died {times} while running it");
        let is_cancelled = record.cancel_requested;
        if has_died && !is_cancelled {
            self.note_error(row, AttemptError::new(FailureKind::Crash, reason));
        }
        let ends_as = if is_cancelled {
            Some(TaskStatus::Cancelled)
        } else if has_died && crashes >= self.memory.settings.crashes_until_failed {
            Some(TaskStatus::Failed)
        } else {
            None
        };
        if let Some(to) = ends_as {
            row.record.finished_at = Some(now);
            self.memory.fx.ended.push((row.record.id, to, None));
            self.arrive(row, to)?;
        } else {
            row.record.attempt = row.record.attempt.saturating_sub(1);
            row.record.started_at = None;
            // It kept its permit, if its key has any.
            self.arrive(row, TaskStatus::Pending)?;
        }
        self.tell_of_room(row.queue)?;
        Ok(ends_as)
    }

    /// Parks ready tasks that no live worker knows, if any worker lives.
    fn park_unknown(&mut self, max: usize) -> Outcome<usize> {
        if !self.anyone_lives()? {
            return Ok(0);
        }
        let pending = self.pending_kinds()?;
        let mut parked = 0;
        for (queue, kind) in pending {
            if parked == max || self.anyone_knows(kind)? {
                continue;
            }
            let unknown = {
                let mut find = self
                    .db
                    .prepare_cached("SELECT id FROM ddd_task WHERE status = 0 AND queue = ?1 AND kind = ?2 LIMIT ?3")?;
                let rows = find.query_map(params![queue, kind, max - parked], |row| row.get(0))?;
                rows.map(|it| it.map(id_of)).collect::<Result<Vec<_>, _>>()?
            };
            for id in unknown {
                if let Some(mut row) = self.load(id)? {
                    self.arrive(&mut row, TaskStatus::Parked)?;
                    parked += 1;
                }
            }
        }
        Ok(parked)
    }

    /// Which kinds are ready in which queues, as of before this transaction: what it makes ready is looked at the next time.
    fn pending_kinds(&self) -> Outcome<Vec<(i64, i64)>> {
        let mut find = self.db.prepare_cached("SELECT number FROM ddd_queue")?;
        let queues = find.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        let mut find = self.db.prepare_cached(
            "SELECT kind FROM ddd_tally WHERE queue = ?1 AND what = 0 GROUP BY kind HAVING sum(n) > 0",
        )?;
        let mut pending = Vec::new();
        for queue in queues {
            for kind in find.query_map([queue], |row| row.get(0))? {
                pending.push((queue, kind?));
            }
        }
        Ok(pending)
    }

    /// Makes at most `max` parked tasks ready that a live worker knows.
    fn unpark(&mut self, max: usize) -> Outcome<usize> {
        let mut unparked = 0;
        let mut after = 0;
        loop {
            let next = {
                let mut find = self
                    .db
                    .prepare_cached("SELECT kind FROM ddd_task WHERE status = 4 AND kind > ?1 ORDER BY kind LIMIT 1")?;
                find.query_row([after], |row| row.get::<_, i64>(0)).optional()?
            };
            let Some(kind) = next else { return Ok(unparked) };
            after = kind;
            if !self.anyone_knows(kind)? {
                continue;
            }
            let statement = "SELECT id FROM ddd_task WHERE status = 4 AND kind = ?1 ORDER BY due, id LIMIT ?2";
            for id in self.ids(statement, kind, max - unparked)? {
                if let Some(mut row) = self.load(id)? {
                    self.arrive_when_ready(&mut row)?;
                    unparked += 1;
                }
            }
            if unparked == max {
                return Ok(unparked);
            }
        }
    }

    /// Makes a worker known; what was parked for want of it becomes ready.
    pub(super) fn declare(&mut self, declaration: &Declaration) -> Outcome<Reaped> {
        self.register(declaration)?;
        let unparked = self.unpark(UNPARKED)?;
        Ok(Reaped { more: unparked == UNPARKED, ..Reaped::default() })
    }

    /// Drops at most `max` finished records that are too old.
    fn prune(&mut self, max: usize) -> Outcome<usize> {
        let settings = self.memory.settings.clone();
        let done = "DELETE FROM ddd_task WHERE id IN (SELECT id FROM ddd_task WHERE status IN (6, 8) AND \
                    finished_at <= ?1 ORDER BY finished_at LIMIT ?2) RETURNING id, status, queue, kind, priority";
        let failed = "DELETE FROM ddd_task WHERE id IN (SELECT id FROM ddd_task WHERE status IN (7, 9) AND \
                      finished_at <= ?1 AND lease_until IS NULL ORDER BY finished_at LIMIT ?2) \
                      RETURNING id, status, queue, kind, priority";
        let mut pruned = 0;
        for (statement, ttl) in [(done, settings.history_ttl), (failed, settings.failed_ttl)] {
            if pruned == max {
                break;
            }
            let mut delete = self.db.prepare_cached(statement)?;
            let mut rows = delete.query(params![self.now().before(ttl).as_micros(), max - pruned])?;
            while let Some(row) = rows.next()? {
                let place = Place { queue: row.get(2)?, kind: row.get(3)?, priority: row.get(4)? };
                self.memory.tallies.add(place, row.get(1)?, -1);
                self.db.prepare_cached("DELETE FROM ddd_large WHERE id = ?1")?.execute([row.get::<_, [u8; 16]>(0)?])?;
                pruned += 1;
            }
        }
        Ok(pruned)
    }

    fn drop_expired_results(&self, max: usize) -> Outcome<usize> {
        let mut drop = self.db.prepare_cached(
            "UPDATE ddd_task SET result = NULL WHERE id IN (SELECT id FROM ddd_task WHERE result IS NOT NULL AND \
             result_until <= ?1 ORDER BY result_until LIMIT ?2)",
        )?;
        Ok(drop.execute(params![self.now().as_micros(), max])?)
    }

    /// Forgets keys whose time is over.
    fn expire_keys(&self, max: usize) -> Outcome<usize> {
        let mut most = 0;
        for statement in [
            "DELETE FROM ddd_unique WHERE key IN (SELECT key FROM ddd_unique WHERE until <= ?1 ORDER BY until LIMIT ?2)",
            "DELETE FROM ddd_idempotency WHERE key IN \
             (SELECT key FROM ddd_idempotency WHERE until <= ?1 ORDER BY until LIMIT ?2)",
        ] {
            let mut forget = self.db.prepare_cached(statement)?;
            most = most.max(forget.execute(params![self.now().as_micros(), max])?);
        }
        Ok(most)
    }
}
