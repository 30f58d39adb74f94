use std::collections::{HashMap, HashSet};

use sqlx::Row as _;
use uuid::Uuid;

use super::{
    error::Outcome,
    insert::unique,
    numbers::{id_of, ids_of, status},
    session::Session,
};
use crate::{
    domain::{TaskId, TaskStatus, Timestamp, Until},
    ports::NewTask,
};

/// Who holds the unique keys of a batch, which are locked.
#[derive(Debug, Default)]
pub(super) struct Uniques {
    holders: HashMap<String, TaskId>,
    /// Those that are taken in this transaction.
    taken: Vec<(String, TaskId, Option<i64>)>,
    /// Where the holders are.
    statuses: HashMap<TaskId, TaskStatus>,
}

impl Uniques {
    pub(super) fn holder(&self, key: &str) -> Option<TaskId> {
        self.holders.get(key).copied()
    }

    /// Where a holder is; one of this batch is ready.
    pub(super) fn status(&self, holder: TaskId) -> Option<TaskStatus> {
        let is_new = || self.taken.iter().any(|it| it.1 == holder).then_some(TaskStatus::Pending);
        self.statuses.get(&holder).copied().or_else(is_new)
    }

    /// Takes a key that is free.
    pub(super) fn take(&mut self, key: &str, until: Until, id: TaskId, now: Timestamp) {
        let until = match until {
            Until::Elapsed(duration) => Some(now.after(duration).as_micros()),
            Until::Finished => None,
        };
        self.holders.insert(key.to_owned(), id);
        self.taken.push((key.to_owned(), id, until));
    }
}

impl Session<'_> {
    /// Who holds the unique keys of these tasks.
    pub(super) async fn holders(&mut self, tasks: &[NewTask]) -> Outcome<Uniques> {
        let keys = tasks.iter().filter_map(|it| unique(it).map(|it| it.0)).collect::<HashSet<_>>();
        self.holders_of(&keys).await
    }

    pub(super) async fn holders_of(&mut self, keys: &HashSet<&str>) -> Outcome<Uniques> {
        let mut uniques = Uniques::default();
        if keys.is_empty() {
            return Ok(uniques);
        }
        let keys = keys.iter().map(|it| it.as_bytes()).collect::<Vec<_>>();
        let text = "SELECT key, task FROM ddd.unique_key WHERE key = ANY($1) AND (until IS NULL OR until > $2)";
        let now = self.now.as_micros();
        for row in sqlx::query(self.core.texts.of(text)).bind(keys).bind(now).fetch_all(&mut *self.conn).await? {
            let key = String::from_utf8_lossy(row.try_get(0)?).into_owned();
            uniques.holders.insert(key, id_of(row.try_get(1)?));
        }
        let holders = uniques.holders.values().copied().collect::<Vec<_>>();
        uniques.statuses = self.statuses(&holders).await?;
        Ok(uniques)
    }

    /// Writes what was taken.
    pub(super) async fn take_uniques(&mut self, uniques: &Uniques) -> Outcome<()> {
        if uniques.taken.is_empty() {
            return Ok(());
        }
        // What is overwritten is out of date: the key is locked, and was found free.
        let text = "INSERT INTO ddd.unique_key (key, task, until) SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[]) \
                    ON CONFLICT (key) DO UPDATE SET task = excluded.task, until = excluded.until";
        sqlx::query(self.core.texts.of(text))
            .bind(uniques.taken.iter().map(|it| it.0.as_bytes()).collect::<Vec<_>>())
            .bind(uniques.taken.iter().map(|it| *it.1.as_uuid()).collect::<Vec<_>>())
            .bind(uniques.taken.iter().map(|it| it.2).collect::<Vec<_>>())
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Where tasks are, as far as they are on record.
    pub(super) async fn statuses(&mut self, ids: &[TaskId]) -> Outcome<HashMap<TaskId, TaskStatus>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let text = "SELECT id, status FROM ddd.task WHERE id = ANY($1) \
                    UNION ALL SELECT id, status FROM ddd.history WHERE id = ANY($1)";
        let found = sqlx::query(self.core.texts.of(text)).bind(ids_of(ids)).fetch_all(&mut *self.conn).await?;
        found.iter().map(|row| Ok((id_of(row.try_get::<Uuid, _>(0)?), status(row.try_get(1)?)?))).collect()
    }
}
