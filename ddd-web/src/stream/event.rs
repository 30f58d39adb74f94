//! What a stream says, in the words of Server-Sent Events.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use axum::body::Bytes;
use ddd_core::{Name, Progress, TaskId, TaskStatus, Timestamp, Transition};
use serde::Serialize;

use super::position::{LastSeen, Position};

/// Text of a stream, some events of it.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// A transition, as it is written.
#[derive(Serialize)]
struct Told<'a> {
    task_id: TaskId,
    task_name: &'a Name,
    queue: &'a Name,
    run: u32,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<TaskStatus>,
    status: TaskStatus,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a Progress>,
}

impl Text {
    /// After a lost connection a client should wait this long.
    pub(super) fn retry(&mut self, after: Duration) {
        let _ = write!(self.0, "retry: {}\n\n", after.as_millis());
    }

    /// Something to keep the connection open.
    pub(super) fn keep_alive() -> Bytes {
        Bytes::from_static(b": keep-alive\n\n")
    }

    /// An event with a position to go on from.
    pub(super) fn event(&mut self, at: impl fmt::Display, kind: &str, data: &impl Serialize) {
        // Compact JSON has no line ends, so one line holds it. What is written here is written by us, and never fails.
        let data = serde_json::to_string(data).unwrap_or_default();
        let _ = write!(self.0, "id: {at}\nevent: {kind}\ndata: {data}\n\n");
    }

    /// A task's run is over: nobody needs to come again for it.
    pub(super) fn end(&mut self, at: Position, run: u32, record: &impl Serialize) {
        self.event(format_args!("{at}{}{run}", LastSeen::END), "end", record);
    }

    /// A task's life changed, or it reported progress.
    pub(super) fn transition(&mut self, at: Position, transition: &Transition) {
        let Transition { id, name, queue, run, attempt, from, to, at: when, progress, .. } = transition;
        let kind = if progress.is_some() { "progress" } else { "transition" };
        let from = from.filter(|_| progress.is_none());
        let progress = progress.as_deref();
        let (task_id, task_name, run, attempt, status, at_time) = (*id, name, *run, *attempt, *to, *when);
        self.event(at, kind, &Told { task_id, task_name, queue, run, attempt, from, status, at: at_time, progress });
    }

    /// The last word of a stream that is no task's end: the client should come again.
    pub(super) fn reconnect(&mut self, at: Position, after: Duration, reason: &str) {
        let _ = writeln!(self.0, "retry: {}", after.as_millis());
        self.event(at, "reconnect", &serde_json::json!({ "reason": reason }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0.into()
    }
}

/// The transitions of a read, each as an event at its own position.
pub(super) fn transitions(text: &mut Text, epoch: u64, read: &[(u64, Arc<Transition>)]) {
    for (number, transition) in read {
        text.transition(Position { epoch, number: *number }, transition);
    }
}
