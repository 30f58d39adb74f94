//! One task.

use std::sync::Arc;

use axum::http::StatusCode;
use ddd_core::{TaskRecord, TaskStatus};

use super::{
    body::{Record, Status, Summary},
    visible,
};
use crate::{
    problem::Problem,
    request::{Answer, Call, reply},
    state::State,
};

/// The highest place in a queue that is told.
const LAST_POSITION: usize = 1_000;

/// All of a task.
pub(crate) async fn record(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let record = visible::record(&state, &call.context.caller, call.path("task_id")).await?;
    let position = position(&state, &record).await?;
    reply(StatusCode::OK, &Record::of(&record, &call.base(), position))
}

/// Where a task is.
pub(crate) async fn status(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let record = visible::record(&state, &call.context.caller, call.path("task_id")).await?;
    let queue_position = position(&state, &record).await?;
    let base = call.base();
    reply(StatusCode::OK, &Status { summary: Summary::of(&record, &base), queue_position })
}

/// A task's place in its queue, from 1; `None` if it does not wait there.
pub(crate) async fn position(state: &State, record: &TaskRecord) -> Result<Option<usize>, Problem> {
    if record.status != TaskStatus::Pending {
        return Ok(None);
    }
    let found = state.app.tasks().position(record.id, LAST_POSITION - 1).await?;
    Ok(found.and_then(|it| it.ahead).map(|it| it + 1))
}
