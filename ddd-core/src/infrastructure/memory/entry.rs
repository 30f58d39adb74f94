use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use super::{kept::Kept, results::NO_RESULT, watchers::Watchers};
use crate::{
    domain::{AttemptError, Fence, Label, Priority, Progress, TaskId, TaskStatus, Timestamp, Until},
    ports::{Due, NewTask, Watcher},
};

/// A task, with what only this store needs to know about it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Kept,
    /// The order of arrival: decides between equal ranks, and is never given twice.
    pub(super) seq: u64,
    /// The last claim that its worker ended; zero before the first.
    pub(super) ended: Fence,
    /// Grows whenever it is put into a lane, so that an item that was left behind there is recognised.
    pub(super) ticket: u32,
    /// Where it is among the running, or in the history.
    pub(super) place: u32,
    /// Where it is in the row of ids.
    pub(super) number: u32,
    pub(super) queue: u32,
    pub(super) kind: u32,
    /// Its place in the list of results, or [`NO_RESULT`].
    pub(super) result: u32,
    /// Who is to be told when its run ends.
    pub(super) watchers: Watchers,
    /// Whether one of the permits of its concurrency key is taken for it.
    pub(super) holds_permit: bool,
    /// Whether the end of its run frees its unique key.
    pub(super) frees_unique: bool,
}

/// What each task has for itself: one cache line, which goes from the submitter's core to that of a worker.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) id: TaskId,
    pub(super) params: Arc<RawValue>,
    pub(super) watcher: Option<Arc<dyn Watcher>>,
    pub(super) at: Timestamp,
}

impl Entry {
    /// The entry of a new task. It is written in one go, because it is large and this is done for every task.
    #[inline(always)]
    pub(super) fn new(task: NewTask, seq: u64, number: u32, queue: u32, kind: u32, now: Timestamp) -> Self {
        let frees_unique = unique(&task).is_some_and(|(_, until)| until == Until::Finished);
        let terms = (task.priority, task.max_attempts, task.timeout);
        let own = Own { id: task.id, params: task.params, watcher: task.watcher, at: now };
        let mut this = Self::plain(own, terms, now, seq, number, queue, kind);
        this.record.due = due_at(task.due, now);
        this.record.label = task.label;
        this.frees_unique = frees_unique;
        this
    }

    /// The entry of a new task that is due at once, and has nothing that few tasks have. Its terms are its priority, how many
    /// attempts it has, and how long each may take.
    #[inline(always)]
    pub(super) fn plain(
        task: Own,
        terms: (Priority, u32, Duration),
        now: Timestamp,
        seq: u64,
        number: u32,
        queue: u32,
        kind: u32,
    ) -> Self {
        let (priority, max_attempts, timeout) = terms;
        let Own { id, params, watcher, .. } = task;
        Self {
            record: Kept {
                id,
                priority,
                params,
                status: TaskStatus::Pending,
                run: 1,
                attempt: 0,
                max_attempts,
                crashes: 0,
                timeout,
                fence: Fence::default(),
                due: now,
                created_at: now,
                started_at: None,
                finished_at: None,
                lease_until: None,
                worker: None,
                cancel_requested: false,
                still_running: false,
                progress: None,
                result_until: None,
                errors: None,
                label: None,
            },
            seq,
            ended: Fence::default(),
            ticket: 0,
            place: 0,
            number,
            queue,
            kind,
            result: NO_RESULT,
            watchers: watcher.map_or(Watchers::None, Watchers::One),
            holds_permit: false,
            frees_unique: false,
        }
    }

    /// Whether it occupies a place among the running: its body runs, or ran over its timeout and was not seen to return.
    pub(super) fn occupies(&self) -> bool {
        self.record.status == TaskStatus::Running || self.record.still_running
    }

    pub(super) fn concurrency_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.concurrency_key.as_deref()
    }

    pub(super) fn priority_index(&self) -> usize {
        priority_index(self.record.priority)
    }
}

/// What is left of a removed entry, to be freed outside the lock. It is much smaller than the entry, which is not moved.
#[derive(Debug)]
#[allow(dead_code, reason = "it is only there to be dropped")]
pub(super) struct Remains {
    params: Arc<RawValue>,
    label: Option<Box<Label>>,
    progress: Option<Box<Progress>>,
    #[allow(clippy::box_collection, reason = "it comes so")]
    errors: Option<Box<Vec<AttemptError>>>,
}

impl From<Entry> for Remains {
    #[inline(always)]
    fn from(entry: Entry) -> Self {
        // All that is to be dropped has a name here, so that the rest need not be moved.
        let Entry { record, watchers, .. } = entry;
        let Kept { params, label, progress, errors, .. } = record;
        drop(watchers);
        Self { params, label, progress, errors }
    }
}

/// The key under which a task is unique, and until when.
pub(super) fn unique(task: &NewTask) -> Option<(&str, Until)> {
    Some((task.label.as_ref()?.unique_key.as_deref()?, task.unique_until?))
}

/// The instant that `due` means at `now`.
pub(super) fn due_at(due: Due, now: Timestamp) -> Timestamp {
    match due {
        Due::Now => now,
        Due::In(delay) => now.after(delay),
        Due::At(at) => at,
    }
}

/// How many priorities there are.
pub(super) const PRIORITIES: usize = (Priority::MAX.get() - Priority::MIN.get() + 1) as usize;

/// The index of a priority among all, the least urgent first.
pub(super) fn priority_index(priority: Priority) -> usize {
    usize::from((priority.get() - Priority::MIN.get()).unsigned_abs())
}

/// When something is due, and in which order among equals.
pub(super) type DueOrder = (Timestamp, u64);
