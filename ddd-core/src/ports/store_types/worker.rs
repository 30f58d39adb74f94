//! Who works: signs of life, and what each worker knows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Fence, Name, TaskId, TaskStatus, Timestamp, WorkerId};

/// A worker's sign of life.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Heartbeat {
    /// Who.
    pub worker: WorkerId,
    /// What it holds and wants to keep.
    pub held: Vec<Held>,
    /// For how long from now.
    pub lease: Duration,
}

impl Heartbeat {
    /// A sign of life.
    #[must_use]
    pub const fn new(worker: WorkerId, held: Vec<Held>, lease: Duration) -> Self {
        Self { worker, held, lease }
    }
}

/// A claim that a worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a claim is exactly these two")]
pub struct Held {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
}

/// What upkeep did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reaped {
    /// Which tasks reached a terminal status, and which.
    pub ended: Vec<(TaskId, TaskStatus)>,
    /// How many tasks were taken back from workers whose lease ran out.
    pub recovered: usize,
    /// How many finished records were dropped.
    pub pruned: usize,
    /// Whether a bound was reached and there is more to do.
    pub more: bool,
}

/// What a worker says of itself at start-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Declaration {
    /// Who.
    pub worker: WorkerId,
    /// The host and process, for people to read.
    pub host: String,
    /// Which queues it serves.
    pub queues: Vec<Name>,
    /// What it can run.
    pub known: Vec<KnownTask>,
    /// How many bodies it runs at once.
    pub slots: usize,
    /// For how long from now it counts as alive, unless it gives a sign of life.
    pub lease: Duration,
}

impl Declaration {
    /// A declaration.
    #[must_use]
    pub const fn new(
        worker: WorkerId,
        host: String,
        queues: Vec<Name>,
        known: Vec<KnownTask>,
        slots: usize,
        lease: Duration,
    ) -> Self {
        Self { worker, host, queues, known, slots, lease }
    }
}

/// A definition that a worker can run, for all versions up to its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "what a worker claims by is exactly these two")]
pub struct KnownTask {
    /// The name.
    pub name: Name,
    /// The highest version.
    pub version: u32,
}

/// A worker that is alive.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WorkerState {
    /// Who.
    pub id: WorkerId,
    /// The host and process.
    pub host: String,
    /// Which queues it serves.
    pub queues: Vec<Name>,
    /// What it can run.
    pub known: Vec<KnownTask>,
    /// How many bodies it runs at once.
    pub slots: usize,
    /// How many it holds.
    pub running: usize,
    /// When it was first seen.
    pub started_at: Timestamp,
    /// Its last sign of life.
    pub seen_at: Timestamp,
}

impl WorkerState {
    /// What is known of the worker that declared itself so at `now`.
    #[must_use]
    pub fn of(declaration: &Declaration, now: Timestamp) -> Self {
        Self {
            id: declaration.worker,
            host: declaration.host.clone(),
            queues: declaration.queues.clone(),
            known: declaration.known.clone(),
            slots: declaration.slots,
            running: 0,
            started_at: now,
            seen_at: now,
        }
    }
}
