//! Many tasks.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use ddd_core::{Filter, Page, TaskSummary};
use serde::Serialize;

use super::{
    body::Summary,
    filter,
    page::{self, PageRequest},
    visible,
};
use crate::{
    problem::{Fault, Problem, codes},
    request::{Answer, Call, reply},
    state::State,
};

/// So long a page is looked for where few of very many tasks are meant; then it is short, and its cursor goes on from there.
const PATIENCE: Duration = Duration::from_millis(50);
/// And so long with an offset: such a page is full, or refused.
const PATIENCE_OF_OFFSETS: Duration = Duration::from_secs(2);

/// A part of a list, newest first.
#[derive(Debug, Serialize)]
struct TaskList<'a> {
    tasks: Vec<Summary<'a>>,
    limit: usize,
    offset: usize,
    /// To be given as `cursor` for the next part; `null` at the end.
    next_cursor: Option<String>,
    has_next: bool,
}

/// The tasks that a filter means.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    list(&state, &call, false).await
}

/// The finished tasks that a filter means.
pub(crate) async fn history(state: Arc<State>, call: Call) -> Answer {
    list(&state, &call, true).await
}

async fn list(state: &State, call: &Call, only_finished: bool) -> Answer {
    let caller = &call.context.caller;
    let mut query = call.query()?;
    let mut filter = filter::read(&mut query, caller);
    if only_finished {
        filter = filter::finished(&mut query, filter);
    }
    let request = PageRequest::read(&mut query);
    query.finish()?;
    let filter = visible::narrow(caller, filter);
    let page = page(state, &filter, &request).await?;
    let base = call.base();
    let list = TaskList {
        tasks: page
            .items
            .iter()
            .filter(|it| visible::sees_short(state, caller, it))
            .map(|it| Summary::of_short(it, &base))
            .collect(),
        limit: request.limit,
        offset: request.offset.unwrap_or_default(),
        next_cursor: page.next.map(|it| page::encoded(it, &filter)),
        has_next: page.next.is_some(),
    };
    reply(StatusCode::OK, &list)
}

async fn page(state: &State, filter: &Filter, request: &PageRequest) -> Result<Page<TaskSummary>, Problem> {
    let tasks = state.app.tasks();
    let Some(offset) = request.offset else {
        let cursor = request.cursor(filter)?;
        return Ok(tasks.list_for(PATIENCE, filter.clone(), cursor, request.limit).await?);
    };
    // Whoever counts what to skip counts on full pages, so the search goes on for longer.
    let wanted = offset + request.limit;
    let found = tasks.list_for(PATIENCE_OF_OFFSETS, filter.clone(), None, wanted).await?;
    if found.items.len() < wanted && found.next.is_some() {
        return Err(Problem::of(&codes::OFFSET_TOO_FAR)
            .detail("so few tasks are meant that finding them takes too long; leave `offset` out and go on with `next_cursor`")
            .fault(Fault::in_query("offset", "takes too long to find")));
    }
    Ok(Page::new(found.items.into_iter().skip(offset).collect(), found.next))
}
