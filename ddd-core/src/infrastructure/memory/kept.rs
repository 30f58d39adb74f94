use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use crate::domain::{
    AttemptError, Fence, Label, Priority, Progress, TaskId, TaskStatus, Timestamp, WorkerId, push_error,
};

/// What is kept of a task: its record, but for names, which the store knows by numbers, and the result, which few tasks have
/// for long. It goes from core to core with each step of a task's life, so every cache line of it counts.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) id: TaskId,
    pub(super) priority: Priority,
    pub(super) params: Arc<RawValue>,
    pub(super) status: TaskStatus,
    pub(super) run: u32,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) crashes: u32,
    pub(super) timeout: Duration,
    pub(super) fence: Fence,
    pub(super) due: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) worker: Option<WorkerId>,
    pub(super) cancel_requested: bool,
    pub(super) still_running: bool,
    pub(super) progress: Option<Box<Progress>>,
    pub(super) result_until: Option<Timestamp>,
    #[allow(clippy::box_collection, reason = "two words less in every record, and few have errors")]
    pub(super) errors: Option<Box<Vec<AttemptError>>>,
    pub(super) label: Option<Box<Label>>,
}

impl Kept {
    /// How long its last attempt took, once it is over.
    pub(super) fn duration(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?))
    }

    pub(super) fn push_error(&mut self, error: AttemptError) {
        push_error(self.errors.get_or_insert_default(), error);
    }
}
