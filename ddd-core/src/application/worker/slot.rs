//! Room for one body: takes a task, runs it, reports how it ended, takes the next.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Ended, Events, Job,
    attempt::{Attempts, Overdue, RunningAttempt, Stop, Surroundings},
    body,
    cell::Cell,
    crew::Done,
    finisher::Report,
    shared::Shared,
};
use crate::{
    application::{registry::Registered, task_span},
    domain::{AttemptError, FailureKind},
    ports::{Attempt as _, AttemptEnd, Failure, FailureOutcome, Finish},
};

/// The life of a slot.
pub(crate) async fn live(shared: Arc<Shared>, cell: Arc<Cell>) {
    let progress = Some(shared.progress.clone());
    let surroundings =
        Surroundings { runtime: shared.services.runtime.clone(), progress, worker: Some(shared.id), holders: 2 };
    let mut attempts = Attempts::new(Arc::new(surroundings));
    let mut known = None;
    let mut reports = Vec::new();
    let mut done = None;
    while let Some(taken) = shared.feed.next(done.as_ref(), &mut reports).await {
        let queue = taken.queue;
        cell.line_up(taken.tasks);
        let mut quick = Some(0);
        let mut began = None;
        let mut first = None;
        let mut report = None;
        while let Some(ran) = run(&shared, &cell, (&mut attempts, &mut known), &mut report, &mut reports).await {
            // The beginning of each tells how long the one before it took: no clock is read for that.
            let took_long = began.is_some_and(|it| ran.began - it > LONG);
            if took_long {
                give_line_back(&shared, &cell);
            }
            quick = quick.filter(|_| ran.was_quick && !took_long).map(|it| it + 1);
            began = Some(ran.began);
            first = first.or(began);
            // A body that never waits, over a store that answers at once, would keep the thread from everything else.
            tokio::task::consume_budget().await;
        }
        let now = Instant::now();
        quick = quick.filter(|_| began.is_none_or(|it| now - it <= LONG));
        let took = first.map_or(Duration::ZERO, |it| now - it);
        shared.finisher.room().await;
        done = Some(Done { queue, quick, took });
        // They are written with the next claim, if the store does both at once.
        cell.take_reports(&mut reports);
    }
    shared.remove(&cell);
}

/// A body that takes longer keeps others in its slot's line waiting for too long.
const LONG: Duration = Duration::from_millis(1);

/// What a slot has run.
struct Ran {
    began: Instant,
    /// Whether its body ended at its first poll.
    was_quick: bool,
}

/// Gives back what is in the line of a slot that cannot get to it soon, and reports what has ended.
fn give_line_back(shared: &Shared, cell: &Cell) {
    let (not_run, mut reports) = cell.clear();
    shared.finisher.push_all(&mut reports);
    shared.finisher.give_back(not_run.into_iter());
}

/// Runs the next task in line and reports its end; `None` if there is none. `last` is the report of the one before, and becomes that
/// of this one, if it need not be written at once. `known` is the definition of the last one, `reports` is room for reports.
async fn run<'a>(
    shared: &'a Shared,
    cell: &Cell,
    (attempts, known): (&mut Attempts, &mut Option<&'a Registered>),
    last: &mut Option<Report>,
    reports: &mut Vec<Report>,
) -> Option<Ran> {
    let mut began = None;
    let begun = cell.turn(last, |line| {
        let next = line.front()?;
        let began = *began.insert(Instant::now());
        let Some(registered) = shared.services.registry.find_again(known, &next.name) else {
            return line.pop_front().map(Box::new).map(Err);
        };
        let waited = next.started_at.since(next.due);
        let (attempt, params) = attempts.begin(line, began)?;
        Some(Ok((attempt, (params, registered, waited))))
    })?;
    let began = began?;
    let (attempt, (params, registered, waited)) = match begun {
        Ok(begun) => begun,
        Err(claimed) => {
            // The store hands out only what was declared; what was not is for another worker.
            let (id, name) = (claimed.id, &claimed.name);
            tracing::error!(task_id = %id, task_name = %name, "claimed a task that is not linked into this program");
            cell.end(Some(Report::unbegun(*claimed, AttemptEnd::Release)));
            return Some(Ran { began, was_quick: false });
        }
    };
    shared.stop_if_told_before(&attempt);
    registered.meters.began(waited);
    let span = (!task_span::is_late()).then(|| task_span::of(|| attempt.described(), attempt.info().origin.as_ref()));
    let job = Job { registered, params, attempt: &attempt, span };
    let waited = AtomicBool::new(false);
    let waits = || {
        waited.store(true, Ordering::Relaxed);
        shared.feed.body_waits();
        give_line_back(shared, cell);
    };
    let overdue = || report_overdue(shared, &attempt);
    let events = Events { waits: &waits, overdue: &overdue };
    let (ended, needed) = body::run(&shared.services, job, events).await;
    registered.meters.ended(|| began.elapsed(), kind_of(&ended));
    let end = match attempt.end() {
        Overdue::Final => Some(AttemptEnd::Stopped),
        Overdue::Retryable => Some(timed_out(registered, &attempt)),
        Overdue::No | Overdue::Ended => end_of(shared, registered, &attempt, ended),
    };
    if matches!(end, Some(AttemptEnd::Release)) {
        attempt.set_given_back();
    }
    *last = end.map(|it| report(&attempt, it));
    let was_quick = !waited.load(Ordering::Relaxed);
    if !was_quick || needed.is_some() {
        cell.end(last.take());
        cell.take_reports(reports);
        shared.finisher.push_all(reports);
    }
    if let Some(needed) = needed {
        needed.teardown(shared.services.settings.teardown_timeout).await;
    }
    attempts.end(attempt);
    Some(Ran { began, was_quick })
}

/// How the attempt failed, if it did.
const fn kind_of(ended: &Ended) -> Option<FailureKind> {
    match ended {
        Ended::Returned(Err(failure)) => Some(failure.kind),
        Ended::TimedOut => Some(FailureKind::Timeout),
        Ended::Stopped(Stop::Cancel) => Some(FailureKind::Cancelled),
        Ended::Returned(Ok(_)) | Ended::Stopped(_) => None,
    }
}

/// What is reported of an end; `None` if the claim is no longer ours.
fn end_of(shared: &Shared, registered: &Registered, attempt: &RunningAttempt, ended: Ended) -> Option<AttemptEnd> {
    let limits = &shared.services.settings.store.limits;
    let end = match ended {
        Ended::Returned(_) if attempt.was_told_of_release() => AttemptEnd::Release,
        Ended::Returned(Ok(Some(json))) if json.get().len() > limits.result => {
            let (size, most) = (json.get().len(), limits.result);
            let message = format!("the result has {size} bytes of JSON; at most {most} are stored");
            failed(registered, attempt, Failure::permanent(FailureKind::Result, message))
        }
        Ended::Returned(Ok(json)) => {
            AttemptEnd::Success { result: json.map(Arc::from), ttl: registered.settings.result_ttl }
        }
        Ended::Returned(Err(failure)) => failed(registered, attempt, failure.truncated(limits.error)),
        Ended::TimedOut => timed_out(registered, attempt),
        Ended::Stopped(Stop::Lost | Stop::None) => return None,
        Ended::Stopped(Stop::Release) => AttemptEnd::Release,
        Ended::Stopped(Stop::Cancel) => {
            AttemptEnd::Cancelled(AttemptError::new(FailureKind::Cancelled, "cancelled while running".to_owned()))
        }
    };
    Some(end)
}

fn failed(registered: &Registered, attempt: &RunningAttempt, failure: Failure) -> AttemptEnd {
    let error = AttemptError::new(failure.kind, failure.message);
    let info = attempt.info();
    let is_left = info.attempt < info.max_attempts;
    match failure.outcome {
        FailureOutcome::Snooze(delay) => AttemptEnd::Snooze { delay },
        FailureOutcome::Cancel => AttemptEnd::Cancelled(AttemptError::new(FailureKind::Cancelled, error.message)),
        FailureOutcome::Retry if is_left => {
            let delay = registered.settings.retry.delay_after(info.attempt, fastrand::f64());
            AttemptEnd::Retry { error, delay }
        }
        FailureOutcome::RetryAfter(delay) if is_left => AttemptEnd::Retry { error, delay },
        FailureOutcome::Retry | FailureOutcome::RetryAfter(_) | FailureOutcome::Permanent => AttemptEnd::Failed(error),
    }
}

fn timed_out(registered: &Registered, attempt: &RunningAttempt) -> AttemptEnd {
    match failed(registered, attempt, Failure::new(FailureKind::Timeout, over_time(attempt.timeout()))) {
        AttemptEnd::Failed(error) => AttemptEnd::Timeout { error, still_running: false },
        end => end,
    }
}

fn over_time(timeout: Duration) -> String {
    format!("ran over its timeout of {timeout:?}")
}

/// Reports that a body runs over its time and cannot be stopped, unless it has ended or that was reported.
pub(super) fn report_overdue(shared: &Shared, attempt: &RunningAttempt) {
    let info = attempt.info();
    let message = format!("{}, and could not be stopped", over_time(attempt.timeout()));
    let error = AttemptError::new(FailureKind::Timeout, message);
    let (as_what, end) = if info.attempt < info.max_attempts {
        (Overdue::Retryable, AttemptEnd::Overdue(error))
    } else {
        (Overdue::Final, AttemptEnd::Timeout { error, still_running: true })
    };
    if attempt.mark_overdue(as_what) {
        tracing::warn!(task_id = %info.id, task_name = %info.name, "a body runs over its timeout and cannot be stopped");
        shared.finisher.push(report(attempt, end));
    }
}

pub(super) fn report(attempt: &RunningAttempt, end: AttemptEnd) -> Report {
    let info = attempt.info();
    Report {
        finish: Finish::new(info.id, info.fence, end),
        name: info.name.clone(),
        run: info.run,
        attempt: info.attempt,
    }
}
