//! The queues.

use std::sync::Arc;

use axum::http::StatusCode;
use ddd_core::{Counts, QueueState, Timestamp};
use serde::Serialize;

use crate::{
    problem::{Problem, codes},
    request::{Answer, Call, reply},
    seconds::Seconds,
    state::State,
};

/// A queue as it is now.
#[derive(Debug, Serialize)]
struct QueueBody<'a> {
    name: &'a str,
    paused: bool,
    /// How many tasks wait in it, in whatever status.
    depth: u64,
    max_depth: Option<usize>,
    concurrency: Option<usize>,
    concurrency_per_worker: Option<usize>,
    rate_limit: Option<RateBody>,
    counts: &'a Counts,
    /// When the oldest task that could run became due.
    oldest_due: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct RateBody {
    limit: u32,
    per: Seconds,
}

#[derive(Debug, Serialize)]
struct QueuesBody<'a> {
    queues: Vec<QueueBody<'a>>,
}

/// All queues.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let queues = state.app.tasks().queues().await?;
    reply(StatusCode::OK, &QueuesBody { queues: queues.iter().map(QueueBody::from).collect() })
}

/// Hands out no more tasks of a queue.
pub(crate) async fn pause(state: Arc<State>, call: Call) -> Answer {
    set_paused(&state, &call, true).await
}

/// Hands out the tasks of a queue again.
pub(crate) async fn resume(state: Arc<State>, call: Call) -> Answer {
    set_paused(&state, &call, false).await
}

async fn set_paused(state: &State, call: &Call, paused: bool) -> Answer {
    call.query()?.finish()?;
    let (tasks, name) = (state.app.tasks(), call.path("queue"));
    let not_found = || Problem::of(&codes::QUEUE_NOT_FOUND);
    // One that only a definition or a setting names may not have been used yet.
    if !state.app.names_queue(name) && !tasks.queues().await?.iter().any(|it| it.name == *name) {
        return Err(not_found());
    }
    if paused {
        tasks.pause(name).await?;
    } else {
        tasks.resume(name).await?;
    }
    let queues = tasks.queues().await?;
    let queue = queues.iter().find(|it| it.name == *name).ok_or_else(not_found)?;
    reply(StatusCode::OK, &QueueBody::from(queue))
}

impl<'a> From<&'a QueueState> for QueueBody<'a> {
    fn from(it: &'a QueueState) -> Self {
        let settings = &it.settings;
        Self {
            name: &it.name,
            paused: it.paused,
            depth: it.counts.queued(),
            max_depth: settings.max_depth,
            concurrency: settings.concurrency,
            concurrency_per_worker: settings.concurrency_per_worker,
            rate_limit: settings.rate_limit.map(|it| RateBody { limit: it.limit(), per: Seconds(it.per()) }),
            counts: &it.counts,
            oldest_due: it.oldest_due,
        }
    }
}
