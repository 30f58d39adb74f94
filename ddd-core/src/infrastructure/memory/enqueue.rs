use super::{effects::Effects, entry::Entry, state::State};
use crate::{
    domain::{TaskRecord, TaskStatus, Timestamp, Until},
    ports::{Due, Enqueued, NewTask},
};

/// A new task as an entry that no lock is needed for yet.
pub(super) struct Prepared {
    entry: Box<Entry>,
    due: Due,
    until: Option<Until>,
}

impl From<NewTask> for Prepared {
    fn from(task: NewTask) -> Self {
        let NewTask { id, name, version, queue, priority, params, due, max_attempts, timeout, label, unique_until } =
            task;
        let mut record = TaskRecord::new(id, name, queue, params, Timestamp::default());
        record.version = version;
        record.priority = priority;
        record.max_attempts = max_attempts;
        record.timeout = timeout;
        record.label = label;
        let until = unique_until.filter(|_| record.label.as_ref().is_some_and(|it| it.unique_key.is_some()));
        Self { entry: Box::new(Entry::new(record)), due, until }
    }
}

/// The instant that `due` means at `now`.
pub(super) fn due_at(due: Due, now: Timestamp) -> Timestamp {
    match due {
        Due::Now => now,
        Due::In(delay) => now.after(delay),
        Due::At(at) => at,
    }
}

impl State {
    /// Stores a new task, unless something stands against it.
    pub(super) fn enqueue(&mut self, task: Prepared, now: Timestamp, fx: &mut Effects) -> Enqueued {
        let Prepared { mut entry, due, until } = task;
        if let Some(refused) = self.refusal(&entry.record, until, 0, now) {
            fx.dropped_entries.push(entry);
            return refused;
        }
        entry.seq = self.next_seq();
        entry.kind = self.kinds.intern(&entry.record.name, entry.record.version);
        entry.queue = self.queues.intern(&entry.record.queue);
        entry.record.created_at = now;
        entry.record.due = due_at(due, now);
        if let Some(until) = until
            && let Some(key) = entry.record.label.as_ref().and_then(|it| it.unique_key.as_deref())
        {
            self.uniques.take(key, until, entry.record.id, entry.seq, now);
            entry.frees_unique = until == Until::Finished;
        }
        let (queue, kind, priority) = (entry.queue, entry.kind, entry.priority_index());
        let key = self.entries.insert(entry);
        let status = self.status_when_ready(key, now);
        let record = &mut self.entries.at_mut(key).record;
        record.status = status;
        fx.record(record, None, now);
        let kind = self.kinds.at_mut(kind);
        kind.submitted += 1;
        kind.now.add(status);
        self.queues.at_mut(queue).counts.add(status);
        self.priorities[priority].add(status);
        self.place(key, now, fx);
        Enqueued::Created(status)
    }

    /// What stands against a new task, if its queue takes `more` others before it.
    fn refusal(&self, record: &TaskRecord, until: Option<Until>, more: usize, now: Timestamp) -> Option<Enqueued> {
        if self.entries.find(record.id).is_some() {
            return Some(Enqueued::AlreadyCreated);
        }
        if let Some(label) = &record.label
            && until.is_some()
            && let Some(holder) = label.unique_key.as_deref().and_then(|it| self.uniques.holder(it, now))
        {
            return Some(Enqueued::Duplicate(holder));
        }
        let queue = self.queues.at(self.queues.find(&record.queue)?);
        queue.is_full(more).then(|| Enqueued::Full { retry_after: queue.retry_after(now) })
    }

    /// What would become of a new task, if its queue took `more` others before it.
    pub(super) fn foresee(&self, task: &NewTask, more: usize, now: Timestamp) -> Enqueued {
        let Prepared { entry, due, until } = Prepared::from(task.clone());
        self.refusal(&entry.record, until, more, now).unwrap_or_else(|| {
            let is_late = due_at(due, now) <= now;
            let has_permit = entry.record.label.as_deref().is_none_or(|it| self.permits.is_free(it));
            Enqueued::Created(match (is_late, has_permit) {
                (false, _) => TaskStatus::Delayed,
                (true, true) => TaskStatus::Pending,
                (true, false) => TaskStatus::Blocked,
            })
        })
    }
}
