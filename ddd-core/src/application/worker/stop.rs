//! How a worker ends.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{attempt::Stop, shared::Shared, slot};
use crate::{
    domain::{Name, TaskId},
    ports::{Attempt as _, AttemptEnd},
};

/// What a shutdown left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The tasks whose bodies were stopped at the deadline: they are pending again, their attempts not counted.
    pub given_back: Vec<TaskId>,
    /// The tasks whose bodies could not be stopped: they are pending again under a new fence, and what these bodies report
    /// is discarded. A blocking body runs on until it returns or the process ends.
    pub still_running: Vec<(TaskId, Name)>,
}

/// How long bodies may take to be dropped, and their ends to be written, after the deadline.
const LAST: Duration = Duration::from_millis(150);

/// Stops claiming, lets bodies end until the deadline, and gives the rest back.
pub(crate) async fn stop(shared: &Arc<Shared>, within: Duration) -> ShutdownReport {
    let deadline = super::attempt::far(Instant::now(), within);
    shared.finisher.give_back(shared.feed.close().into_iter());
    until_idle(shared, deadline).await;
    let mut report = ShutdownReport::default();
    let stopped = shared.attempts();
    for attempt in &stopped {
        attempt.stop(Stop::Release);
    }
    if !stopped.is_empty() {
        until_idle(shared, Instant::now() + LAST).await;
    }
    let left = shared.attempts();
    for attempt in &stopped {
        let info = attempt.info();
        if left.iter().any(|it| Arc::ptr_eq(it, attempt)) {
            if attempt.abandon() {
                shared.finisher.push(slot::report(attempt, AttemptEnd::Release));
            }
            tracing::warn!(task = %info.id, name = %info.name, "a body could not be stopped; its task was given back");
            report.still_running.push((info.id, info.name.clone()));
        } else if attempt.is_given_back() {
            report.given_back.push(info.id);
        }
    }
    // A store that is away must not hold the process up: what is not written is recovered when its lease runs out.
    if timeout(LAST, shared.finisher.idle()).await.is_err() {
        tracing::warn!("the store did not take the last reports in time; the tasks run again when their leases end");
    }
    if timeout(LAST, shared.services.call(shared.services.store.withdraw(shared.id))).await.is_err() {
        tracing::debug!("the store did not take the worker's withdrawal in time");
    }
    report
}

async fn until_idle(shared: &Shared, deadline: Instant) {
    while shared.is_busy() && Instant::now() < deadline {
        let step = deadline.saturating_duration_since(Instant::now());
        // A slot tells when it becomes idle; the look now and then is for one that told just before.
        let look = step.min(Duration::from_millis(50));
        let _ = timeout(look, shared.slot_ended.notified()).await;
    }
}
