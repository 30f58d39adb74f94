//! Runs one body to its end: within its time, until it is told to stop, and whatever it does.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use serde_json::value::RawValue;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tracing::Span;

use super::{
    Threads,
    attempt::{RunningAttempt, Stop, far},
};
use crate::{
    application::{guard, provide::Needed, registry::Registered, services::Services},
    domain::FailureKind,
    ports::{Body, BodyFuture, BoxFuture, Call, Dependencies, Failure, TaskContext},
};

/// How long a body that listens may clean up when its worker ends: a part of what a shutdown may take over its deadline.
const RELEASE_GRACE: Duration = Duration::from_millis(100);

/// What is to be run.
pub(crate) struct Job<'a> {
    pub(crate) registered: &'a Registered,
    pub(crate) params: Arc<RawValue>,
    pub(crate) attempt: &'a Arc<RunningAttempt>,
    pub(crate) span: Span,
}

/// How a body ended.
#[derive(Debug)]
pub(crate) enum Ended<T = Option<Box<RawValue>>> {
    /// By itself; a panic is a failure.
    Returned(Result<T, Failure>),
    /// It was over its time, and was dropped.
    TimedOut,
    /// It was told to stop, and was dropped.
    Stopped(Stop),
}

/// Runs a body. When this returns nothing of it runs on, children included; only what its factories made is left to be
/// taken down by the caller, after the end is recorded.
///
/// A blocking body cannot be dropped: at its deadline `overdue` is called, and it is awaited all the same.
pub(crate) async fn run(
    services: &Services,
    threads: &Threads,
    job: Job<'_>,
    overdue: impl Fn(),
) -> (Ended, Option<Needed>) {
    let context = TaskContext::new(job.attempt.clone());
    let mut needed = services.providers.recipes_for(job.registered.definition);
    let mut dependencies = services.providers.shared();
    let grace = services.settings.cancel_grace;
    if let Some(needed) = &mut needed {
        let shared = dependencies.clone();
        let made: BoxFuture<'_, Result<Dependencies, Failure>> = Box::pin(needed.make(&shared, &context));
        match drive(made, job.attempt, grace, &job.span).await {
            Ended::Returned(Ok(all)) => dependencies = all,
            Ended::Returned(Err(failure)) => return (Ended::Returned(Err(failure)), self::needed(needed)),
            Ended::TimedOut => return (Ended::TimedOut, self::needed(needed)),
            Ended::Stopped(reason) => return (Ended::Stopped(reason), self::needed(needed)),
        }
    }
    let call = Call::new(job.params, context.clone(), dependencies);
    let ended = match job.registered.definition.body {
        Body::Async(start) => match guard::run(|| Ok(services.hooks.wrap(&context, start(call)))) {
            Ok(body) => drive(body, job.attempt, grace, &job.span).await,
            Err(failure) => Ended::Returned(Err(failure)),
        },
        Body::Blocking(body) => {
            let body = on_thread(threads, body, call, job.span.clone());
            match guard::run(|| Ok(services.hooks.wrap(&context, body))) {
                Ok(body) => wait_for(body, job.attempt, overdue, &job.span).await,
                Err(failure) => Ended::Returned(Err(failure)),
            }
        }
        Body::Remote => Ended::Returned(Err(Failure::permanent(
            FailureKind::Undecodable,
            format!("the body of `{}` lives in another binary", job.registered.name),
        ))),
    };
    job.attempt.end_children().await;
    (ended, needed)
}

fn needed(needed: &mut Needed) -> Option<Needed> {
    Some(std::mem::take(needed))
}

/// Polls a future until it ends, is over its time, or is told to stop, and drops it before it returns.
///
/// The first poll comes before any timer is set: a body that never waits costs none.
async fn drive<T>(
    mut body: BoxFuture<'_, Result<T, Failure>>,
    attempt: &RunningAttempt,
    grace: Duration,
    span: &Span,
) -> Ended<T> {
    let first = poll_fn(|cx| Poll::Ready(span.in_scope(|| guard::poll(body.as_mut(), cx)))).await;
    let ended = if let Poll::Ready(result) = first {
        Ended::Returned(result)
    } else {
        let mut deadline = pin!(sleep_until(attempt.until()));
        let mut grace_over = None;
        let stopped = attempt.stopped().clone();
        let mut told = Box::pin(stopped.notified());
        poll_fn(|cx| {
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ended::TimedOut);
            }
            // Registered before the reason is read, so that a reason given in between is not missed.
            while told.as_mut().poll(cx).is_ready() {
                told.set(stopped.notified());
            }
            let reason = attempt.stop_reason();
            let grace = match reason {
                Stop::None => None,
                Stop::Cancel if attempt.is_listening() => Some(grace),
                Stop::Release if attempt.is_listening() => Some(RELEASE_GRACE.min(grace)),
                reason => return Poll::Ready(Ended::Stopped(reason)),
            };
            if let Some(grace) = grace {
                if grace_over.as_ref().is_none_or(|it: &(Stop, _)| it.0 != reason) {
                    grace_over = Some((reason, Box::pin(sleep_until(far(Instant::now(), grace)))));
                }
                if grace_over.as_mut().is_some_and(|it| it.1.as_mut().poll(cx).is_ready()) {
                    return Poll::Ready(Ended::Stopped(reason));
                }
            }
            match span.in_scope(|| guard::poll(body.as_mut(), cx)) {
                // It did not fail: it ended because it was told to.
                Poll::Ready(Err(_)) if reason == Stop::Release => Poll::Ready(Ended::Stopped(reason)),
                polled => polled.map(Ended::Returned),
            }
        })
        .await
    };
    span.in_scope(|| guard::discard(body));
    ended
}

/// Waits for a body that cannot be dropped.
async fn wait_for(mut body: BodyFuture, attempt: &RunningAttempt, overdue: impl Fn(), span: &Span) -> Ended {
    let mut deadline = pin!(sleep_until(attempt.until()));
    let mut reported = false;
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = span.in_scope(|| guard::poll(body.as_mut(), cx)) {
            return Poll::Ready(result);
        }
        if !reported && deadline.as_mut().poll(cx).is_ready() {
            reported = true;
            overdue();
        }
        Poll::Pending
    })
    .await;
    span.in_scope(|| guard::discard(body));
    Ended::Returned(result)
}

/// A future that a body on a thread of its own completes.
fn on_thread(
    threads: &Threads,
    body: fn(Call) -> Result<Option<Box<RawValue>>, Failure>,
    call: Call,
    span: Span,
) -> BodyFuture {
    let (sender, receiver) = oneshot::channel();
    let started = threads.run(move || {
        // Nobody waits for it any more if the worker was shut down without it.
        let _ = sender.send(span.in_scope(|| guard::run(|| body(call))));
    });
    Box::pin(async move {
        started.map_err(|it| Failure::new(FailureKind::Error, format!("no thread could be started: {it}")))?;
        let ended = Failure::new(FailureKind::Panic, "its thread ended without a result".to_owned());
        receiver.await.unwrap_or(Err(ended))
    })
}
