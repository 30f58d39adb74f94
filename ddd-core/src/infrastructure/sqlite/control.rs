use rusqlite::params;

use super::{
    enqueue::due_at,
    error::Outcome,
    row::{Row, id_bytes},
    session::Session,
};
use crate::{
    domain::{AttemptError, FailureKind, Name, Priority, TaskId, TaskStatus, Until},
    infrastructure::sql::status_code,
    ports::{Control, Controlled, Due, Signal},
};

impl Session<'_> {
    pub(super) fn control(&mut self, command: &Control) -> Outcome<Vec<Controlled>> {
        match command {
            Control::Cancel { ids, reason } => self.for_each(ids, |this, row| this.cancel(row, reason)),
            Control::Retry { ids } => self.for_each(ids, Self::retry),
            Control::Reprioritise { ids, priority, due } => {
                self.for_each(ids, |this, row| this.reprioritise(row, *priority, *due))
            }
            Control::Delete { ids } => self.for_each(ids, Self::delete),
            Control::Pause { queue } => self.pause(queue, true),
            Control::Resume { queue } => self.pause(queue, false),
        }
    }

    /// `change` of each task; it answers with nothing if the task's status does not allow it.
    fn for_each(
        &mut self,
        ids: &[TaskId],
        mut change: impl FnMut(&mut Self, &mut Row) -> Outcome<Option<Controlled>>,
    ) -> Outcome<Vec<Controlled>> {
        let answer = |id: &TaskId| {
            let Some(mut row) = self.load(*id)? else { return Ok(Controlled::Unknown) };
            let status = row.record.status;
            Ok(change(self, &mut row)?.unwrap_or(Controlled::Refused(status)))
        };
        ids.iter().map(answer).collect()
    }

    fn cancel(&mut self, row: &mut Row, reason: &str) -> Outcome<Option<Controlled>> {
        let error = || AttemptError::new(FailureKind::Cancelled, reason.to_owned());
        let status = row.record.status;
        if status == TaskStatus::Running {
            let (id, fence) = (row.record.id, row.record.fence);
            if !std::mem::replace(&mut row.record.cancel_requested, true) {
                self.note_error(row, error());
                row.save(self.db)?;
            }
            self.memory.fx.signal(Signal::Cancel { id, fence });
            return Ok(Some(Controlled::Requested { fence }));
        }
        if status.is_terminal() {
            return Ok(None);
        }
        self.note_error(row, error());
        row.record.finished_at = Some(self.now());
        self.memory.fx.ended.push((row.record.id, TaskStatus::Cancelled, None));
        self.arrive(row, TaskStatus::Cancelled)?;
        Ok(Some(Controlled::Applied(row.record.status)))
    }

    /// Begins a new run of a finished task. It takes its unique key again if that is free, and runs without it if not.
    fn retry(&mut self, row: &mut Row) -> Outcome<Option<Controlled>> {
        if !row.record.status.is_terminal() || row.record.still_running {
            return Ok(None);
        }
        let now = self.now();
        let record = &mut row.record;
        record.run += 1;
        record.attempt = 0;
        record.crashes = 0;
        record.cancel_requested = false;
        record.due = now;
        record.started_at = None;
        record.finished_at = None;
        record.lease_until = None;
        record.worker = None;
        record.progress = None;
        record.result = None;
        record.result_until = None;
        if row.frees_unique
            && let Some(key) = row.unique_key()
            && self.unique_holder(key)?.is_none()
        {
            self.take_unique(key, Until::Finished, row.record.id)?;
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
        let code = status_code(status);
        self.memory.tallies.add(row.place(), code, -1);
        row.record.priority = priority.unwrap_or(row.record.priority);
        row.record.due = due.map_or(row.record.due, |it| due_at(it, self.now()));
        self.memory.tallies.add(row.place(), code, 1);
        let is_late = row.record.due <= self.now();
        let stays = match status {
            // What nobody knows stays parked; a retry that is still to come stays one.
            TaskStatus::Parked => true,
            TaskStatus::Retrying | TaskStatus::Delayed => !is_late,
            // It keeps its place in the line for its key, unless it is put off.
            TaskStatus::Blocked => is_late,
            _ => false,
        };
        let to = if stays { status } else { self.status_when_ready(row)? };
        if to == status {
            row.save(self.db)?;
            let became_ready = usize::from(status == TaskStatus::Pending);
            self.ready(row.queue, became_ready)?;
        } else {
            self.arrive(row, to)?;
        }
        Ok(Some(Controlled::Applied(row.record.status)))
    }

    fn delete(&mut self, row: &mut Row) -> Outcome<Option<Controlled>> {
        let status = row.record.status;
        if !status.is_terminal() || row.record.still_running {
            return Ok(None);
        }
        self.memory.tallies.add(row.place(), status_code(status), -1);
        let id = id_bytes(row.record.id);
        self.db.prepare_cached("DELETE FROM ddd_task WHERE id = ?1")?.execute([id])?;
        self.db.prepare_cached("DELETE FROM ddd_large WHERE id = ?1")?.execute([id])?;
        Ok(Some(Controlled::Applied(status)))
    }

    fn pause(&mut self, name: &Name, paused: bool) -> Outcome<Vec<Controlled>> {
        let queue = self.memory.names.queue(self.db, name)?;
        let mut set = self.db.prepare_cached("UPDATE ddd_queue SET paused = ?2 WHERE number = ?1")?;
        set.execute(params![queue, paused])?;
        self.memory.queues.remove(&queue);
        if !paused {
            let pending = self.memory.tallies.count(self.db, queue, status_code(TaskStatus::Pending))?;
            if pending > 0 {
                self.ready(queue, usize::try_from(pending).unwrap_or_default())?;
            }
        }
        Ok(Vec::new())
    }
}
