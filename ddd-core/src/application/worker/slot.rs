//! Room for one body: takes a task, runs it, reports how it ended, takes the next.

use std::{sync::Arc, time::Duration};

use tracing::Span;

use super::{
    Ended, Job,
    attempt::{Overdue, RunningAttempt, Stop},
    body,
    cell::Cell,
    finisher::Report,
    shared::Shared,
};
use crate::{
    application::registry::Registered,
    domain::{AttemptError, FailureKind},
    ports::{AttemptEnd, Claimed, Failure, FailureOutcome, Finish},
};

/// The life of a slot.
pub(crate) async fn live(shared: Arc<Shared>, cell: Arc<Cell>) {
    let mut done = None;
    while let Some(claimed) = shared.feed.next(done.as_ref()).await {
        let queue = claimed.queue.clone();
        if let Some(registered) = shared.services.registry.shared(&claimed.name).cloned() {
            run(&shared, &cell, &registered, claimed).await;
        } else {
            // The store hands out only what was declared; what was not is for another worker.
            tracing::error!(task = %claimed.id, name = %claimed.name, "claimed a task that is not linked into this program");
            shared.finisher.give_back([claimed].into_iter());
        }
        done = Some(queue);
        shared.finisher.room().await;
        // A body that never waits, over a store that answers at once, would keep the thread from everything else.
        tokio::task::consume_budget().await;
    }
    shared.remove(&cell);
}

async fn run(shared: &Arc<Shared>, cell: &Cell, registered: &Registered, claimed: Claimed) {
    let services = &shared.services;
    let progress = Some(shared.progress.clone());
    let attempt = Arc::new(RunningAttempt::new(&claimed, services.runtime.clone(), progress));
    cell.set(Some(attempt.clone()));
    let span = span(&claimed);
    let job = Job { registered, params: claimed.params.clone(), attempt: &attempt, span };
    let overdue = || report_overdue(shared, &attempt);
    let (ended, needed) = body::run(services, &shared.threads, job, overdue).await;
    let end = match attempt.end() {
        Overdue::Final => Some(AttemptEnd::Stopped),
        Overdue::Retryable => Some(timed_out(registered, &claimed)),
        Overdue::No | Overdue::Ended => end_of(shared, registered, &claimed, ended),
    };
    if let Some(end) = end {
        if matches!(end, AttemptEnd::Release) {
            attempt.set_given_back();
        }
        shared.finisher.push(report(&attempt, end));
    }
    cell.set(None);
    if let Some(needed) = needed {
        needed.teardown().await;
    }
}

/// What is reported of an end; `None` if the claim is no longer ours.
fn end_of(shared: &Shared, registered: &Registered, claimed: &Claimed, ended: Ended) -> Option<AttemptEnd> {
    let limits = &shared.services.settings.store.limits;
    let end = match ended {
        Ended::Returned(Ok(Some(json))) if json.get().len() > limits.result => {
            let (size, most) = (json.get().len(), limits.result);
            let message = format!("the result has {size} bytes of JSON; at most {most} are stored");
            failed(registered, claimed, Failure::permanent(FailureKind::Result, message))
        }
        Ended::Returned(Ok(json)) => {
            AttemptEnd::Success { result: json.map(Arc::from), ttl: registered.settings.result_ttl }
        }
        Ended::Returned(Err(failure)) => failed(registered, claimed, failure.truncated(limits.error)),
        Ended::TimedOut => timed_out(registered, claimed),
        Ended::Stopped(Stop::Lost | Stop::None) => return None,
        Ended::Stopped(Stop::Release) => AttemptEnd::Release,
        Ended::Stopped(Stop::Cancel) => {
            AttemptEnd::Cancelled(AttemptError::new(FailureKind::Cancelled, "cancelled while running".to_owned()))
        }
    };
    Some(end)
}

fn failed(registered: &Registered, claimed: &Claimed, failure: Failure) -> AttemptEnd {
    let error = AttemptError::new(failure.kind, failure.message);
    let is_left = claimed.attempt < claimed.max_attempts;
    match failure.outcome {
        FailureOutcome::Snooze(delay) => AttemptEnd::Snooze { delay },
        FailureOutcome::Cancel => AttemptEnd::Cancelled(AttemptError::new(FailureKind::Cancelled, error.message)),
        FailureOutcome::Retry if is_left => {
            let delay = registered.settings.retry.delay_after(claimed.attempt, fastrand::f64());
            AttemptEnd::Retry { error, delay }
        }
        FailureOutcome::RetryAfter(delay) if is_left => AttemptEnd::Retry { error, delay },
        FailureOutcome::Retry | FailureOutcome::RetryAfter(_) | FailureOutcome::Permanent => AttemptEnd::Failed(error),
    }
}

fn timed_out(registered: &Registered, claimed: &Claimed) -> AttemptEnd {
    match failed(registered, claimed, Failure::new(FailureKind::Timeout, over_time(claimed.timeout))) {
        AttemptEnd::Failed(error) => AttemptEnd::Timeout { error, still_running: false },
        end => end,
    }
}

fn over_time(timeout: Duration) -> String {
    format!("ran over its timeout of {timeout:?}")
}

/// Reports that a body runs over its time and cannot be stopped, unless it has ended or that was reported.
pub(super) fn report_overdue(shared: &Shared, attempt: &RunningAttempt) {
    use crate::ports::Attempt as _;
    let info = attempt.info();
    let message = format!("{}, and could not be stopped", over_time(attempt.timeout()));
    let error = AttemptError::new(FailureKind::Timeout, message);
    let (as_what, end) = if info.attempt < info.max_attempts {
        (Overdue::Retryable, AttemptEnd::Overdue(error))
    } else {
        (Overdue::Final, AttemptEnd::Timeout { error, still_running: true })
    };
    if attempt.mark_overdue(as_what) {
        tracing::warn!(task = %info.id, name = %info.name, "a body runs over its timeout and cannot be stopped");
        shared.finisher.push(report(attempt, end));
    }
}

pub(super) fn report(attempt: &RunningAttempt, end: AttemptEnd) -> Report {
    use crate::ports::Attempt as _;
    let info = attempt.info();
    Report {
        finish: Finish::new(info.id, info.fence, end),
        name: info.name.clone(),
        run: info.run,
        attempt: info.attempt,
    }
}

fn span(claimed: &Claimed) -> Span {
    tracing::info_span!(
        "task",
        id = %claimed.id,
        name = %claimed.name,
        run = claimed.run,
        attempt = claimed.attempt,
        fence = claimed.fence.get(),
        request_id = claimed.label.as_ref().and_then(|it| it.origin.request_id.as_deref()),
    )
}
