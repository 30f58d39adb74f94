//! Changes to one task.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header::LOCATION};
use ddd_core::{Controlled, Due, FailureKind, Priority, TaskId, TaskRecord, TaskStatus};
use serde::Serialize;

use super::{links::Links, visible};
use crate::{
    limits::Limits,
    problem::{Problem, codes},
    request::{Answer, Call, body, members::Members, reply, values},
    state::State,
};

/// What became of a change.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    task_id: TaskId,
    status: TaskStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    links: Links<'a>,
}

const LONGEST_REASON: usize = 500;

/// Cancels a task. 202 if it runs: its body is told, and ends soon.
pub(crate) async fn cancel(state: Arc<State>, call: Call) -> Answer {
    let mut query = call.query()?;
    let reason = query.read("reason", |it| {
        let is_good = (1..=LONGEST_REASON).contains(&it.chars().count()) && !it.chars().any(char::is_control);
        if is_good { Ok(it) } else { Err(format!("is not a text of 1 to {LONGEST_REASON} characters").into()) }
    });
    query.finish()?;
    let record = own(&state, &call).await?;
    let reason = reason.unwrap_or_else(|| "cancelled over HTTP".to_owned());
    let (code, status, reason) = match state.app.tasks().cancel(record.id, reason.as_str()).await? {
        Controlled::Applied(status) => (StatusCode::OK, status, Some(reason)),
        // Somebody may have been first.
        Controlled::Refused(status @ TaskStatus::Cancelled) => {
            (StatusCode::OK, status, recorded_reason(&state, record.id).await?)
        }
        Controlled::Requested { .. } => {
            (StatusCode::ACCEPTED, TaskStatus::Running, recorded_reason(&state, record.id).await?)
        }
        other => return Err(refused(&other, "only a task that has not ended can be cancelled")),
    };
    let base = call.base();
    let cancelled = Some(status == TaskStatus::Cancelled);
    let links = Links::new(&base, record.id);
    reply(code, &Changed { task_id: record.id, status, cancelled, reason: reason.as_deref(), links })
}

/// Why a task was cancelled, or is about to be.
async fn recorded_reason(state: &State, id: TaskId) -> Result<Option<String>, Problem> {
    let record = state.app.tasks().get(id).await?;
    let error = record.as_ref().and_then(TaskRecord::last_error).filter(|it| it.kind == FailureKind::Cancelled);
    Ok(error.map(|it| it.message.clone()))
}

/// Begins a new run of a finished task.
pub(crate) async fn retry(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let record = own(&state, &call).await?;
    match state.app.tasks().retry(record.id).await? {
        Controlled::Applied(status) => changed(StatusCode::ACCEPTED, &call, record.id, status),
        other => Err(refused(&other, "only a finished task can be run again")),
    }
}

/// Gives a queued task another priority or due time.
pub(crate) async fn patch(state: Arc<State>, mut call: Call) -> Answer {
    call.query()?.finish()?;
    let sent = call.take_body();
    let bytes = body::read(&call.parts.headers, sent, Limits::BODY).await?;
    let mut members = Members::of(&bytes)?;
    let range = i64::from(Priority::MIN.get())..=i64::from(Priority::MAX.get());
    let priority = members.read("priority", |it| values::integer(it, range));
    let delay = members.read("delay", values::duration);
    let run_at = members.read("run_at", values::timestamp);
    members.only(&["priority", "delay", "run_at"], &[("due", "write `delay` or `run_at`")]);
    if delay.is_some() && run_at.is_some() {
        members.fault("run_at", "says the same as `delay`; write one of them");
    }
    if !members.has_faults() && priority.is_none() && delay.is_none() && run_at.is_none() {
        members.whole("says nothing; write `priority`, `delay` or `run_at`");
    }
    members.finish()?;
    let record = own(&state, &call).await?;
    let priority = priority.and_then(|it| Priority::try_from(it).ok());
    let due = delay.map(Due::In).or_else(|| run_at.map(Due::At));
    match state.app.tasks().change(record.id, priority, due).await? {
        Controlled::Applied(status) => changed(StatusCode::OK, &call, record.id, status),
        other => Err(refused(&other, "only a task that waits can be changed")),
    }
}

/// The task that a request is about, if it is the caller's to change.
async fn own(state: &State, call: &Call) -> Result<TaskRecord, Problem> {
    let caller = &call.context.caller;
    let record = visible::record(state, caller, call.path("task_id")).await?;
    visible::may_change(caller, &record)?;
    Ok(record)
}

fn changed(code: StatusCode, call: &Call, id: TaskId, status: TaskStatus) -> Answer {
    let base = call.base();
    let links = Links::new(&base, id);
    let mut response = reply(code, &Changed { task_id: id, status, cancelled: None, reason: None, links })?;
    if code == StatusCode::ACCEPTED
        && let Ok(location) = HeaderValue::try_from(Links::new(&base, id).record())
    {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Why nothing was changed.
fn refused(answer: &Controlled, rule: &str) -> Problem {
    match answer {
        Controlled::Unknown => visible::not_found(),
        Controlled::Applied(status) | Controlled::Refused(status) => {
            Problem::of(&codes::STATUS_CONFLICT).detail(format!("the task is `{status}`; {rule}"))
        }
        _ => Problem::of(&codes::STATUS_CONFLICT).detail(rule.to_owned()),
    }
}
