use std::fmt::Write as _;

use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    lines::priorities,
    reader::Reader,
    row::{self, id_bytes, select, time, worker_of},
};
use crate::{
    domain::{Counts, Cursor, Filter, Name, Page, TaskId, TaskRecord, TaskStatus, Timestamp},
    infrastructure::sql::{json_of, status_code, status_of},
    ports::{Declaration, Position, QueueState, WorkerState},
};

/// So many records are looked at before the answer is cut into pages again.
const LOOKED_AT: usize = 512;

impl Reader {
    pub(super) fn get(&mut self, ids: &[TaskId]) -> Outcome<Vec<Option<TaskRecord>>> {
        let now = self.shared.tick();
        ids.iter().map(|id| Ok(self.find(*id)?.map(|it| shown(it, now)))).collect()
    }

    fn find(&mut self, id: TaskId) -> Outcome<Option<TaskRecord>> {
        Ok(row::load(&self.db, &mut self.names, id)?.map(|it| it.record))
    }

    pub(super) fn list(&mut self, filter: &Filter, cursor: Option<Cursor>, limit: usize) -> Outcome<Page<TaskRecord>> {
        let now = self.shared.tick();
        let wanted = limit.saturating_add(1);
        let mut items =
            if filter.ids.is_empty() { self.scan(filter, cursor, wanted)? } else { self.pick(filter, cursor, wanted)? };
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|it| Cursor(it.id));
        Ok(Page::new(items.into_iter().map(|it| shown(it, now)).collect(), next))
    }

    /// Looks only at the ids that the filter names.
    fn pick(&mut self, filter: &Filter, cursor: Option<Cursor>, wanted: usize) -> Outcome<Vec<TaskRecord>> {
        let mut ids = filter.ids.clone();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        let mut items = Vec::new();
        for id in ids.into_iter().filter(|id| cursor.is_none_or(|it| *id < it.0)) {
            items.extend(self.find(id)?.filter(|it| filter.matches(it)));
            if items.len() == wanted {
                break;
            }
        }
        Ok(items)
    }

    /// Looks through the records from the newest to the oldest.
    fn scan(&mut self, filter: &Filter, cursor: Option<Cursor>, wanted: usize) -> Outcome<Vec<TaskRecord>> {
        let Some(condition) = self.condition(filter)? else { return Ok(Vec::new()) };
        let statement = select(&format!("WHERE id < ?1 AND created_at >= ?2{condition} ORDER BY id DESC LIMIT ?3"));
        let since = filter.since.map_or(i64::MIN, Timestamp::as_micros);
        let mut before = cursor.map_or([u8::MAX; 16], |it| id_bytes(it.0));
        let mut items = Vec::new();
        loop {
            let count = LOOKED_AT.min(wanted - items.len());
            let mut seen = 0;
            let mut find = self.db.prepare(&statement)?;
            let mut rows = find.query(params![before, since, count])?;
            while let Some(found) = rows.next()? {
                let record = row::read(found, &self.db, &mut self.names)?.record;
                seen += 1;
                before = id_bytes(record.id);
                if filter.matches(&record) {
                    items.push(record);
                }
            }
            if seen < count || items.len() == wanted {
                return Ok(items);
            }
        }
    }

    /// What of a filter columns can tell; `None` if it means nothing that is there. Only numbers are written into the text.
    fn condition(&self, filter: &Filter) -> Outcome<Option<String>> {
        let mut condition = String::new();
        let listed = |numbers: &[i64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !filter.statuses.is_empty() {
            let codes: Vec<_> = filter.statuses.iter().map(|it| status_code(*it)).collect();
            // The sign keeps the order of ids: an index of one status would have to be sorted.
            let _ = write!(condition, " AND +status IN ({})", listed(&codes));
        }
        if let Some(queue) = &filter.queue {
            let mut find = self.db.prepare_cached("SELECT number FROM ddd_queue WHERE name = ?1")?;
            let number: Option<i64> = find.query_row([queue.as_str()], |row| row.get(0)).optional()?;
            let Some(number) = number else { return Ok(None) };
            let _ = write!(condition, " AND +queue = {number}");
        }
        if filter.name.is_some() || filter.name_prefix.is_some() {
            let mut find = self.db.prepare_cached("SELECT number, name FROM ddd_kind")?;
            let kinds = find.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
            let is_meant = |name: &str| {
                filter.name.as_ref().is_none_or(|it| *it == *name)
                    && filter.name_prefix.as_ref().is_none_or(|it| name.starts_with(it.as_str()))
            };
            let numbers: Vec<_> = kinds.iter().filter(|it| is_meant(&it.1)).map(|it| it.0).collect();
            if numbers.is_empty() {
                return Ok(None);
            }
            let _ = write!(condition, " AND +kind IN ({})", listed(&numbers));
        }
        if filter.tag.is_some() || filter.owner.is_some() {
            condition.push_str(" AND label IS NOT NULL");
        }
        Ok(Some(condition))
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
