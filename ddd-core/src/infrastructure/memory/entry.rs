use std::sync::Arc;

use serde_json::value::RawValue;

use super::{results::NO_RESULT, watchers::Watchers};
use crate::domain::{AttemptError, Fence, Label, Progress, TaskRecord, Timestamp};

/// A record with what only this store needs to know about it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: TaskRecord,
    /// The order of arrival: decides between equal ranks, and is never given twice.
    pub(super) seq: u64,
    /// The last claim that its worker ended; zero before the first.
    pub(super) ended: Fence,
    /// Grows whenever it is put into a lane, so that an item that was left behind there is recognised.
    pub(super) ticket: u32,
    /// Where it is among the running, or in the history.
    pub(super) place: u32,
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

impl Entry {
    #[inline(always)]
    pub(super) const fn new(record: TaskRecord, seq: u64, queue: u32, kind: u32) -> Self {
        Self {
            record,
            seq,
            ended: Fence::new(0),
            ticket: 0,
            place: 0,
            queue,
            kind,
            result: NO_RESULT,
            watchers: Watchers::None,
            holds_permit: false,
            frees_unique: false,
        }
    }

    /// Whether it occupies a place among the running: its body runs, or ran over its timeout and was not seen to return.
    pub(super) fn occupies(&self) -> bool {
        self.record.status == crate::domain::TaskStatus::Running || self.record.still_running
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
    result: Option<Arc<RawValue>>,
    label: Option<Box<Label>>,
    progress: Option<Box<Progress>>,
    errors: Vec<AttemptError>,
}

impl From<Entry> for Remains {
    #[inline(always)]
    fn from(entry: Entry) -> Self {
        let TaskRecord { params, result, label, progress, errors, .. } = entry.record;
        Self { params, result, label, progress, errors }
    }
}

/// The index of a priority among all, the least urgent first.
pub(super) fn priority_index(priority: crate::domain::Priority) -> usize {
    usize::from((priority.get() - crate::domain::Priority::MIN.get()).unsigned_abs())
}

/// When something is due, and in which order among equals.
pub(super) type DueOrder = (Timestamp, u64);
