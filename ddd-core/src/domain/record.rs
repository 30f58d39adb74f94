//! The record of a task: everything that is known about its life.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Fence, Name, Priority, TaskId, TaskStatus, Timestamp, WorkerId, waiting::waits_for};

/// A task, as a store keeps it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TaskRecord {
    /// Its identity.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version of the definition that it was submitted with.
    pub version: u32,
    /// The queue that it waits in.
    pub queue: Name,
    /// How urgent it is.
    pub priority: Priority,
    /// The arguments of its function: a JSON object keyed by parameter name.
    pub params: Arc<RawValue>,
    /// Where it is in its life.
    pub status: TaskStatus,
    /// Counts from 1; a `retry` of a finished task begins the next run.
    pub run: u32,
    /// How many attempts of this run have begun, less those given back. The first attempt is number 1.
    pub attempt: u32,
    /// How many attempts a run may have.
    pub max_attempts: u32,
    /// How many workers died while they ran it.
    pub crashes: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The number of its last claim.
    pub fence: Fence,
    /// When it may start at the earliest.
    pub due: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    /// When its run ended.
    pub finished_at: Option<Timestamp>,
    /// Until when its worker holds it, unless renewed.
    pub lease_until: Option<Timestamp>,
    /// Which worker holds it, or held it last.
    pub worker: Option<WorkerId>,
    /// Whether it was cancelled while it ran, and the body has not ended yet.
    pub cancel_requested: bool,
    /// Whether its body ran over the timeout and could not be stopped: it still occupies its slot.
    pub still_running: bool,
    /// How far it says it is.
    pub progress: Option<Box<Progress>>,
    /// What it returned, as JSON, until [`TaskRecord::result_until`].
    pub result: Option<Arc<RawValue>>,
    /// When the result is dropped.
    pub result_until: Option<Timestamp>,
    /// Why its attempts failed, oldest first; at most [`TaskRecord::MAX_ERRORS`], the newest.
    pub errors: Vec<AttemptError>,
    /// What few tasks have: tags, keys, origin.
    pub label: Option<Box<Label>>,
}

impl TaskRecord {
    /// How many errors a record keeps.
    pub const MAX_ERRORS: usize = 20;

    /// A record that has just been submitted: pending, first run, no attempt yet.
    #[must_use]
    pub fn new(id: TaskId, name: Name, queue: Name, params: Arc<RawValue>, now: Timestamp) -> Self {
        Self {
            id,
            name,
            version: 1,
            queue,
            priority: Priority::default(),
            params,
            status: TaskStatus::Pending,
            run: 1,
            attempt: 0,
            max_attempts: 1,
            crashes: 0,
            timeout: Duration::from_secs(300),
            fence: Fence::default(),
            due: now,
            created_at: now,
            started_at: None,
            finished_at: None,
            lease_until: None,
            worker: None,
            cancel_requested: false,
            still_running: false,
            progress: None,
            result: None,
            result_until: None,
            errors: Vec::new(),
            label: None,
        }
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &[Name] {
        self.label.as_ref().map_or(&[], |it| &it.tags)
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.label.as_ref().map(|it| &it.origin)
    }

    /// How long its last attempt took, once it is over.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?))
    }

    /// What keeps it from being ready, in words for people; `None` if nothing does, or it is over.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        let key = self.label.as_ref().and_then(|it| it.concurrency_key.as_deref());
        waits_for(self.status, self.due, key, (&self.name, self.version))
    }

    /// The newest error.
    #[must_use]
    pub fn last_error(&self) -> Option<&AttemptError> {
        self.errors.last()
    }

    /// Adds an error and drops the oldest ones over the bound. A second report about one attempt (it ran over its time,
    /// then returned) replaces the first.
    pub fn push_error(&mut self, error: AttemptError) {
        push_error(&mut self.errors, error);
    }
}

/// Adds an error of an attempt to those before it, as [`TaskRecord::push_error`] does.
pub(crate) fn push_error(errors: &mut Vec<AttemptError>, error: AttemptError) {
    if errors.last().is_some_and(|it| (it.run, it.attempt) == (error.run, error.attempt)) {
        errors.pop();
    }
    if errors.len() == TaskRecord::MAX_ERRORS {
        errors.remove(0);
    }
    errors.push(error);
}

/// What few tasks have; kept apart so that the many stay small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Label {
    /// Words to find it by.
    pub tags: Vec<Name>,
    /// The key under which it is unique, as `name:key`.
    pub unique_key: Option<String>,
    /// The key whose permits it needs to run, as `name:key`.
    pub concurrency_key: Option<String>,
    /// How many tasks of that key may be ready or running.
    pub concurrency_limit: u32,
    /// Where it came from.
    pub origin: Origin,
    /// Which parameters are shown as `***`.
    pub secrets: Vec<Name>,
}

/// Where a task came from: carried from an HTTP request to its task, its attempts, and the tasks that these submit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Origin {
    /// The request that led to it.
    pub request_id: Option<String>,
    /// The W3C trace context that led to it.
    pub traceparent: Option<String>,
    /// Who submitted it.
    pub owner: Option<String>,
    /// The schedule whose tick it is.
    pub schedule: Option<Name>,
    /// The task whose body submitted it.
    pub parent: Option<TaskId>,
}

impl Origin {
    /// What `before` says, where this says nothing.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            request_id: self.request_id.or(before.request_id),
            traceparent: self.traceparent.or(before.traceparent),
            owner: self.owner.or(before.owner),
            schedule: self.schedule.or(before.schedule),
            parent: self.parent.or(before.parent),
        }
    }
}

/// How far a running task says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// From 0.0 to 1.0.
    pub fraction: f64,
    /// What it is doing.
    pub message: String,
}

impl Progress {
    /// A report; `fraction` is brought into 0.0..=1.0, and a NaN counts as 0.
    #[must_use]
    pub const fn new(fraction: f64, message: String) -> Self {
        let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
        Self { fraction, message }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttemptError {
    /// The run that it was of.
    pub run: u32,
    /// The attempt's number in its run.
    pub attempt: u32,
    /// When it ended.
    pub at: Timestamp,
    /// What sort of end it was.
    pub kind: FailureKind,
    /// The error and its sources, each after a colon; the message of a panic; or the reason in words.
    pub message: String,
}

impl AttemptError {
    /// An error of the given sort. The store fills in run, attempt and time.
    #[must_use]
    pub const fn new(kind: FailureKind, message: String) -> Self {
        Self { run: 0, attempt: 0, at: Timestamp::from_micros(0), kind, message }
    }
}

/// What sort of end an attempt had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The body returned an error.
    Error,
    /// The body, or something that it left behind, panicked.
    Panic,
    /// It ran over its timeout.
    Timeout,
    /// It was cancelled.
    Cancelled,
    /// The parameters do not fit the function.
    Undecodable,
    /// The result cannot be stored: it is too large, or cannot be written as JSON.
    Result,
    /// A dependency could not be made.
    Dependency,
    /// Its worker died.
    Crash,
}
