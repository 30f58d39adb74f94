//! Tasks come in.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode, header::LOCATION},
};
use ddd_core::{Name, Registered, Submission, SubmitError, TaskHandle, TaskId, TaskStatus, domain::closest};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{
    links::Links,
    options::{self, Options},
    visible,
};
use crate::{
    idempotency,
    problem::{Fault, Problem, codes, pointer},
    request::{
        Answer, Call, body,
        members::{self, Members},
        reply, values,
    },
    state::State,
    validation::{Faults, faults},
};

/// The highest place in a queue that is told.
const LAST_POSITION: usize = 1_000;

/// A task was taken.
#[derive(Debug, Serialize)]
struct Submitted<'a> {
    task_id: TaskId,
    task_name: &'a str,
    status: TaskStatus,
    /// From 1; `null` if it does not wait in its queue, or no longer.
    queue_position: Option<usize>,
    /// Whether it was there already, under its unique key.
    duplicate: bool,
    links: Links<'a>,
}

/// A submission whose form is right.
struct Incoming<'a> {
    registered: &'a Registered,
    params: Option<&'a RawValue>,
    /// Where the parameters are in the body.
    at: &'static str,
    /// What the idempotency key is a key of.
    route: &'static str,
    body: &'a [u8],
    /// The id of the request, if the body says one.
    request_id: Option<String>,
}

/// A task by the name that the body says, with options.
pub(crate) async fn named(state: Arc<State>, mut call: Call) -> Answer {
    let bytes = received(&state, &mut call).await?.unwrap_or_default();
    let mut body = Members::of(&bytes)?;
    let name = body.read("task_name", values::word);
    let Some(name) = name else {
        if !body.has("task_name") {
            body.fault("task_name", "is missing");
        }
        body.only(&options::KNOWN, &options::ELSEWHERE);
        return Err(body.into_problem());
    };
    let registered = state.definition(&name).ok_or_else(|| unknown(&state, &name, "/task_name"))?;
    options::check_granted(&body, &call.context.caller)?;
    let mut options = Options::read(&mut body, registered);
    body.only(&options::KNOWN, &options::ELSEWHERE);
    if let Some(queue) = &options.queue
        && let Some(fault) = unknown_queue(&state, queue).await?
    {
        body.fault("queue", fault);
    }
    let params = body.raw("params");
    if body.has_faults() || says_more_than_types(&state, registered) {
        let found = faults_of(&state, registered, params, "/params");
        body.faults(found.told, found.more);
    }
    body.finish()?;
    let request_id = options.request_id.take();
    let incoming = Incoming { registered, params, at: "/params", route: "submit", body: &bytes, request_id };
    let submission = options.apply(submission(&state, &incoming));
    store(&state, &call, incoming, submission).await
}

/// A task by the name in the path; the body is its parameters.
pub(crate) async fn one(state: Arc<State>, mut call: Call) -> Answer {
    let bytes = received(&state, &mut call).await?;
    let name = call.path("task_name");
    let registered = state.definition(name).ok_or_else(|| unknown(&state, name, ""))?;
    let body = bytes.as_deref().unwrap_or_default();
    let params = if body.is_empty() { None } else { Some(body::value(body)?) };
    if says_more_than_types(&state, registered) {
        let found = faults_of(&state, registered, params, "");
        if !found.told.is_empty() {
            return Err(members::misfit(found.told, found.more));
        }
    }
    // A route's key is that of the task's name too.
    let incoming = Incoming { registered, params, at: "", route: "submit_one", body, request_id: None };
    let submission = submission(&state, &incoming);
    store(&state, &call, incoming, submission).await
}

/// The body of a submission, if its caller may submit once more.
async fn received(state: &State, call: &mut Call) -> Result<Option<Bytes>, Problem> {
    if let Some(submissions) = &state.limits.submissions {
        submissions.count(&call.context.caller, state.app.now())?;
    }
    call.query()?.finish()?;
    let body = call.take_body();
    body::read_optional(&call.parts.headers, body, state.limits.submit_body).await
}

fn submission(state: &State, incoming: &Incoming<'_>) -> Submission<Value> {
    state.app.submit_named(&incoming.registered.name, incoming.params)
}

async fn store(state: &State, call: &Call, incoming: Incoming<'_>, mut submission: Submission<Value>) -> Answer {
    let context = &call.context;
    let mut origin = context.origin();
    if let Some(id) = &incoming.request_id {
        origin.request_id = Some(id.clone());
    }
    submission = submission.origin(origin);
    let Incoming { registered, route, body, .. } = incoming;
    if let Some(key) = idempotency::key(&call.parts.headers, &context.caller, (route, &registered.name), body)? {
        submission = submission.idempotency_key(key);
    }
    match submission.await {
        Ok(handle) => accepted(state, call, registered, &handle).await,
        Err(SubmitError::InvalidParams { source, .. }) => {
            let mut found = faults_of(state, registered, incoming.params, incoming.at);
            if found.told.is_empty() {
                // What only the function's own types and rules can tell.
                let place = pointer::of_path(incoming.at, &source.path);
                found.told.push(Fault::at(place, plain(source.message)));
            }
            Err(members::misfit(found.told, found.more))
        }
        Err(error) => Err(error.into()),
    }
}

async fn accepted(state: &State, call: &Call, registered: &Registered, handle: &TaskHandle<Value>) -> Answer {
    let id = handle.id();
    let status = match handle.submitted_as() {
        Some(status) if !handle.is_replayed() => status,
        // What is answered again may have been a task of another owner with the same unique key.
        Some(first) => {
            existing(state, call, id).await?;
            first
        }
        None => existing(state, call, id).await?.ok_or_else(hidden)?,
    };
    let ahead = match status {
        TaskStatus::Pending => state.app.tasks().position(id, LAST_POSITION - 1).await?.and_then(|it| it.ahead),
        _ => None,
    };
    let base = call.base();
    let answer = Submitted {
        task_id: id,
        task_name: &registered.name,
        status,
        queue_position: ahead.map(|it| it + 1),
        duplicate: handle.is_duplicate(),
        links: Links::new(&base, id),
    };
    let mut response = reply(StatusCode::ACCEPTED, &answer)?;
    // Never an error: a path, percent-encoded, and hexadecimal digits.
    if let Ok(location) = HeaderValue::try_from(Links::new(&base, id).record()) {
        response.headers_mut().insert(LOCATION, location);
    }
    if handle.is_replayed() {
        response.headers_mut().insert(idempotency::REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Where the task is that was there already; `None` if its record is no longer kept.
///
/// # Errors
/// It is not the caller's to see.
async fn existing(state: &State, call: &Call, id: TaskId) -> Result<Option<TaskStatus>, Problem> {
    let Some(record) = state.app.tasks().get(id).await? else { return Ok(None) };
    if visible::sees(state, &call.context.caller, &record) { Ok(Some(record.status)) } else { Err(hidden()) }
}

/// There is a task with this unique key, and no more is told of it.
fn hidden() -> Problem {
    Problem::of(&codes::DUPLICATE_TASK).detail("it is not yours to see")
}

/// There is no such task, or none within reach.
pub(crate) fn unknown(state: &State, name: &str, at: &'static str) -> Problem {
    let meant = closest(name, state.definitions().map(|it| it.definition.name));
    let hint = meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
    let problem = Problem::of(&codes::TASK_NAME_UNKNOWN).detail(format!("there is no task `{name}`{hint}"));
    if at.is_empty() { problem } else { problem.fault(Fault::at(at, format!("is not known here{hint}"))) }
}

/// Why a queue is not taken: one that nothing names is a slip, and would be kept for ever.
async fn unknown_queue(state: &State, queue: &Name) -> Result<Option<String>, Problem> {
    if state.app.names_queue(queue) {
        return Ok(None);
    }
    let queues = state.app.tasks().queues().await?;
    if queues.iter().any(|it| it.name == *queue) {
        return Ok(None);
    }
    let named = state.app.registry().iter().map(|it| it.settings.queue.as_str());
    let meant = closest(queue, queues.iter().map(|it| it.name.as_str()).chain(named));
    Ok(Some(format!("is no queue{}", meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())))
}

fn says_more_than_types(state: &State, registered: &Registered) -> bool {
    state.catalogue.of(registered).is_some_and(|it| it.says_more_than_types)
}

/// All that is wrong with parameters, as far as their schema tells; of very many values, the first that is.
fn faults_of(state: &State, registered: &Registered, params: Option<&RawValue>, at: &str) -> Faults {
    const MANY: usize = 10_000;
    let Some(checked) = state.catalogue.of(registered) else { return Faults::default() };
    let Some(validator) = &checked.validator else { return Faults::default() };
    let value = match params {
        // Never an error: its text was checked.
        Some(params) => serde_json::from_str(params.get()).unwrap_or_default(),
        None => Value::Object(serde_json::Map::new()),
    };
    let has_many = params.is_some_and(|it| it.get().bytes().filter(|byte| *byte == b',').count() > MANY);
    faults::of(validator, checked.schemas.params.as_value(), &value, at, has_many)
}

/// What the reader of the parameters said, unless it speaks of the program's own types.
fn plain(message: String) -> String {
    let names_types = [" struct ", " enum ", " variant ", " tuple "].iter().any(|it| message.contains(it));
    if names_types { "does not fit".to_owned() } else { message }
}
