//! What others are told of a task, made of what is kept of it.

use super::{entry::Entry, kept::Kept, state::State};
use crate::{
    domain::{Filter, TaskRecord, TaskStatus, TaskSummary, Timestamp, Transition},
    ports::Claimed,
};

impl State {
    /// The transition of a task, as it now is, from `from`.
    #[inline(always)]
    pub(super) fn transition(&self, entry: &Entry, from: Option<TaskStatus>, at: Timestamp) -> Transition {
        let record = &entry.record;
        Transition {
            id: record.id,
            name: self.kinds.at(entry.kind).name.clone(),
            queue: self.queues.at(entry.queue).name.clone(),
            run: record.run,
            attempt: record.attempt,
            fence: record.fence,
            from,
            to: record.status,
            at,
            progress: None,
        }
    }

    /// What a worker is told of a task that it now holds.
    #[inline(always)]
    pub(super) fn claimed(&self, entry: &Entry, now: Timestamp) -> Claimed {
        let (record, kind) = (&entry.record, self.kinds.at(entry.kind));
        Claimed {
            id: record.id,
            name: kind.name.clone(),
            version: kind.version,
            queue: self.queues.at(entry.queue).name.clone(),
            priority: record.priority,
            params: record.params.clone(),
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            timeout: record.timeout,
            fence: record.fence,
            due: record.due,
            created_at: record.created_at,
            started_at: now,
            label: record.label.clone(),
        }
    }

    /// Whether `filter` means a task.
    pub(super) fn means(&self, filter: &Filter, entry: &Entry) -> bool {
        let Kept { id, status, created_at, ref label, .. } = entry.record;
        let names = (&self.kinds.at(entry.kind).name, &self.queues.at(entry.queue).name);
        filter.means(id, status, names, created_at) && filter.means_label(label.as_deref())
    }

    /// The record of a task as it is shown at `now`: an expired result is gone, even if upkeep has not met it yet.
    pub(super) fn shown(&self, entry: &Entry, now: Timestamp) -> TaskRecord {
        let (record, kind) = (&entry.record, self.kinds.at(entry.kind));
        let is_expired = record.result_until.is_some_and(|it| it <= now);
        TaskRecord {
            id: record.id,
            name: kind.name.clone(),
            version: kind.version,
            queue: self.queues.at(entry.queue).name.clone(),
            priority: record.priority,
            params: record.params.clone(),
            status: record.status,
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            crashes: record.crashes,
            timeout: record.timeout,
            fence: record.fence,
            due: record.due,
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            lease_until: record.lease_until,
            worker: record.worker,
            cancel_requested: record.cancel_requested,
            still_running: record.still_running,
            progress: record.progress.clone(),
            result: self.results.get(entry.result).filter(|_| !is_expired).cloned(),
            result_until: record.result_until,
            errors: record.errors.as_deref().cloned().unwrap_or_default(),
            label: record.label.clone(),
        }
    }

    /// The same in short: what is not shown is not copied.
    pub(super) fn summary(&self, entry: &Entry, now: Timestamp) -> TaskSummary {
        let (record, kind) = (&entry.record, self.kinds.at(entry.kind));
        let is_expired = record.result_until.is_some_and(|it| it <= now);
        TaskSummary {
            id: record.id,
            name: kind.name.clone(),
            version: kind.version,
            queue: self.queues.at(entry.queue).name.clone(),
            priority: record.priority,
            status: record.status,
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            crashes: record.crashes,
            timeout: record.timeout,
            fence: record.fence,
            due: record.due,
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            lease_until: record.lease_until,
            worker: record.worker,
            cancel_requested: record.cancel_requested,
            still_running: record.still_running,
            progress: record.progress.clone(),
            has_result: !is_expired && self.results.get(entry.result).is_some(),
            result_until: record.result_until,
            error: record.errors.as_deref().and_then(|it| it.last()).map(TaskSummary::short),
            label: record.label.clone(),
        }
    }
}
