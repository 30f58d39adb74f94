//! A change in a task's life.

use std::sync::Arc;

use serde::Serialize;

use super::{Fence, Name, Progress, TaskId, TaskStatus, Timestamp};

/// A task went from one status to another; or, with both the same, reported progress.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transition {
    /// The task.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The queue that it is in.
    pub queue: Name,
    /// Its run.
    pub run: u32,
    /// Its attempt.
    pub attempt: u32,
    /// The number of its last claim.
    pub fence: Fence,
    /// Where it was; `None` if it has just been submitted.
    pub from: Option<TaskStatus>,
    /// Where it is.
    pub to: TaskStatus,
    /// When it went there.
    pub at: Timestamp,
    /// How far it says it is, if that is what changed.
    pub progress: Option<Arc<Progress>>,
}

impl Transition {
    /// The transition of `record`, as it now is, from `from`.
    #[must_use]
    pub fn of(record: &super::TaskRecord, from: Option<TaskStatus>, at: Timestamp) -> Self {
        Self {
            id: record.id,
            name: record.name.clone(),
            queue: record.queue.clone(),
            run: record.run,
            attempt: record.attempt,
            fence: record.fence,
            from,
            to: record.status,
            at,
            progress: None,
        }
    }

    /// Whether the task's run ended with it.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.to.is_terminal() && self.from != Some(self.to)
    }
}
