//! Who runs tasks.

use std::sync::Arc;

use axum::http::StatusCode;
use ddd_core::{Timestamp, WorkerId, WorkerState};
use serde::Serialize;

use crate::{
    request::{Answer, Call, reply},
    state::State,
};

/// A worker that is alive.
#[derive(Debug, Serialize)]
struct WorkerBody<'a> {
    worker_id: WorkerId,
    host: &'a str,
    queues: Vec<&'a str>,
    /// What it can run, and up to which version.
    tasks: Vec<KnownBody<'a>>,
    slots: usize,
    running: usize,
    started_at: Timestamp,
    seen_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct KnownBody<'a> {
    task_name: &'a str,
    version: u32,
}

#[derive(Debug, Serialize)]
struct WorkersBody<'a> {
    workers: Vec<WorkerBody<'a>>,
}

/// All workers that are alive.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let workers = state.app.tasks().workers().await?;
    reply(StatusCode::OK, &WorkersBody { workers: workers.iter().map(WorkerBody::from).collect() })
}

impl<'a> From<&'a WorkerState> for WorkerBody<'a> {
    fn from(it: &'a WorkerState) -> Self {
        Self {
            worker_id: it.id,
            host: &it.host,
            queues: it.queues.iter().map(AsRef::as_ref).collect(),
            tasks: it.known.iter().map(|it| KnownBody { task_name: &it.name, version: it.version }).collect(),
            slots: it.slots,
            running: it.running,
            started_at: it.started_at,
            seen_at: it.seen_at,
        }
    }
}
