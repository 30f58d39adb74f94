//! What became of a task, waited for if the caller wants that.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use axum::http::StatusCode;
use ddd_core::{TaskHandle, TaskRecord, TaskStatus};
use serde_json::value::RawValue;

use super::{
    body::{Ended, Summary},
    visible,
};
use crate::{
    deadline::Deadline,
    drain::Drain,
    problem::{Problem, codes},
    request::{Answer, Call, reply, values},
    state::State,
};

/// The longest that is waited, whatever is asked for.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of a task; 202 if nothing has yet.
pub(crate) async fn result(state: Arc<State>, call: Call) -> Answer {
    let mut query = call.query()?;
    let wanted = query.read("wait", |it| values::plain_duration(&it)).unwrap_or_default();
    query.finish()?;
    let (caller, id) = (&call.context.caller, call.path("task_id"));
    let mut record = visible::record(&state, caller, id).await?;
    let mut result = None;
    if !record.status.is_terminal() && !wanted.is_zero() {
        result = wait(&state, &call, &record, wanted.min(LONGEST)).await;
        record = visible::record(&state, caller, id).await?;
    }
    let base = call.base();
    if !record.status.is_terminal() {
        return reply(StatusCode::ACCEPTED, &Summary::of(&record, &base));
    }
    if record.status == TaskStatus::Success && record.result.is_none() && record.result_until.is_some() {
        match result {
            Some(json) => record.result = Some(json.into()),
            None => return Err(Problem::of(&codes::RESULT_EXPIRED)),
        }
    }
    reply(StatusCode::OK, &Ended::of(&record, &base))
}

/// Waits for the end of a task's run, but not beyond that of the request or of the service. A result that comes is the
/// caller's, however soon the store drops it.
async fn wait(state: &State, call: &Call, record: &TaskRecord, wanted: Duration) -> Option<Box<RawValue>> {
    let extensions = &call.parts.extensions;
    let wanted = extensions.get::<Deadline>().map_or(wanted, |it| it.at_most(wanted));
    let handle: TaskHandle<Box<RawValue>> = state.app.tasks().handle(record.id);
    // Why there is none, the record tells.
    let ended = async { handle.result().await.ok() };
    let service_ends = async {
        match extensions.get::<Drain>() {
            Some(drain) => drain.streams_end().await,
            None => std::future::pending().await,
        }
    };
    let (mut ended, mut service_ends) = (pin!(ended), pin!(service_ends));
    let either = poll_fn(|cx| match ended.as_mut().poll(cx) {
        Poll::Pending => service_ends.as_mut().poll(cx).map(|()| None),
        ready => ready,
    });
    tokio::time::timeout(wanted, either).await.ok().flatten()
}
