//! Tasks that run by themselves.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header::LOCATION};
use ddd_core::{ScheduleRecord, TaskId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    problem::Problem,
    request::{Answer, Call, reply},
    state::State,
    tasks::Links,
};

/// A schedule.
#[derive(Debug, Serialize)]
struct ScheduleBody<'a> {
    name: &'a str,
    task_name: &'a str,
    params: &'a RawValue,
    rule: &'a str,
    time_zone: Option<&'a str>,
    paused: bool,
    last_tick: Option<Timestamp>,
    next_tick: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct SchedulesBody<'a> {
    schedules: Vec<ScheduleBody<'a>>,
}

/// A schedule's task was submitted out of turn.
#[derive(Debug, Serialize)]
struct RanBody<'a> {
    schedule: &'a str,
    task_id: TaskId,
    links: Links<'a>,
}

/// All schedules.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let schedules = state.app.tasks().schedules().list().await?;
    reply(StatusCode::OK, &SchedulesBody { schedules: schedules.iter().map(ScheduleBody::from).collect() })
}

/// Lets a schedule rest.
pub(crate) async fn pause(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let schedule = state.app.tasks().schedules().pause(call.path("name")).await.map_err(Problem::from)?;
    reply(StatusCode::OK, &ScheduleBody::from(&schedule))
}

/// Lets a schedule go on.
pub(crate) async fn resume(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let schedule = state.app.tasks().schedules().resume(call.path("name")).await.map_err(Problem::from)?;
    reply(StatusCode::OK, &ScheduleBody::from(&schedule))
}

/// Submits a schedule's task now.
pub(crate) async fn run(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let name = call.path("name");
    let handle = state.app.tasks().schedules().run_now_for(name, call.context.origin()).await.map_err(Problem::from)?;
    let (base, id) = (call.base(), handle.id());
    let ran = RanBody { schedule: name, task_id: id, links: Links::new(&base, id) };
    let mut response = reply(StatusCode::ACCEPTED, &ran)?;
    if let Ok(location) = HeaderValue::try_from(Links::new(&base, id).record()) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

impl<'a> From<&'a ScheduleRecord> for ScheduleBody<'a> {
    fn from(it: &'a ScheduleRecord) -> Self {
        Self {
            name: &it.name,
            task_name: &it.task,
            params: &it.params,
            rule: &it.rule,
            time_zone: it.time_zone.as_deref(),
            paused: it.paused,
            last_tick: it.last,
            next_tick: it.next,
        }
    }
}
