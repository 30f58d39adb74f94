//! What a worker writes about the tasks that it holds.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use crate::domain::{AttemptError, Fence, Progress, TaskId, TaskStatus};

/// The end of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finish {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
    /// How it ended.
    pub end: AttemptEnd,
}

impl Finish {
    /// The end of the attempt that `fence` is of.
    #[must_use]
    pub const fn new(id: TaskId, fence: Fence, end: AttemptEnd) -> Self {
        Self { id, fence, end }
    }
}

/// How an attempt ended. A task that was cancelled while it ran ends as `cancelled`, whatever is reported, except for
/// [`AttemptEnd::Timeout`] with `still_running` and [`AttemptEnd::Stopped`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// It ended well.
    Success {
        /// The result as JSON; `None` stands for `null`.
        result: Option<Arc<RawValue>>,
        /// How long the result is kept.
        ttl: Duration,
    },
    /// It failed, and no attempt follows.
    Failed(AttemptError),
    /// It failed, and another attempt follows after `delay`.
    Retry {
        /// Why.
        error: AttemptError,
        /// How long to wait.
        delay: Duration,
    },
    /// It ran over its timeout, and no attempt follows.
    Timeout {
        /// The reason in words.
        error: AttemptError,
        /// The body could not be stopped: the record says so until [`AttemptEnd::Stopped`].
        still_running: bool,
    },
    /// It ran over its timeout and could not be stopped, and another attempt may follow when it returns: the task stays
    /// `running`, and its record says so.
    Overdue(AttemptError),
    /// It was cancelled.
    Cancelled(AttemptError),
    /// It is to run again after `delay`, as if this attempt had not been.
    Snooze {
        /// How long to wait.
        delay: Duration,
    },
    /// It is given back: ready at once, the attempt not counted, under a new fence.
    Release,
    /// A body that was `still_running` under this fence has returned.
    Stopped,
}

/// What became of a write about a claim.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finished {
    /// It took effect, and this is where the task now is.
    Applied(TaskStatus),
    /// It had taken effect before.
    AlreadyApplied,
    /// The claim is no longer valid; nothing was written.
    Stale,
}

/// How far a running task is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProgressReport {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
    /// How far it is.
    pub progress: Progress,
}

impl ProgressReport {
    /// A report.
    #[must_use]
    pub const fn new(id: TaskId, fence: Fence, progress: Progress) -> Self {
        Self { id, fence, progress }
    }
}
