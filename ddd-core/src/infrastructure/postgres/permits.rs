//! Concurrency keys: who holds their permits, and who waits for one.
//!
//! Whoever changes anything about a key holds its lock until the end of the transaction, and takes it before any lock of a row.

use std::collections::VecDeque;

use sqlx::Row as _;

use super::{
    error::Outcome,
    locks::Lock,
    numbers::{id_of, size},
    permit::Permit,
    session::Session,
};
use crate::domain::{Label, TaskId, TaskStatus};

/// How many tasks of its key may be ready or running, as `label` says.
fn limit(label: &Label) -> i64 {
    label.concurrency_limit.max(1).into()
}

impl Session<'_> {
    /// Locks these keys, and reads who holds permits and the first `waiting` of each that wait.
    ///
    /// Answers with those that wait: their rows are to be loaded.
    pub(super) async fn lock_keys(&mut self, keys: &[&str], waiting: usize) -> Outcome<Vec<TaskId>> {
        let keys =
            keys.iter().filter(|it| !self.permits.contains_key(**it)).map(|it| it.as_bytes()).collect::<Vec<_>>();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.lock(keys.iter().map(|it| Lock::Permits(it))).await?;
        let read = "SELECT k, (SELECT count(*) FROM ddd.task t WHERE t.permit AND t.concurrency_key = k), \
                    ARRAY(SELECT t.id FROM ddd.task t WHERE t.status = 3 AND NOT t.permit AND t.concurrency_key = k \
                    ORDER BY t.rank, t.id LIMIT $2) \
                    FROM (SELECT DISTINCT k FROM unnest($1::bytea[]) k) keys";
        let found =
            sqlx::query(self.core.texts.of(read)).bind(&keys).bind(size(waiting)).fetch_all(&mut *self.conn).await?;
        let mut all = Vec::new();
        for row in found {
            let key = String::from_utf8_lossy(row.try_get(0)?).into_owned();
            let waiting: VecDeque<TaskId> = row.try_get::<Vec<uuid::Uuid>, _>(2)?.into_iter().map(id_of).collect();
            all.extend(waiting.iter().copied());
            self.permits.insert(key, Permit { taken: row.try_get(1)?, waiting });
        }
        Ok(all)
    }

    /// Takes a permit, if one is free. The key is locked.
    pub(super) fn take_permit(&mut self, label: &Label) -> bool {
        let Some(key) = &label.concurrency_key else { return true };
        let Some(permit) = self.permits.get_mut(key) else { return false };
        let is_free = permit.taken < limit(label);
        permit.taken += i64::from(is_free);
        is_free
    }

    /// Gives a permit back, and lets in who waits for it.
    pub(super) fn give_back(&mut self, key: &str) -> Outcome<()> {
        if let Some(permit) = self.permits.get_mut(key) {
            permit.taken -= 1;
        }
        self.admit(key)
    }

    /// Lets in who waits for a key, as long as it has permits.
    pub(super) fn admit(&mut self, key: &str) -> Outcome<()> {
        while let Some(next) = self.permits.get_mut(key).and_then(|it| it.waiting.pop_front()) {
            // It may have been taken back meanwhile, in this transaction.
            let Some(mut row) = self.take(next) else { continue };
            if row.record.status != TaskStatus::Blocked {
                self.put_back(row);
                continue;
            }
            let label = row.record.label.take();
            row.holds_permit = label.as_deref().is_some_and(|it| self.take_permit(it));
            row.record.label = label;
            if !row.holds_permit {
                self.put_back(row);
                if let Some(permit) = self.permits.get_mut(key) {
                    permit.waiting.push_front(next);
                }
                return Ok(());
            }
            self.become_(&mut row, TaskStatus::Pending)?;
            self.put(row);
        }
        Ok(())
    }
}
