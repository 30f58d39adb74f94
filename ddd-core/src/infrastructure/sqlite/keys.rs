//! Unique keys, and keys that limit how many run.

use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    row::{id_bytes, id_of, time},
    session::Session,
};
use crate::{
    domain::{Label, Priority, Rank, TaskId, TaskStatus, Timestamp, Until},
    ports::NewTask,
};

/// The key under which a task is unique, and until when.
pub(super) fn unique(task: &NewTask) -> Option<(&str, Until)> {
    Some((task.label.as_ref()?.unique_key.as_deref()?, task.unique_until?))
}

impl Session<'_> {
    /// Who holds a unique key.
    pub(super) fn unique_holder(&self, key: &str) -> Outcome<Option<TaskId>> {
        let mut find =
            self.db.prepare_cached("SELECT task FROM ddd_unique WHERE key = ?1 AND (until IS NULL OR until > ?2)")?;
        Ok(find.query_row(params![key, self.now().as_micros()], |row| row.get(0)).optional()?.map(id_of))
    }

    /// Takes a unique key that is free.
    pub(super) fn take_unique(&self, key: &str, until: Until, id: TaskId) -> Outcome<()> {
        let until = match until {
            Until::Elapsed(duration) => Some(self.now().after(duration)),
            Until::Finished => None,
        };
        let mut take = self.db.prepare_cached(
            "INSERT INTO ddd_unique (key, task, until) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET task = excluded.task, until = excluded.until",
        )?;
        take.execute(params![key, id_bytes(id), until.map(Timestamp::as_micros)])?;
        Ok(())
    }

    /// The run of `id` ended.
    pub(super) fn free_unique(&self, key: &str, id: TaskId) -> Outcome<()> {
        let mut free =
            self.db.prepare_cached("DELETE FROM ddd_unique WHERE key = ?1 AND task = ?2 AND until IS NULL")?;
        free.execute(params![key, id_bytes(id)])?;
        Ok(())
    }

    /// Whether a further task of the key may be ready or running.
    pub(super) fn has_permit(&self, label: &Label) -> Outcome<bool> {
        let Some(key) = &label.concurrency_key else { return Ok(true) };
        let limit = label.concurrency_limit.max(1);
        let mut count =
            self.db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM ddd_task WHERE permit = ?1 LIMIT ?2)")?;
        let taken: u32 = count.query_row(params![key, limit], |row| row.get(0))?;
        Ok(taken < limit)
    }

    /// Lets in who waits for a permit of `key`, as long as there are any.
    pub(super) fn admit(&mut self, key: &str) -> Outcome<()> {
        while let Some(next) = self.first_waiting(key)? {
            let Some(mut row) = self.load(next)? else { return Ok(()) };
            let Some(label) = &row.record.label else { return Ok(()) };
            if !self.has_permit(label)? {
                return Ok(());
            }
            row.holds_permit = true;
            self.arrive(&mut row, TaskStatus::Pending)?;
        }
        Ok(())
    }

    /// Of those that wait for a permit, the one of the smallest rank. The first of each priority is looked at.
    fn first_waiting(&self, key: &str) -> Outcome<Option<TaskId>> {
        let mut first_of_next = self.db.prepare_cached(
            "SELECT priority, due, id FROM ddd_task WHERE status = 3 AND concurrency_key = ?1 AND priority > ?2 \
             ORDER BY priority, due, id LIMIT 1",
        )?;
        let mut best: Option<(Rank, TaskId)> = None;
        let mut after = i64::from(Priority::MIN.get()) - 1;
        loop {
            let next = first_of_next
                .query_row(params![key, after], |row| Ok((row.get::<_, i8>(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((priority, due, id)) = next else { return Ok(best.map(|it| it.1)) };
            let rank = Rank::new(time(due), Priority::clamped(priority), self.memory.settings.rank_step);
            best = best.into_iter().chain([(rank, id_of(id))]).min();
            after = i64::from(priority);
        }
    }
}
