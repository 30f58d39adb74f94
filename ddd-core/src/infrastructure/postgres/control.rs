use std::collections::HashSet;

use super::{
    enqueue::due_at,
    error::{Outcome, Trouble},
    load::Locked,
    locks::Lock,
    notice::Cancelled,
    numbers::ids_of,
    row::Row,
    session::Session,
    unique::Uniques,
};
use crate::{
    domain::{AttemptError, FailureKind, Label, Name, Priority, TaskId, TaskStatus, Until},
    infrastructure::sql::json_of,
    ports::{Control, Controlled, Due, Signal},
};

/// So many ready tasks are told of when a queue goes on.
const TOLD: i64 = 1_000;

impl Session<'_> {
    pub(super) async fn control(&mut self, command: Control) -> Outcome<Vec<Controlled>> {
        match command {
            Control::Cancel { ids, reason } => {
                self.load(&ids, Locked::Wait).await?;
                self.load_missing(&ids).await?;
                self.find_limited_queues().await?;
                self.for_each(&ids, |session, row| session.cancel(row, &reason))
            }
            Control::Retry { ids } => self.retry_all(&ids).await,
            Control::Reprioritise { ids, priority, due } => {
                self.load(&ids, Locked::Wait).await?;
                self.load_missing(&ids).await?;
                self.for_each(&ids, |session, row| session.reprioritise(row, priority, due))
            }
            Control::Delete { ids } => {
                self.load_rows(ids.clone(), Locked::Wait).await?;
                self.load_missing(&ids).await?;
                Ok(ids.iter().map(|id| self.delete(*id)).collect())
            }
            Control::Pause { queue } => self.pause(&queue, true).await,
            Control::Resume { queue } => self.pause(&queue, false).await,
        }
    }

    /// Loads those of `ids` that have ended; those that have not are loaded.
    async fn load_missing(&mut self, ids: &[TaskId]) -> Outcome<()> {
        let missing = ids.iter().copied().filter(|it| !self.rows.contains_key(it)).collect::<Vec<_>>();
        self.load_past(&missing).await?;
        let missing = missing.into_iter().filter(|it| !self.rows.contains_key(it)).collect::<Vec<_>>();
        // One that began anew between the two looks was in neither place.
        if self.statuses(&missing).await?.is_empty() { Ok(()) } else { Err(Trouble::moved()) }
    }

    /// The unique keys that tasks which have ended take again when they begin anew.
    async fn unique_keys_of_past(&mut self, ids: &[TaskId]) -> Outcome<HashSet<String>> {
        let text = "SELECT label FROM ddd.history WHERE id = ANY($1) AND frees_unique AND label IS NOT NULL";
        let labels: Vec<String> =
            sqlx::query_scalar(self.core.texts.of(text)).bind(ids_of(ids)).fetch_all(&mut *self.conn).await?;
        let keys = labels.iter().map(|it| Ok(json_of::<Label>(it)?.unique_key)).collect::<Outcome<Vec<_>>>()?;
        Ok(keys.into_iter().flatten().collect())
    }

    /// `change` of each task; it answers with nothing if the status does not allow it.
    fn for_each(
        &mut self,
        ids: &[TaskId],
        mut change: impl FnMut(&mut Self, &mut Row) -> Outcome<Option<Controlled>>,
    ) -> Outcome<Vec<Controlled>> {
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(mut row) = self.take(*id) else {
                answers.push(Controlled::Unknown);
                continue;
            };
            let status = row.record.status;
            match change(self, &mut row)? {
                Some(answer) => {
                    self.put(row);
                    answers.push(answer);
                }
                None => {
                    self.put_back(row);
                    answers.push(Controlled::Refused(status));
                }
            }
        }
        Ok(answers)
    }

    fn cancel(&mut self, row: &mut Row, reason: &str) -> Outcome<Option<Controlled>> {
        let error = AttemptError::new(FailureKind::Cancelled, reason.to_owned());
        if row.record.status == TaskStatus::Running {
            let (id, fence) = (row.record.id, row.record.fence);
            if !std::mem::replace(&mut row.record.cancel_requested, true) {
                self.note_error(row, error);
            }
            self.fx.signal(Signal::Cancel { id, fence });
            self.cancelled.extend(row.record.worker.map(|worker| Cancelled { id, fence, worker }));
            return Ok(Some(Controlled::Requested { fence }));
        }
        if row.record.status.is_terminal() {
            return Ok(None);
        }
        self.note_error(row, error);
        row.record.finished_at = Some(self.now);
        self.arrive(row, TaskStatus::Cancelled)?;
        Ok(Some(Controlled::Applied(row.record.status)))
    }

    /// Begins new runs of finished tasks. They take their unique keys again if those are free, and run without them if not.
    async fn retry_all(&mut self, ids: &[TaskId]) -> Outcome<Vec<Controlled>> {
        let keys = self.unique_keys_of_past(ids).await?;
        self.lock(keys.iter().map(|it| Lock::Unique(it))).await?;
        let mut wanted = self.lock_keys_of_past(ids).await?;
        wanted.extend(ids);
        self.load_rows(wanted, Locked::Wait).await?;
        self.load_missing(ids).await?;
        // One that ended just now came after the look at its keys.
        let is_locked = |row: &Row| {
            let has_unique = !row.frees_unique || row.unique_key().is_none_or(|it| keys.contains(it));
            has_unique && row.concurrency_key().is_none_or(|it| self.permits.contains_key(it))
        };
        if !self.rows.values().filter(|it| it.is_past).all(is_locked) {
            return Err(Trouble::moved());
        }
        let mut uniques = self.holders_of(&keys.iter().map(String::as_str).collect::<HashSet<_>>()).await?;
        let answers = self.for_each(ids, |session, row| session.retry(row, &mut uniques))?;
        self.take_uniques(&uniques).await?;
        Ok(answers)
    }

    fn retry(&mut self, row: &mut Row, uniques: &mut Uniques) -> Outcome<Option<Controlled>> {
        if !row.is_past || !row.record.status.is_terminal() {
            return Ok(None);
        }
        let record = &mut row.record;
        record.run += 1;
        record.attempt = 0;
        record.crashes = 0;
        record.cancel_requested = false;
        record.due = self.now;
        record.started_at = None;
        record.finished_at = None;
        record.lease_until = None;
        record.worker = None;
        record.progress = None;
        record.result = None;
        record.result_until = None;
        row.alone = false;
        if row.frees_unique
            && let Some(key) = row.unique_key()
            && uniques.holder(key).is_none()
        {
            uniques.take(key, Until::Finished, row.record.id, self.now);
        }
        self.arrive_when_ready(row)?;
        Ok(Some(Controlled::Applied(row.record.status)))
    }

    fn reprioritise(
        &mut self,
        row: &mut Row,
        priority: Option<Priority>,
        due: Option<Due>,
    ) -> Outcome<Option<Controlled>> {
        let status = row.record.status;
        if !status.is_queued() {
            return Ok(None);
        }
        let before = row.record.priority;
        row.record.priority = priority.unwrap_or(before);
        row.record.due = due.map_or(row.record.due, |it| due_at(it, self.now));
        if row.record.priority != before {
            self.tallies.moved(row, before.get());
        }
        let is_late = row.record.due <= self.now;
        match status {
            // What nobody knows stays parked; a retry that is still to come stays one.
            TaskStatus::Parked => {}
            TaskStatus::Retrying | TaskStatus::Delayed if !is_late => self.fx.ready(&row.record.queue, 0),
            // It keeps its place in the line for its key, unless it is put off.
            TaskStatus::Blocked if is_late => {}
            _ => {
                let to = self.status_when_ready(row);
                if to != status {
                    self.arrive(row, to)?;
                } else if to == TaskStatus::Pending {
                    self.fx.ready(&row.record.queue, 1);
                }
            }
        }
        Ok(Some(Controlled::Applied(row.record.status)))
    }

    fn delete(&mut self, id: TaskId) -> Controlled {
        let Some(row) = self.take(id) else { return Controlled::Unknown };
        let status = row.record.status;
        if !row.is_past {
            self.put_back(row);
            return Controlled::Refused(status);
        }
        self.tallies.went(&row, Some(status), None);
        self.dropped.push(id);
        Controlled::Applied(status)
    }

    async fn pause(&mut self, name: &Name, paused: bool) -> Outcome<Vec<Controlled>> {
        let text = "INSERT INTO ddd.queue (name, paused) VALUES ($1, $2) \
                    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused RETURNING number";
        let number: i32 = sqlx::query_scalar(self.core.texts.of(text))
            .bind(name.as_str())
            .bind(paused)
            .fetch_one(&mut *self.conn)
            .await?;
        if !paused {
            let text = "SELECT count(*) FROM (SELECT FROM ddd.task WHERE status = 0 AND queue = $1 LIMIT $2) ready";
            let ready: i64 =
                sqlx::query_scalar(self.core.texts.of(text)).bind(number).bind(TOLD).fetch_one(&mut *self.conn).await?;
            if ready > 0 {
                self.fx.ready(name, usize::try_from(ready).unwrap_or_default());
            }
        }
        Ok(Vec::new())
    }
}
