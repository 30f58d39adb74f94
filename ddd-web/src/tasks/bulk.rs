//! Changes to many tasks at once.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::http::StatusCode;
use ddd_core::{Bulk, Filter, Operation, Priority, TaskStatus};
use serde::Serialize;

use crate::{
    limits::Limits,
    problem::Fault,
    request::{
        Answer, Call, body,
        members::{self, Members},
        reply,
        values::{self, Read},
    },
    seconds::Seconds,
    state::State,
};

/// What became of an operation on many tasks.
#[derive(Debug, Serialize)]
struct BulkAnswer {
    operation: String,
    #[serde(flatten)]
    done: Bulk,
    /// How many of the ids are no tasks; `null` if a filter was given.
    unknown: Option<u64>,
}

/// What was dropped.
#[derive(Debug, Serialize)]
struct CleanedUp {
    deleted: u64,
    older_than: Seconds,
}

/// The most ids of one request.
const MOST_IDS: usize = 1_000;

const FILTER: [&str; 7] = ["status", "task_name", "queue", "tag", "since", "q", "owner"];
const KNOWN: [&str; 11] =
    ["operation", "task_ids", "all", "priority", "status", "task_name", "queue", "tag", "since", "q", "owner"];

/// Does something with the tasks that ids or a filter name.
pub(crate) async fn bulk(state: Arc<State>, mut call: Call) -> Answer {
    call.query()?.finish()?;
    let sent = call.take_body();
    let bytes = body::read(&call.parts.headers, sent, Limits::BODY).await?;
    let mut members = Members::of(&bytes)?;
    let name = members.read("operation", values::text);
    let operation = operation(&mut members, name.as_deref());
    let filter = filter(&mut members);
    members.only(&KNOWN, &[("ids", "write `task_ids`"), ("filter", "write its parts beside `operation`")]);
    let (Some(name), Some(operation), false) = (name, operation, members.has_faults()) else {
        return Err(members.into_problem());
    };
    let asked = filter.ids.len() as u64;
    let done = state.app.tasks().bulk(filter, operation).await?;
    let unknown = (asked > 0).then(|| asked.saturating_sub(done.applied + done.requested + done.refused));
    reply(StatusCode::OK, &BulkAnswer { operation: name, done, unknown })
}

/// What is to be done; what is wrong with it is noted.
fn operation(members: &mut Members<'_>, name: Option<&str>) -> Option<Operation> {
    let range = i64::from(Priority::MIN.get())..=i64::from(Priority::MAX.get());
    let priority = members.read("priority", |it| values::integer(it, range));
    if members.has("priority") && name.is_some_and(|it| it != "reprioritise") {
        members.fault("priority", "goes with the operation `reprioritise` only");
    }
    match name {
        Some("cancel") => Some(Operation::Cancel),
        Some("retry") => Some(Operation::Retry),
        Some("delete") => Some(Operation::Delete),
        Some("run_now") => Some(Operation::RunNow),
        Some("reprioritise") => {
            if !members.has("priority") {
                members.fault("priority", "is missing");
            }
            Some(Operation::Reprioritise(priority.and_then(|it| Priority::try_from(it).ok())?))
        }
        Some(_) => {
            members.fault("operation", "is none of `cancel`, `retry`, `delete`, `run_now`, `reprioritise`");
            None
        }
        None => {
            if !members.has("operation") {
                members.fault("operation", "is missing");
            }
            None
        }
    }
}

/// Which tasks are meant: ids, a filter, or all, but that must be said.
fn filter(members: &mut Members<'_>) -> Filter {
    let mut filter = Filter::all();
    let all = members.read("all", values::boolean).unwrap_or_default();
    let is_narrow = FILTER.iter().any(|it| members.has(it));
    if members.has("task_ids") {
        let ids = members.read("task_ids", |it| match values::task_ids(it, MOST_IDS)? {
            ids if ids.is_empty() => Err("is empty".into()),
            ids => Ok(ids),
        });
        if all || is_narrow {
            members.fault("task_ids", "cannot be said with `all` or a filter");
        }
        filter.ids = ids.unwrap_or_default();
        filter.ids.sort_unstable();
        filter.ids.dedup();
        return filter;
    }
    if !all && !is_narrow {
        members.whole("says of no task; write `task_ids`, a filter such as `status`, or `\"all\": true`");
    }
    filter.statuses = members.read("status", statuses).unwrap_or_default();
    filter.name = members.read("task_name", values::name);
    filter.queue = members.read("queue", values::name);
    filter.tag = members.read("tag", values::name);
    filter.since = members.read("since", values::timestamp);
    filter.name_prefix = members.read("q", |it| values::short_text(it, 200));
    filter.owner = members.read("owner", |it| values::short_text(it, 100));
    filter
}

/// One status, or an array of them.
fn statuses(json: &str) -> Read<Vec<TaskStatus>> {
    let texts = match serde_json::from_str(json) {
        Ok(texts) => texts,
        Err(_) => vec![values::text(json).map_err(|_| Cow::Borrowed("is neither a status nor an array of them"))?],
    };
    texts.iter().map(|it: &String| it.parse().map_err(Cow::Owned)).collect()
}

/// Drops the records of tasks that ended long ago.
pub(crate) async fn cleanup(state: Arc<State>, mut call: Call) -> Answer {
    const DAY: Duration = Duration::from_secs(24 * 3_600);
    // What is said in a body and not heard would drop other records than meant.
    let sent = call.take_body();
    if body::read_optional(&call.parts.headers, sent, Limits::BODY).await?.is_some() {
        return Err(members::misfit(vec![Fault::at("", "is not read; write `older_than` into the query")], 0));
    }
    let mut query = call.query()?;
    let older_than = query.read("older_than", |it| values::plain_duration(&it));
    let hours = query.number("max_age_hours", 0..=876_000);
    if older_than.is_some() && hours.is_some() {
        query.fault("max_age_hours", "says the same as `older_than`; write one of them");
    }
    query.finish()?;
    let hours = hours.map(|it| Duration::from_secs(3_600 * it as u64));
    let older_than = older_than.or(hours).unwrap_or(DAY);
    let deleted = state.app.tasks().cleanup(older_than).await?;
    reply(StatusCode::OK, &CleanedUp { deleted, older_than: Seconds(older_than) })
}
