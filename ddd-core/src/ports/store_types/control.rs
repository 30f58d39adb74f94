//! What users change about tasks and queues.

use super::Due;
use crate::domain::{Fence, Name, Priority, TaskId, TaskStatus};

/// A change on a user's behalf.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Control {
    /// Cancels tasks: the queued at once; the running by a flag that their worker is told of.
    Cancel {
        /// Which.
        ids: Vec<TaskId>,
        /// Why, for the record.
        reason: String,
    },
    /// Begins a new run of finished tasks.
    Retry {
        /// Which.
        ids: Vec<TaskId>,
    },
    /// Gives queued tasks another priority or due time.
    Reprioritise {
        /// Which.
        ids: Vec<TaskId>,
        /// The priority, if it changes.
        priority: Option<Priority>,
        /// The due time, if it changes.
        due: Option<Due>,
    },
    /// Drops the records of finished tasks.
    Delete {
        /// Which.
        ids: Vec<TaskId>,
    },
    /// Stops handing out the tasks of a queue.
    Pause {
        /// The queue.
        queue: Name,
    },
    /// Hands them out again.
    Resume {
        /// The queue.
        queue: Name,
    },
}

/// What became of a change to one task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Controlled {
    /// It took effect, and this is where the task now is; a deleted one, where it was.
    Applied(TaskStatus),
    /// The task is running; its worker is told. It ends as `cancelled`.
    Requested {
        /// The claim that is running.
        fence: Fence,
    },
    /// The task's status does not allow it.
    Refused(TaskStatus),
    /// There is no such task.
    Unknown,
}
