use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    lines::priorities,
    reader::Reader,
    row::{self, id_bytes, time, worker_of},
};
use crate::{
    domain::{Counts, Name, TaskId, TaskRecord, TaskStatus, Timestamp},
    infrastructure::sql::{json_of, status_of},
    ports::{Declaration, Position, QueueState, WorkerState},
};

impl Reader {
    pub(super) fn get(&mut self, ids: &[TaskId]) -> Outcome<Vec<Option<TaskRecord>>> {
        let now = self.shared.tick();
        ids.iter().map(|id| Ok(self.find(*id)?.map(|it| shown(it, now)))).collect()
    }

    fn find(&mut self, id: TaskId) -> Outcome<Option<TaskRecord>> {
        Ok(row::load(&self.db, &mut self.names, id)?.map(|it| it.record))
    }

    pub(super) fn positions(&self, ids: &[TaskId], most: usize) -> Outcome<Vec<Option<Position>>> {
        ids.iter().map(|id| self.position(*id, most)).collect()
    }

    fn position(&self, id: TaskId, most: usize) -> Outcome<Option<Position>> {
        let mut find = self.db.prepare_cached("SELECT status, queue, priority, due FROM ddd_task WHERE id = ?1")?;
        let found = find
            .query_row([id_bytes(id)], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })
            .optional()?;
        let Some((code, queue, priority, due)) = found else { return Ok(None) };
        let Some(status) = status_of(code) else { return Ok(None) };
        if status != TaskStatus::Pending {
            return Ok(Some(Position::new(status, None)));
        }
        let step = row::micros(self.shared.settings().rank_step.get());
        let mut count = self.db.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM ddd_task WHERE status = 0 AND queue = ?1 AND priority = ?2 \
             AND (due, id) < (?3, ?4) LIMIT ?5)",
        )?;
        let mut ahead = 0;
        for lane in priorities(&self.db, queue)? {
            let levels = i64::from(lane.get()) - priority;
            // When a task of that lane would have to be due to have the same rank.
            let same = due.saturating_add(step.saturating_mul(levels));
            ahead +=
                count.query_row(params![queue, lane.get(), same, id_bytes(id), most], |row| row.get::<_, usize>(0))?;
            if ahead >= most {
                break;
            }
        }
        Ok(Some(Position::new(status, Some(ahead.min(most)))))
    }

    pub(super) fn queue_states(&self) -> Outcome<Vec<QueueState>> {
        let mut find = self.db.prepare_cached("SELECT number, name, settings, paused FROM ddd_queue ORDER BY name")?;
        let queues = find.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, bool>(3)?))
        })?;
        let mut states = Vec::new();
        for queue in queues {
            let (number, name, settings, paused) = queue?;
            let settings = super::names::settings_of(&settings)?;
            let (counts, oldest) = (self.counts(number)?, self.oldest_due(number)?);
            states.push(QueueState::new(Name::from(name), settings, paused, counts, oldest));
        }
        Ok(states)
    }

    fn counts(&self, queue: i64) -> Outcome<Counts> {
        let mut find = self
            .db
            .prepare_cached("SELECT what, sum(n) FROM ddd_tally WHERE queue = ?1 AND what < 10 GROUP BY what")?;
        let rows = find.query_map([queue], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let mut counts = Counts::default();
        for row in rows {
            let (code, count) = row?;
            if let Some(status) = status_of(code) {
                counts.add_many(status, u64::try_from(count).unwrap_or_default());
            }
        }
        Ok(counts)
    }

    /// When the oldest ready task of a queue became due: the oldest of each priority is looked at.
    fn oldest_due(&self, queue: i64) -> Outcome<Option<Timestamp>> {
        let mut first = self.db.prepare_cached(
            "SELECT due FROM ddd_task WHERE status = 0 AND queue = ?1 AND priority = ?2 ORDER BY due LIMIT 1",
        )?;
        let mut oldest: Option<Timestamp> = None;
        for lane in priorities(&self.db, queue)? {
            let due = first.query_row(params![queue, lane.get()], |row| row.get(0)).optional()?.map(time);
            oldest = oldest.into_iter().chain(due).min();
        }
        Ok(oldest)
    }

    pub(super) fn worker_states(&self) -> Outcome<Vec<WorkerState>> {
        let mut find = self.db.prepare_cached(
            "SELECT id, host, queues, known, slots, started_at, seen_at FROM ddd_worker WHERE alive_until > ?1",
        )?;
        let mut rows = find.query([self.shared.tick().as_micros()])?;
        let mut states = Vec::new();
        while let Some(row) = rows.next()? {
            let (queues, known) = (row.get::<_, String>(2)?, row.get::<_, String>(3)?);
            let (queues, known) = (json_of(&queues)?, json_of(&known)?);
            let declaration = Declaration::new(
                worker_of(row.get(0)?),
                row.get(1)?,
                queues,
                known,
                row.get(4)?,
                std::time::Duration::ZERO,
            );
            let mut state = WorkerState::of(&declaration, time(row.get(5)?));
            state.seen_at = time(row.get(6)?);
            states.push(state);
        }
        let mut find = self
            .db
            .prepare_cached("SELECT worker, count(*) FROM ddd_task WHERE lease_until IS NOT NULL GROUP BY worker")?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let worker = row.get::<_, Option<[u8; 16]>>(0)?.map(worker_of);
            if let Some(state) = states.iter_mut().find(|it| Some(it.id) == worker) {
                state.running = row.get(1)?;
            }
        }
        Ok(states)
    }
}

/// A record as it is shown at `now`: an expired result is gone, even if upkeep has not met it yet.
fn shown(mut record: TaskRecord, now: Timestamp) -> TaskRecord {
    if record.result_until.is_some_and(|it| it <= now) {
        record.result = None;
    }
    record
}
