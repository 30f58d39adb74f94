use super::{
    effects::Effects,
    entry::{due_at, priority_index},
    state::State,
};
use crate::{
    domain::{AttemptError, FailureKind, Name, Priority, TaskId, TaskStatus, Timestamp, Until},
    ports::{Control, Controlled, Due, Signal},
};

impl State {
    pub(super) fn control(&mut self, command: Control, now: Timestamp, fx: &mut Effects) -> Vec<Controlled> {
        match command {
            Control::Cancel { ids, reason } => {
                self.for_each(&ids, fx, |state, key, fx| state.cancel(key, &reason, now, fx))
            }
            Control::Retry { ids } => self.for_each(&ids, fx, |state, key, fx| state.retry(key, now, fx)),
            Control::Reprioritise { ids, priority, due } => {
                self.for_each(&ids, fx, |state, key, fx| state.reprioritise(key, priority, due, now, fx))
            }
            Control::Delete { ids } => self.for_each(&ids, fx, Self::delete),
            Control::Pause { queue } => self.pause(&queue, true, fx),
            Control::Resume { queue } => self.pause(&queue, false, fx),
        }
    }

    /// `change` of each task; it answers with the status that it refuses, or with the answer.
    fn for_each(
        &mut self,
        ids: &[TaskId],
        fx: &mut Effects,
        mut change: impl FnMut(&mut Self, u32, &mut Effects) -> Option<Controlled>,
    ) -> Vec<Controlled> {
        let answer = |id: &TaskId| {
            let Some(key) = self.entries.find(*id) else { return Controlled::Unknown };
            let status = self.entries.at(key).record.status;
            change(self, key, fx).unwrap_or(Controlled::Refused(status))
        };
        ids.iter().map(answer).collect()
    }

    fn cancel(&mut self, key: u32, reason: &str, now: Timestamp, fx: &mut Effects) -> Option<Controlled> {
        let record = &mut self.entries.at_mut(key).record;
        let error = || AttemptError::new(FailureKind::Cancelled, reason.to_owned());
        if record.status == TaskStatus::Running {
            let (id, fence) = (record.id, record.fence);
            if !std::mem::replace(&mut record.cancel_requested, true) {
                self.note_error(key, error(), now);
            }
            fx.signal(Signal::Cancel { id, fence });
            return Some(Controlled::Requested { fence });
        }
        if record.status.is_terminal() {
            return None;
        }
        self.leave(key, fx);
        self.note_error(key, error(), now);
        self.entries.at_mut(key).record.finished_at = Some(now);
        self.arrive(key, TaskStatus::Cancelled, now, fx);
        Some(Controlled::Applied(self.entries.at(key).record.status))
    }

    /// Begins a new run of a finished task. It takes its unique key again if that is free, and runs without it if not.
    fn retry(&mut self, key: u32, now: Timestamp, fx: &mut Effects) -> Option<Controlled> {
        let record = &self.entries.at(key).record;
        if !record.status.is_terminal() || record.still_running {
            return None;
        }
        self.leave(key, fx);
        self.drop_result(key, fx);
        let seq = self.next_seq();
        let entry = self.entries.at_mut(key);
        entry.seq = seq;
        let record = &mut entry.record;
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
        record.result_until = None;
        if entry.frees_unique
            && let Some(name) = record.label.as_ref().and_then(|it| it.unique_key.as_deref())
            && self.uniques.holder(name, now).is_none()
        {
            self.uniques.take(name, Until::Finished, record.id, seq, now);
        }
        self.arrive_when_ready(key, now, fx);
        Some(Controlled::Applied(self.entries.at(key).record.status))
    }

    fn reprioritise(
        &mut self,
        key: u32,
        priority: Option<Priority>,
        due: Option<Due>,
        now: Timestamp,
        fx: &mut Effects,
    ) -> Option<Controlled> {
        let status = self.entries.at(key).record.status;
        if !status.is_queued() {
            return None;
        }
        self.leave(key, fx);
        let entry = self.entries.at_mut(key);
        let before = entry.priority_index();
        entry.record.priority = priority.unwrap_or(entry.record.priority);
        entry.record.due = due.map_or(entry.record.due, |it| due_at(it, now));
        let after = priority_index(entry.record.priority);
        let is_late = entry.record.due <= now;
        self.priorities[before].remove(status);
        self.priorities[after].add(status);
        match status {
            // What nobody knows stays parked; a retry that is still to come stays one.
            TaskStatus::Parked => self.place(key, now, fx),
            TaskStatus::Retrying | TaskStatus::Delayed if !is_late => self.place(key, now, fx),
            // It keeps its place in the line for its key, unless it is put off.
            TaskStatus::Blocked if is_late => {
                self.place(key, now, fx);
            }
            _ => {
                let to = self.status_when_ready(key, now);
                if to == status { self.place(key, now, fx) } else { self.arrive(key, to, now, fx) }
            }
        }
        Some(Controlled::Applied(self.entries.at(key).record.status))
    }

    fn delete(&mut self, key: u32, fx: &mut Effects) -> Option<Controlled> {
        let record = &self.entries.at(key).record;
        if !record.status.is_terminal() || record.still_running {
            return None;
        }
        let status = record.status;
        self.remove_finished(key, fx);
        Some(Controlled::Applied(status))
    }

    /// Drops the record of a finished task.
    pub(super) fn remove_finished(&mut self, key: u32, fx: &mut Effects) {
        self.leave(key, fx);
        let entry = self.entries.at(key);
        fx.dropped_json.extend(self.results.remove(entry.result));
        let status = entry.record.status;
        self.kinds.at_mut(entry.kind).now.remove(status);
        self.queues.at_mut(entry.queue).counts.remove(status);
        self.priorities[entry.priority_index()].remove(status);
        fx.dropped_entries.extend(self.entries.remove(key));
    }

    fn pause(&mut self, name: &Name, paused: bool, fx: &mut Effects) -> Vec<Controlled> {
        let number = self.queues.intern(name);
        let queue = self.queues.at_mut(number);
        queue.paused = paused;
        if !paused && queue.ready() > 0 {
            fx.ready(number, queue.ready());
        }
        Vec::new()
    }
}
