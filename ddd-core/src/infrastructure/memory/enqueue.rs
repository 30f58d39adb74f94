use super::{
    effects::Effects,
    entry::{Entry, due_at, priority_index, unique},
    intake::Submitted,
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
        let answer = self.enqueue_plain(task, now, fx);
        if let Some(key) = key {
            self.remember(&key, id, &answer, now);
        }
        answer
    }

    /// Stores what was submitted to the intake: whoever submitted it was told that it is there.
    pub(super) fn sort_in(&mut self, submitted: &mut Submitted, fx: &mut Effects) {
        let (rows, mut tasks) = submitted.drain();
        for (common, count) in rows {
            let queue = self.queues.intern(&common.queue);
            let kind = self.kinds.intern(&common.name, common.version);
            let terms = (common.priority, common.max_attempts, common.timeout);
            for task in tasks.by_ref().take(count) {
                if self.entries.find(task.id).is_some() {
                    // Said twice. Dropped when the lock is free.
                    fx.dropped_json.push(task.params);
                    continue;
                }
                let (now, seq) = (self.tick(task.at), self.next_seq());
                let (id, priority) = (task.id, priority_index(common.priority));
                let make = |number| Entry::plain(task, terms, now, seq, number, queue, kind);
                let key = self.entries.insert(id, priority, make);
                self.begin(key, TaskStatus::Pending, now, fx);
            }
        }
    }

    /// The same for a task without an idempotency key.
    fn enqueue_plain(&mut self, task: NewTask, now: Timestamp, fx: &mut Effects) -> Enqueued {
        let queue = self.queues.find_often(&task.queue);
        if let Some(refused) = self.refusal(&task, queue, 0, now) {
            // Dropped when the lock is free.
            fx.dropped_tasks.push(task);
            return refused;
        }
        let seq = self.next_seq();
        let kind = self.kinds.intern(&task.name, task.version);
        let queue = queue.unwrap_or_else(|| self.queues.add(&task.queue));
        if let Some((key, until)) = unique(&task) {
            self.uniques.take(key, until, task.id, seq, now);
        }
        let (id, priority) = (task.id, priority_index(task.priority));
        let make = |number| Entry::new(task, seq, number, queue, kind, now);
        let key = self.entries.insert(id, priority, make);
        let status = self.status_when_ready(key, now);
        self.begin(key, status, now, fx);
        Enqueued::Created(status)
    }

    /// A new task's life begins in this status.
    fn begin(&mut self, key: u32, status: TaskStatus, now: Timestamp, fx: &mut Effects) {
        self.entries.at_mut(key).record.status = status;
        let entry = self.entries.at(key);
        fx.record(|| self.transition(entry, None, now));
        let kind = self.kinds.at_mut(entry.kind);
        kind.submitted += 1;
        kind.now.add(status);
        self.queues.at_mut(entry.queue).counts.add(status);
        self.priorities[entry.priority_index()].add(status);
        self.place(key, now, fx);
    }

    /// What stands against a new task, if its queue, which may be one that is not known yet, takes `more` others before it.
    fn refusal(&self, task: &NewTask, queue: Option<u32>, more: usize, now: Timestamp) -> Option<Enqueued> {
        if self.entries.find(task.id).is_some() {
            return Some(Enqueued::AlreadyCreated);
        }
        if let Some(holder) = unique(task).and_then(|(key, _)| self.uniques.holder(key, now)) {
            return Some(Enqueued::Duplicate(holder));
        }
        let queue = self.queues.at(queue?);
        queue.is_full(more).then(|| Enqueued::Full { retry_after: queue.retry_after(now) })
    }

    /// What would become of a new task, if its queue took `more` others before it.
    pub(super) fn foresee(&self, task: &NewTask, more: usize, now: Timestamp) -> Enqueued {
        let replayed = task.idempotency.as_deref().and_then(|it| self.idempotency.find(it, task.id, now));
        let queue = self.queues.find(&task.queue);
        replayed.or_else(|| self.refusal(task, queue, more, now)).unwrap_or_else(|| {
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
