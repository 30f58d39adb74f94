use super::{error::Outcome, keys::unique, row::Row, session::Session};
use crate::{
    domain::{Fence, TaskRecord, TaskStatus, Timestamp, Until},
    infrastructure::sql::{Departures, SUBMITTED, status_code},
    ports::{Due, Enqueued, NewTask},
};

/// The instant that `due` means at `now`.
pub(super) fn due_at(due: Due, now: Timestamp) -> Timestamp {
    match due {
        Due::Now => now,
        Due::In(delay) => now.after(delay),
        Due::At(at) => at,
    }
}

impl Session<'_> {
    pub(super) fn enqueue_all(&mut self, tasks: &[NewTask]) -> Outcome<Vec<Enqueued>> {
        tasks.iter().map(|it| self.enqueue(it, true)).collect()
    }

    /// Stores a new task, unless something stands against it. A queue that takes no more does so only if `is_bounded`.
    pub(super) fn enqueue(&mut self, task: &NewTask, is_bounded: bool) -> Outcome<Enqueued> {
        let key = task.idempotency.as_deref();
        if let Some(key) = key
            && let Some(answer) = self.said_before(key, task.id)?
        {
            return Ok(answer);
        }
        let answer = self.enqueue_once(task, is_bounded)?;
        if let Some(key) = key {
            self.remember(key, task.id, &answer)?;
        }
        Ok(answer)
    }

    fn enqueue_once(&mut self, task: &NewTask, is_bounded: bool) -> Outcome<Enqueued> {
        let queue = self.memory.names.queue(self.db, &task.queue)?;
        let max_depth = self.queue(queue)?.settings.max_depth.filter(|_| is_bounded);
        let unique = unique(task);
        // Whether the same was stored before is asked first; where nothing else is asked, its insertion tells.
        if (unique.is_some() || max_depth.is_some()) && self.status(task.id)?.is_some() {
            return Ok(Enqueued::AlreadyCreated);
        }
        if let Some((key, _)) = unique
            && let Some(holder) = self.unique_holder(key)?
        {
            return Ok(Enqueued::Duplicate(holder));
        }
        if let Some(max) = max_depth
            && self.memory.tallies.queued(self.db, queue)? >= max
        {
            let now = self.now();
            let departures = self.memory.departures.get(&queue);
            let retry_after =
                departures.map_or_else(|| Departures::default().retry_after(now), |it| it.retry_after(now));
            return Ok(Enqueued::Full { retry_after });
        }
        let mut row = self.new_row(task, queue)?;
        let status = self.status_when_ready(&mut row)?;
        row.record.status = status;
        if !row.insert(self.db)? {
            return Ok(Enqueued::AlreadyCreated);
        }
        if let Some((key, until)) = unique {
            self.take_unique(key, until, task.id)?;
        }
        let now = self.now();
        self.memory.fx.record(&row.record, None, now);
        self.memory.tallies.add(row.place(), SUBMITTED, 1);
        self.memory.tallies.add(row.place(), status_code(status), 1);
        match status {
            TaskStatus::Pending => self.ready(queue, 1)?,
            TaskStatus::Delayed => self.ready(queue, 0)?,
            _ => {}
        }
        if let Some(watcher) = &task.watcher {
            self.memory.fx.watchers.push((task.id, watcher.clone()));
        }
        Ok(Enqueued::Created(status))
    }

    fn new_row(&mut self, task: &NewTask, queue: i64) -> Outcome<Row> {
        let now = self.now();
        let kind = self.memory.names.kind(self.db, &task.name, task.version)?;
        let mut record = TaskRecord::new(task.id, task.name.clone(), task.queue.clone(), task.params.clone(), now);
        record.version = task.version;
        record.priority = task.priority;
        record.due = due_at(task.due, now);
        record.max_attempts = task.max_attempts;
        record.timeout = task.timeout;
        record.label.clone_from(&task.label);
        let frees_unique = unique(task).is_some_and(|(_, until)| until == Until::Finished);
        Ok(Row { record, queue, kind, ended: Fence::default(), holds_permit: false, frees_unique })
    }
}
