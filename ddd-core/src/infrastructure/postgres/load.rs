//! Rows between the tables and a session.

use sqlx::Row as _;

use super::{
    error::{Outcome, corrupt},
    numbers::ids_of,
    row::{Row, changed_columns, changing_columns, kept_columns},
    session::Session,
};
use crate::domain::TaskId;

/// Whom to leave out when rows are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// Rows that others hold are waited for.
    Wait,
    /// Rows that others hold are left out.
    Skip,
}

/// At least so many of those that wait for a key are read.
const WAITING: usize = 8;

impl Session<'_> {
    /// Loads tasks that have not ended, and locks them; their concurrency keys first.
    pub(super) async fn load(&mut self, ids: &[TaskId], locked: Locked) -> Outcome<()> {
        let mut wanted = ids.to_vec();
        let text = "SELECT DISTINCT concurrency_key FROM ddd.task WHERE id = ANY($1) AND concurrency_key IS NOT NULL";
        wanted.extend(self.lock_keys_of(text, ids).await?);
        self.load_rows(wanted, locked).await
    }

    /// Locks the concurrency keys of tasks that have ended. Answers with those that wait for them: their rows are to be loaded.
    pub(super) async fn lock_keys_of_past(&mut self, ids: &[TaskId]) -> Outcome<Vec<TaskId>> {
        let text =
            "SELECT DISTINCT concurrency_key FROM ddd.history WHERE id = ANY($1) AND concurrency_key IS NOT NULL";
        self.lock_keys_of(text, ids).await
    }

    async fn lock_keys_of(&mut self, text: &'static str, ids: &[TaskId]) -> Outcome<Vec<TaskId>> {
        let keys: Vec<Vec<u8>> =
            sqlx::query_scalar(self.core.texts.of(text)).bind(ids_of(ids)).fetch_all(&mut *self.conn).await?;
        let keys = keys.iter().map(|it| String::from_utf8_lossy(it)).collect::<Vec<_>>();
        let keys = keys.iter().map(|it| &**it).collect::<Vec<_>>();
        self.lock_keys(&keys, ids.len() + WAITING).await
    }

    /// The same without a look at keys. What is loaded has no parameters.
    pub(super) async fn load_rows(&mut self, mut ids: Vec<TaskId>, locked: Locked) -> Outcome<()> {
        ids.retain(|it| !self.rows.contains_key(it));
        if ids.is_empty() {
            return Ok(());
        }
        let wait = concat!("SELECT ", changing_columns!(), " FROM ddd.task WHERE id = ANY($1) ORDER BY id FOR UPDATE");
        let skip = concat!(
            "SELECT ",
            changing_columns!(),
            " FROM ddd.task WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED"
        );
        let text = if locked == Locked::Skip { skip } else { wait };
        self.read(text, &ids, false).await
    }

    /// Loads tasks that have ended, and locks them.
    pub(super) async fn load_past(&mut self, ids: &[TaskId]) -> Outcome<()> {
        let ids = ids.iter().copied().filter(|it| !self.rows.contains_key(it)).collect::<Vec<_>>();
        if ids.is_empty() {
            return Ok(());
        }
        let text =
            concat!("SELECT ", changing_columns!(), " FROM ddd.history WHERE id = ANY($1) ORDER BY id FOR UPDATE");
        self.read(text, &ids, true).await
    }

    async fn read(&mut self, text: &'static str, ids: &[TaskId], is_past: bool) -> Outcome<()> {
        let found = sqlx::query(self.core.texts.of(text)).bind(ids_of(ids)).fetch_all(&mut *self.conn).await?;
        let mut numbers = Vec::with_capacity(found.len());
        for row in &found {
            numbers.push((row.try_get::<i32, _>(2)?, row.try_get::<i32, _>(3)?));
        }
        if !self.core.names.hold(numbers.iter().map(|it| it.0), numbers.iter().map(|it| it.1)) {
            self.core.names.read(self.conn, &self.core.texts).await?;
        }
        for row in &found {
            let row = Row::read(row, &self.core.names, is_past)?;
            self.rows.insert(row.record.id, row);
        }
        Ok(())
    }

    /// Writes everything that has changed.
    pub(super) async fn save(&mut self) -> Outcome<()> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let (mut stay, mut end, mut begin) = (Vec::new(), Vec::new(), Vec::new());
        for id in std::mem::take(&mut self.changed) {
            let Some(row) = self.rows.get(&id) else { continue };
            let saved = row.saved(self.settings.rank_step)?;
            match (row.is_past, row.is_over()) {
                (false, false) => stay.push((id, saved)),
                (false, true) => end.push((id, saved)),
                (true, false) => begin.push((id, saved)),
                (true, true) => return Err(corrupt("a task that has ended cannot change")),
            }
        }
        self.write(UPDATE, &stay).await?;
        self.write(END, &end).await?;
        self.write(BEGIN, &begin).await?;
        let dropped = std::mem::take(&mut self.dropped);
        if !dropped.is_empty() {
            let text = "DELETE FROM ddd.history WHERE id = ANY($1)";
            sqlx::query(self.core.texts.of(text)).bind(ids_of(&dropped)).execute(&mut *self.conn).await?;
        }
        let freed = std::mem::take(&mut self.freed);
        if !freed.is_empty() {
            let text = "DELETE FROM ddd.unique_key u USING unnest($1::bytea[], $2::uuid[]) f(key, task) \
                        WHERE u.key = ANY($1) AND u.key = f.key AND u.task = f.task AND u.until IS NULL";
            sqlx::query(self.core.texts.of(text))
                .bind(freed.iter().map(|it| it.0.as_bytes()).collect::<Vec<_>>())
                .bind(freed.iter().map(|it| *it.1.as_uuid()).collect::<Vec<_>>())
                .execute(&mut *self.conn)
                .await?;
        }
        self.tallies.flush(self.conn, &self.core.texts, self.now).await
    }

    async fn write(&mut self, text: &'static str, rows: &[(TaskId, super::row::Saved)]) -> Outcome<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let ids = rows.iter().map(|it| it.0).collect::<Vec<_>>();
        let rows = rows.iter().map(|it| &it.1).collect::<Vec<_>>();
        let json = crate::infrastructure::sql::json_text(&rows)?;
        sqlx::query(self.core.texts.of(text)).bind(ids_of(&ids)).bind(json).execute(&mut *self.conn).await?;
        Ok(())
    }
}

/// Writes all that can have changed of tasks that have not ended. They are looked for by their ids, so that no plan reads the
/// whole table.
const UPDATE: &str = "UPDATE ddd.task t SET status = r.status, priority = r.priority, rank = r.rank, due = r.due, run = r.run, \
    attempt = r.attempt, crashes = r.crashes, fence = r.fence, ended = r.ended, started_at = r.started_at, \
    finished_at = r.finished_at, lease_until = r.lease_until, result_until = r.result_until, worker = r.worker, \
    cancel_requested = r.cancel_requested, still_running = r.still_running, permit = r.permit, alone = r.alone, \
    errors = r.errors, progress = r.progress, result = r.result \
    FROM json_populate_recordset(NULL::ddd.task, $2::text::json) r WHERE t.id = ANY($1) AND t.id = r.id";

/// Moves rows from one table to the other. What no change touches stays on the server. All columns are named: a later version of the
/// tables may have more, which keep their defaults then.
macro_rules! moving {
    ($from:literal, $into:literal) => {
        concat!(
            "WITH gone AS (DELETE FROM ",
            $from,
            " WHERE id = ANY($1) RETURNING ",
            kept_columns!(),
            ") INSERT INTO ",
            $into,
            " (",
            kept_columns!(),
            ", ",
            changed_columns!(),
            ") SELECT ",
            kept_columns!(),
            ", ",
            changed_columns!(),
            " FROM gone JOIN (SELECT id AS key, ",
            changed_columns!(),
            " FROM json_populate_recordset(NULL::ddd.task, $2::text::json)) r ON r.key = gone.id"
        )
    };
}

const END: &str = concat!(moving!("ddd.task", "ddd.history"), " ON CONFLICT (id) DO NOTHING");

const BEGIN: &str = moving!("ddd.history", "ddd.task");
