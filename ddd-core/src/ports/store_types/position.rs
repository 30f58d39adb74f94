//! Where a task is in its queue.

use crate::domain::TaskStatus;

/// Where a task is in its life, and in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// Its status.
    pub status: TaskStatus,
    /// If it is pending: how many pending tasks of its queue are handed out before it, as far as was counted. `None` in
    /// every other status.
    pub ahead: Option<usize>,
}

impl Position {
    /// A position.
    #[must_use]
    pub const fn new(status: TaskStatus, ahead: Option<usize>) -> Self {
        Self { status, ahead }
    }
}
