//! What is submitted, and how it was received.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use crate::{
    domain::{IdempotencyKey, Label, Name, Priority, TaskId, TaskStatus, Timestamp, Until},
    ports::watcher::Watcher,
};

/// A task to be stored, complete: the application has resolved every setting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewTask {
    /// Its identity, made by the submitter so that a repeated call is recognised.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version of the definition.
    pub version: u32,
    /// The queue.
    pub queue: Name,
    /// The priority.
    pub priority: Priority,
    /// The arguments, as a JSON object.
    pub params: Arc<RawValue>,
    /// When it may start.
    pub due: Due,
    /// How many attempts it may have.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// What few tasks have.
    pub label: Option<Box<Label>>,
    /// Who is to be told when its run ends, if the store can.
    pub watcher: Option<Arc<dyn Watcher>>,
    /// Until when a task with the same [`Label::unique_key`] is returned instead. Ignored without a key.
    pub unique_until: Option<Until>,
    /// The key under which this submission is done once. Its fingerprint is set.
    pub idempotency: Option<Box<IdempotencyKey>>,
}

impl NewTask {
    /// A task with the given identity and content, due now, and defaults for the rest.
    #[must_use]
    pub fn new(id: TaskId, name: Name, queue: Name, params: Arc<RawValue>) -> Self {
        Self {
            id,
            name,
            version: 1,
            queue,
            priority: Priority::default(),
            params,
            due: Due::Now,
            max_attempts: 1,
            timeout: Duration::from_secs(300),
            label: None,
            watcher: None,
            unique_until: None,
            idempotency: None,
        }
    }
}

/// When a task may start, on the store's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// At once.
    #[default]
    Now,
    /// After this long.
    In(Duration),
    /// At this time.
    At(Timestamp),
}

/// What became of a new task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is stored, and this is where it is.
    Created(TaskStatus),
    /// It had been stored before, under the same id.
    AlreadyCreated,
    /// A task with its unique key is there; it was not stored.
    Duplicate(TaskId),
    /// It was submitted before under its idempotency key; it was not stored again.
    Replayed {
        /// The task that the first submission led to. It may no longer be on record.
        id: TaskId,
        /// Where that task was when the first submission was answered.
        status: TaskStatus,
    },
    /// Its idempotency key was used for something else; it was not stored.
    KeyReused,
    /// Its queue is full; it was not stored.
    Full {
        /// When there may be room.
        retry_after: Duration,
    },
}
