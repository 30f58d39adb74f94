//! One task.

use std::sync::Arc;

use axum::{Json, response::IntoResponse};
use ddd_core::TaskRecord;

use crate::{
    access::Caller,
    problem::{Problem, codes},
    request::{Answer, Call},
    state::State,
};

/// The task's record.
pub(crate) async fn record(state: Arc<State>, mut call: Call) -> Answer {
    let id = call.path("task_id").await;
    let record = visible(&state, &call.context.caller, &id).await?;
    Ok(Json(record).into_response())
}

/// The record of the task with this id, if the caller may see it. A task of someone else's and none at all are the same.
pub(crate) async fn visible(state: &State, caller: &Caller, id: &str) -> Result<TaskRecord, Problem> {
    let not_found = || Problem::of(&codes::TASK_NOT_FOUND);
    let id = id.parse().map_err(|_| not_found())?;
    let record = state.app.tasks().get(id).await?.ok_or_else(not_found)?;
    let owner = record.origin().and_then(|it| it.owner.as_deref());
    if caller.may_see(owner) { Ok(record) } else { Err(not_found()) }
}
