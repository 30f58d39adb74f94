//! A task as it is shown. Times are RFC 3339, durations seconds.

use ddd_core::{AttemptError, Progress, TaskId, TaskRecord, TaskStatus, TaskSummary, Timestamp, WorkerId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::links::Links;
use crate::seconds::Seconds;

/// What a list shows of a task: everything but what may be large.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    task_id: TaskId,
    task_name: &'a str,
    version: u32,
    status: TaskStatus,
    queue: &'a str,
    priority: i8,
    run: u32,
    attempt: u32,
    max_attempts: u32,
    timeout: Seconds,
    due: Timestamp,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration: Option<Seconds>,
    progress: Option<&'a Progress>,
    error: Option<&'a str>,
    worker_id: Option<WorkerId>,
    cancel_requested: bool,
    still_running: bool,
    waits_for: Option<String>,
    tags: Vec<&'a str>,
    unique_key: Option<&'a str>,
    concurrency_key: Option<&'a str>,
    owner: Option<&'a str>,
    request_id: Option<&'a str>,
    traceparent: Option<&'a str>,
    schedule: Option<&'a str>,
    parent_id: Option<TaskId>,
    links: Links<'a>,
}

/// A task's status, and its place in its queue.
#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    #[serde(flatten)]
    pub(crate) summary: Summary<'a>,
    pub(crate) queue_position: Option<usize>,
}

/// All of a task.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    #[serde(flatten)]
    pub(crate) status: Status<'a>,
    params: &'a RawValue,
    result: Option<&'a RawValue>,
    result_until: Option<Timestamp>,
    errors: &'a [AttemptError],
    crashes: u32,
}

/// How a task ended.
#[derive(Debug, Serialize)]
pub(crate) struct Ended<'a> {
    task_id: TaskId,
    task_name: &'a str,
    status: TaskStatus,
    /// `null` if the task returned nothing, or did not succeed.
    result: Option<&'a RawValue>,
    result_until: Option<Timestamp>,
    error: Option<&'a str>,
    errors: &'a [AttemptError],
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration: Option<Seconds>,
    links: Links<'a>,
}

/// What is shown of a record or of its short form, which have the same fields, with this error.
macro_rules! summary {
    ($record:expr, $error:expr, $base:expr) => {{
        let (record, base) = ($record, $base);
        let label = record.label.as_deref();
        let origin = record.origin();
        Summary {
            task_id: record.id,
            task_name: &record.name,
            version: record.version,
            status: record.status,
            queue: &record.queue,
            priority: record.priority.get(),
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            timeout: Seconds(record.timeout),
            due: record.due,
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            duration: record.duration().map(Seconds),
            progress: record.progress.as_deref(),
            error: $error,
            worker_id: record.worker,
            cancel_requested: record.cancel_requested,
            still_running: record.still_running,
            waits_for: record.waits_for(),
            tags: record.tags().iter().map(AsRef::as_ref).collect(),
            unique_key: label.and_then(|it| it.unique_key.as_deref()),
            concurrency_key: label.and_then(|it| it.concurrency_key.as_deref()),
            owner: origin.and_then(|it| it.owner.as_deref()),
            request_id: origin.and_then(|it| it.request_id.as_deref()),
            traceparent: origin.and_then(|it| it.traceparent.as_deref()),
            schedule: origin.and_then(|it| it.schedule.as_deref()),
            parent_id: origin.and_then(|it| it.parent),
            links: Links::new(base, record.id),
        }
    }};
}

impl<'a> Summary<'a> {
    pub(crate) fn of(record: &'a TaskRecord, base: &'a str) -> Self {
        summary!(record, error_of(record.last_error(), record.status), base)
    }

    /// The same of a task in a list; of its error the first line is there.
    pub(crate) fn of_short(summary: &'a TaskSummary, base: &'a str) -> Self {
        summary!(summary, error_of(summary.error.as_deref(), summary.status), base)
    }
}

impl<'a> Record<'a> {
    pub(crate) fn of(record: &'a TaskRecord, base: &'a str, queue_position: Option<usize>) -> Self {
        Self {
            status: Status { summary: Summary::of(record, base), queue_position },
            params: &record.params,
            result: record.result.as_deref(),
            result_until: record.result_until,
            errors: &record.errors,
            crashes: record.crashes,
        }
    }
}

impl<'a> Ended<'a> {
    pub(crate) fn of(record: &'a TaskRecord, base: &'a str) -> Self {
        Self {
            task_id: record.id,
            task_name: &record.name,
            status: record.status,
            result: record.result.as_deref(),
            result_until: record.result_until,
            error: error_of(record.last_error(), record.status),
            errors: &record.errors,
            started_at: record.started_at,
            finished_at: record.finished_at,
            duration: record.duration().map(Seconds),
            links: Links::new(base, record.id),
        }
    }
}

/// The error that a task ended with, or that its last attempt did. One that was overcome is no longer the task's.
fn error_of(last: Option<&AttemptError>, status: TaskStatus) -> Option<&str> {
    last.filter(|_| status != TaskStatus::Success).map(|it| it.message.as_str())
}
