//! What a worker asks for, and what it gets.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use crate::domain::{Fence, Label, Name, Priority, TaskId, TaskRecord, Timestamp, WorkerId};

/// What a worker asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// Who asks. What it knows was declared.
    pub worker: WorkerId,
    /// From which queues, and at most how many from each.
    pub queues: Arc<[(Name, usize)]>,
    /// At most how many in all.
    pub max: usize,
    /// How long the lease is.
    pub lease: Duration,
    /// Whether the worker runs nothing: only then may it be given a task that must run alone.
    pub idle: bool,
}

impl ClaimRequest {
    /// A request.
    #[must_use]
    pub const fn new(worker: WorkerId, queues: Arc<[(Name, usize)]>, max: usize, lease: Duration, idle: bool) -> Self {
        Self { worker, queues, max, lease, idle }
    }
}

/// What a claim answers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Claims {
    /// The tasks, in the order in which they are to start.
    pub tasks: Vec<Claimed>,
    /// How long from now until the next task can become ready by itself; `None` if none is known.
    pub next_in: Option<Duration>,
    /// A task that must run alone waits: the worker should claim nothing until it is idle.
    pub alone_waiting: bool,
    /// The one task of this answer must run alone: the worker should claim nothing until it ends.
    pub alone: bool,
}

/// A task that a worker now holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claimed {
    /// Its identity.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version that it was submitted with.
    pub version: u32,
    /// The queue that it was in.
    pub queue: Name,
    /// Its priority.
    pub priority: Priority,
    /// Its arguments.
    pub params: Arc<RawValue>,
    /// Its run.
    pub run: u32,
    /// The number of this attempt.
    pub attempt: u32,
    /// How many attempts it may have.
    pub max_attempts: u32,
    /// How long this attempt may take.
    pub timeout: Duration,
    /// The number of this claim.
    pub fence: Fence,
    /// When it was due.
    pub due: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// What few tasks have.
    pub label: Option<Box<Label>>,
}

impl Claimed {
    /// What a worker is told about `record`, which it now holds.
    #[must_use]
    pub fn of(record: &TaskRecord, now: Timestamp) -> Self {
        Self {
            id: record.id,
            name: record.name.clone(),
            version: record.version,
            queue: record.queue.clone(),
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
}
