//! How a worker ends.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    attempt::{Overdue, Stop, far},
    shared::Shared,
    slot,
};
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
    /// The tasks whose bodies could not be stopped: they are pending again under a new fence, unless their timeout had ended
    /// them, and what these bodies report is discarded. They run on until they return or the process ends.
    pub still_running: Vec<(TaskId, Name)>,
}

/// By when after the deadline bodies that can be dropped are.
const DROPPED: Duration = Duration::from_millis(150);
/// By when their ends are written.
const WRITTEN: Duration = Duration::from_millis(300);
/// By when the store has forgotten the worker.
const WITHDRAWN: Duration = Duration::from_millis(400);
/// A slot tells when it ends; the look now and then is for one that told just before.
const LOOK: Duration = Duration::from_millis(20);

/// Lets the bodies of a worker that claims no more end until the deadline, and gives the rest back.
pub(crate) async fn stop(shared: &Arc<Shared>, within: Duration) -> ShutdownReport {
    let deadline = far(Instant::now(), within);
    while shared.is_busy() && Instant::now() < deadline {
        look_again(shared, deadline).await;
    }
    let mut report = ShutdownReport::default();
    let mut stopped = Vec::new();
    // Again and again, because a slot may have taken its task just before the worker was told to end.
    while shared.is_busy() && Instant::now() < deadline + DROPPED {
        for attempt in shared.attempts() {
            if attempt.stop_reason() < Stop::Release {
                attempt.stop(Stop::Release);
                stopped.push(attempt);
            }
        }
        look_again(shared, deadline + DROPPED).await;
    }
    for attempt in shared.attempts() {
        let info = attempt.info();
        match attempt.abandon() {
            Overdue::Ended => continue,
            Overdue::No | Overdue::Retryable => shared.finisher.push(slot::report(&attempt, AttemptEnd::Release)),
            Overdue::Final => {}
        }
        tracing::warn!(task_id = %info.id, task_name = %info.name, "a body could not be stopped; its task was given back");
        report.still_running.push((info.id, info.name.clone()));
    }
    report.given_back.extend(stopped.iter().filter(|it| it.is_given_back()).map(|it| it.info().id));
    // A store that is away must not hold the process up: what is not written is recovered when its lease runs out.
    if timeout_at(deadline + WRITTEN, shared.finisher.idle()).await.is_err() {
        tracing::warn!("the store did not take the last reports in time; the tasks run again when their leases end");
    }
    if timeout_at(deadline + WRITTEN, shared.services.hooks.told()).await.is_err() {
        tracing::warn!("the on_failure hooks were not told of all failures in time");
    }
    let withdrawn = shared.services.call(shared.services.store.withdraw(shared.id));
    if timeout_at(deadline + WITHDRAWN, withdrawn).await.is_err() {
        tracing::debug!("the store did not take the worker's withdrawal in time");
    }
    report
}

async fn look_again(shared: &Shared, at_the_latest: Instant) {
    let left = at_the_latest.saturating_duration_since(Instant::now());
    let _ = timeout(left.min(LOOK), shared.slot_ended.notified()).await;
}
