//! The life of a task: its statuses, and the one table of legal transitions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a task is in its life.
///
/// ```text
/// delayed ──┐                         ┌──▶ success
/// retrying ─┼──▶ pending ──▶ running ─┼──▶ failed
/// blocked ──┤      │            │     ├──▶ timeout
/// parked ───┘      │            │     └──▶ cancelled
///                  └────────────┴── back to pending when a worker gives it back or dies
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[non_exhaustive]
pub enum TaskStatus {
    /// Ready: a worker may claim it now.
    Pending,
    /// Waits for its due time.
    Delayed,
    /// An attempt failed; waits for the due time of the next one.
    Retrying,
    /// Due, but waits for a permit of its concurrency key.
    Blocked,
    /// No live worker knows its name and version.
    Parked,
    /// A worker holds it.
    Running,
    /// Ended well. Terminal.
    Success,
    /// Ended with an error, and no attempt is left. Terminal.
    Failed,
    /// Was cancelled. Terminal.
    Cancelled,
    /// Its last attempt ran over its timeout. Terminal.
    Timeout,
}

impl TaskStatus {
    /// Every status, in the order of a task's life.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Delayed,
        Self::Retrying,
        Self::Blocked,
        Self::Parked,
        Self::Running,
        Self::Success,
        Self::Failed,
        Self::Cancelled,
        Self::Timeout,
    ];

    /// Whether the run is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Cancelled | Self::Timeout)
    }

    /// Whether the task waits to be claimed, now or later.
    #[must_use]
    pub const fn is_queued(self) -> bool {
        matches!(self, Self::Pending | Self::Delayed | Self::Retrying | Self::Blocked | Self::Parked)
    }

    /// Whether a task may go from here to `next`: the table of legal transitions.
    ///
    /// A terminal status is left only by a new run ([`TaskStatus::Pending`], [`TaskStatus::Delayed`] or
    /// [`TaskStatus::Blocked`], through `retry`).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => {
                matches!(
                    next,
                    Self::Running | Self::Cancelled | Self::Delayed | Self::Blocked | Self::Parked | Self::Failed
                )
            }
            Self::Delayed | Self::Retrying | Self::Blocked => {
                matches!(next, Self::Pending | Self::Blocked | Self::Cancelled | Self::Parked | Self::Delayed)
            }
            Self::Parked => matches!(next, Self::Pending | Self::Blocked | Self::Cancelled | Self::Delayed),
            Self::Running => {
                matches!(
                    next,
                    Self::Success
                        | Self::Failed
                        | Self::Cancelled
                        | Self::Timeout
                        | Self::Retrying
                        | Self::Pending
                        | Self::Delayed
                        | Self::Blocked
                )
            }
            Self::Success | Self::Failed | Self::Cancelled | Self::Timeout => {
                matches!(next, Self::Pending | Self::Delayed | Self::Blocked)
            }
        }
    }

    /// Applies a transition: the only function that gives a task a new status.
    ///
    /// # Errors
    /// The table does not allow it; `self` is unchanged.
    pub const fn become_(&mut self, next: Self) -> Result<(), IllegalTransition> {
        if self.may_become(next) {
            *self = next;
            Ok(())
        } else {
            Err(IllegalTransition { from: *self, to: next })
        }
    }

    /// The status as it is written in JSON, SQL and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delayed => "delayed",
            Self::Retrying => "retrying",
            Self::Blocked => "blocked",
            Self::Parked => "parked",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for TaskStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is no status; the statuses are {known}")
        })
    }
}

/// A transition that the table of [`TaskStatus::may_become`] does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a task cannot go from {from} to {to}")]
#[non_exhaustive]
pub struct IllegalTransition {
    /// Where the task is.
    pub from: TaskStatus,
    /// Where it was to go.
    pub to: TaskStatus,
}
