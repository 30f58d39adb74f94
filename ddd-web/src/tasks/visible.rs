//! Which tasks a caller sees. What it does not see is for it the same as what is not there.

use ddd_core::{Filter, Origin, TaskId, TaskRecord, TaskSummary};

use crate::{
    access::{Caller, Permission},
    problem::{Problem, codes},
    state::State,
};

/// There is no such task, or none that the caller may see.
pub(crate) fn not_found() -> Problem {
    Problem::of(&codes::TASK_NOT_FOUND)
}

/// The record of the task with this id.
///
/// # Errors
/// The caller does not see such a task, or the store could not say.
pub(crate) async fn record(state: &State, caller: &Caller, id: &str) -> Result<TaskRecord, Problem> {
    let id: TaskId = id.parse().map_err(|_| not_found())?;
    let record = state.app.tasks().get(id).await?.ok_or_else(not_found)?;
    if sees(state, caller, &record) { Ok(record) } else { Err(not_found()) }
}

/// Whether a caller sees a task: its own, unless its definition is internal; all, if it may observe.
pub(crate) fn sees(state: &State, caller: &Caller, record: &TaskRecord) -> bool {
    sees_one_of(state, caller, &record.name, record.origin())
}

/// The same for a task in a list.
pub(super) fn sees_short(state: &State, caller: &Caller, summary: &TaskSummary) -> bool {
    sees_one_of(state, caller, &summary.name, summary.origin())
}

fn sees_one_of(state: &State, caller: &Caller, name: &str, origin: Option<&Origin>) -> bool {
    caller.may(Permission::Observe)
        || (caller.may_see(origin.and_then(|it| it.owner.as_deref())) && !state.is_internal(name))
}

/// # Errors
/// The caller sees the task, but it is not its own to change.
pub(crate) fn may_change(caller: &Caller, record: &TaskRecord) -> Result<(), Problem> {
    if caller.may_change(record.origin().and_then(|it| it.owner.as_deref())) {
        return Ok(());
    }
    Err(Problem::of(&codes::FORBIDDEN).detail("the task is not yours; this takes the permission `admin`"))
}

/// Narrows a filter to the tasks that a caller owns, unless it may observe all.
pub(crate) fn narrow(caller: &Caller, filter: Filter) -> Filter {
    if caller.may(Permission::Observe) {
        return filter;
    }
    // Nobody's name is empty, so the anonymous see nothing.
    filter.owner(caller.owner().unwrap_or_default())
}
