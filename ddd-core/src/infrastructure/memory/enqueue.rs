use super::{
    effects::Effects,
    entry::{Entry, due_at, priority_index, unique},
    state::State,
};
use crate::{
    domain::{TaskStatus, Timestamp},
    ports::{Enqueued, NewTask},
};

impl State {
    /// Stores a new task, unless something stands against it.
    pub(super) fn enqueue(&mut self, mut task: NewTask, now: Timestamp, fx: &mut Effects) -> Enqueued {
        let key = task.idempotency.take();
        let id = task.id;
        if let Some(replayed) = key.as_deref().and_then(|it| self.idempotency.find(it, id, now)) {
            fx.dropped_tasks.push(task);
            return replayed;
        }
        let answer = self.enqueue_once(task, now, fx);
        if let Some(key) = key {
            self.remember(&key, id, &answer, now);
        }
        answer
    }

    fn enqueue_once(&mut self, task: NewTask, now: Timestamp, fx: &mut Effects) -> Enqueued {
        if let Some(refused) = self.refusal(&task, 0, now) {
            // Dropped when the lock is free.
            fx.dropped_tasks.push(task);
            return refused;
        }
        let seq = self.next_seq();
        let kind = self.kinds.intern(&task.name, task.version);
        let queue = self.queues.intern(&task.queue);
        if let Some((key, until)) = unique(&task) {
            self.uniques.take(key, until, task.id, seq, now);
        }
        let priority = priority_index(task.priority);
        let key = self.entries.insert(Entry::new(task, seq, queue, kind, now));
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
    fn refusal(&self, task: &NewTask, more: usize, now: Timestamp) -> Option<Enqueued> {
        if self.entries.find(task.id).is_some() {
            return Some(Enqueued::AlreadyCreated);
        }
        if let Some(holder) = unique(task).and_then(|(key, _)| self.uniques.holder(key, now)) {
            return Some(Enqueued::Duplicate(holder));
        }
        let queue = self.queues.at(self.queues.find(&task.queue)?);
        queue.is_full(more).then(|| Enqueued::Full { retry_after: queue.retry_after(now) })
    }

    /// What would become of a new task, if its queue took `more` others before it.
    pub(super) fn foresee(&self, task: &NewTask, more: usize, now: Timestamp) -> Enqueued {
        let replayed = task.idempotency.as_deref().and_then(|it| self.idempotency.find(it, task.id, now));
        replayed.or_else(|| self.refusal(task, more, now)).unwrap_or_else(|| {
            let is_due = due_at(task.due, now) <= now;
            let has_permit = task.label.as_deref().is_none_or(|it| self.permits.is_free(it));
            Enqueued::Created(match (is_due, has_permit) {
                (false, _) => TaskStatus::Delayed,
                (true, true) => TaskStatus::Pending,
                (true, false) => TaskStatus::Blocked,
            })
        })
    }
}
