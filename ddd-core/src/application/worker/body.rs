//! Runs one body to its end: within its time, until it is told to stop, and whatever it does.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tracing::Span;

use super::{
    attempt::{RunningAttempt, Stop, far},
    concealed::concealed,
};
use crate::{
    application::{
        current::{self, Inherited},
        guard,
        provide::Needed,
        registry::Registered,
        services::Services,
        task_span::note_failure,
        threads::Threads,
    },
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
    /// Its span; `None` if it is made only when somebody asks for it.
    pub(crate) span: Option<Span>,
}

/// What the caller is told while a body runs.
#[derive(Clone, Copy)]
pub(crate) struct Events<'a> {
    /// It did not end at its first poll, or runs on a thread.
    pub(crate) waits: &'a (dyn Fn() + Send + Sync),
    /// It runs over its time and cannot be dropped.
    pub(crate) overdue: &'a (dyn Fn() + Send + Sync),
}

/// Where the code of a body runs: in its span, and as what its submissions come from.
#[derive(Clone)]
struct Place {
    span: Span,
    inherited: Option<Inherited>,
}

impl Place {
    fn new(span: Option<Span>, attempt: &RunningAttempt) -> Self {
        match (span, attempt.inherited()) {
            (Some(span), inherited) => Self { span, inherited },
            (None, Some(inherited)) => {
                Self { span: Span::none(), inherited: Some(inherited.with_late_span(attempt.described())) }
            }
            (None, None) => Self { span: attempt.described().span(None), inherited: None },
        }
    }

    fn in_scope<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(|| current::within(&mut self.inherited, work))
    }
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
/// A blocking body cannot be dropped: at its deadline `events.overdue` is called, and it is awaited all the same.
pub(crate) async fn run(services: &Services, job: Job<'_>, events: Events<'_>) -> (Ended, Option<Needed>) {
    let context = TaskContext::new(job.attempt.clone());
    let mut place = Place::new(job.span, job.attempt);
    let mut needed = services.providers.recipes_for(job.registered.definition);
    let mut dependencies = services.providers.shared();
    let grace = services.settings.cancel_grace;
    if let Some(needed) = &mut needed {
        let shared = dependencies.clone();
        let made: BoxFuture<'_, Result<Dependencies, Failure>> = Box::pin(needed.make(&shared, &context));
        let ended = match drive(made, job.attempt, grace, &mut place, events).await {
            Ended::Returned(Ok(all)) => {
                dependencies = all;
                None
            }
            Ended::Returned(Err(failure)) => Some(Ended::Returned(Err(failure))),
            Ended::TimedOut => Some(Ended::TimedOut),
            Ended::Stopped(reason) => Some(Ended::Stopped(reason)),
        };
        if let Some(ended) = ended {
            // A factory may have started children.
            job.attempt.end_children().await;
            return (ended, Some(std::mem::take(needed)));
        }
    }
    let secret = (!job.registered.definition.secrets.is_empty()).then(|| job.params.clone());
    let for_hooks = services.hooks.has_around().then(|| context.clone());
    let wrap = |body| match &for_hooks {
        Some(context) => services.hooks.wrap(context, body),
        None => body,
    };
    let call = Call::new(job.params, context, dependencies);
    let ended = match job.registered.definition.body {
        Body::Async(start) => match guard::run(|| Ok(wrap(start(call)))) {
            Ok(body) => drive(body, job.attempt, grace, &mut place, events).await,
            Err(failure) => Ended::Returned(Err(failure)),
        },
        Body::Blocking(body) => {
            let (body, returned) = on_thread(&services.threads, body, call, place.clone());
            let ended = match guard::run(|| Ok(wrap(body))) {
                Ok(body) => wait_for(body, job.attempt, &mut place, events).await,
                Err(failure) => Ended::Returned(Err(failure)),
            };
            // A hook may have given up on the body: it runs on all the same.
            let left: BodyFuture = Box::pin(async { Ok(returned.await.ok().and(None)) });
            wait_for(left, job.attempt, &mut place, events).await;
            ended
        }
        Body::Remote => Ended::Returned(Err(Failure::permanent(
            FailureKind::Undecodable,
            format!("the body of `{}` lives in another binary", job.registered.name),
        ))),
    };
    drop(for_hooks);
    job.attempt.end_children().await;
    let ended = match (ended, secret) {
        // The check tells the same without a secret value.
        (Ended::Returned(Err(failure)), Some(params)) if failure.kind == FailureKind::Undecodable => {
            let told = (job.registered.definition.check)(&params).map_or_else(Failure::from, |_| failure);
            Ended::Returned(Err(told))
        }
        (Ended::Returned(Err(failure)), Some(params)) => {
            let message = concealed(failure.message, &params, job.registered.definition.secrets);
            Ended::Returned(Err(Failure { message, ..failure }))
        }
        (ended, _) => ended,
    };
    if let Ended::Returned(Err(failure)) = &ended {
        note_failure(&place.span, &failure.message);
    }
    (ended, needed)
}

/// Polls a future until it ends, is over its time, or is told to stop, and drops it before it returns.
///
/// The first poll comes before any timer is set: a body that never waits costs none.
async fn drive<T>(
    mut body: BoxFuture<'_, Result<T, Failure>>,
    attempt: &RunningAttempt,
    grace: Duration,
    place: &mut Place,
    events: Events<'_>,
) -> Ended<T> {
    let mut first = |cx: &mut Context<'_>| {
        let polled = guard::poll(body.as_mut(), cx);
        if polled.is_ready() {
            guard::discard(std::mem::replace(&mut body, Box::pin(pending())));
        }
        polled
    };
    let first = poll_fn(|cx| Poll::Ready(place.in_scope(|| first(cx)))).await;
    if let Poll::Ready(result) = first {
        return Ended::Returned(result);
    }
    (events.waits)();
    let mut deadline = pin!(sleep_until(attempt.until()));
    let mut grace_over = None;
    let stopped = attempt.stopped().clone();
    let mut told = Box::pin(stopped.notified());
    let ended = poll_fn(|cx| {
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
        match place.in_scope(|| guard::poll(body.as_mut(), cx)) {
            // It ended because it was told to: whether its work is done cannot be told, so it runs again.
            Poll::Ready(_) if reason == Stop::Release => Poll::Ready(Ended::Stopped(reason)),
            polled => polled.map(Ended::Returned),
        }
    })
    .await;
    place.in_scope(|| guard::discard(body));
    ended
}

/// Waits for a body that cannot be dropped.
async fn wait_for(mut body: BodyFuture, attempt: &RunningAttempt, place: &mut Place, events: Events<'_>) -> Ended {
    (events.waits)();
    let mut deadline = pin!(sleep_until(attempt.until()));
    let mut reported = false;
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = place.in_scope(|| guard::poll(body.as_mut(), cx)) {
            return Poll::Ready(result);
        }
        if !reported && deadline.as_mut().poll(cx).is_ready() {
            reported = true;
            (events.overdue)();
        }
        Poll::Pending
    })
    .await;
    place.in_scope(|| guard::discard(body));
    Ended::Returned(result)
}

/// A future that starts a body on a thread of its own and is completed by it; and one that ends when nothing of that body
/// runs, even if the first was dropped.
fn on_thread(
    threads: &Threads,
    body: fn(Call) -> Result<Option<Box<RawValue>>, Failure>,
    call: Call,
    mut place: Place,
) -> (BodyFuture, oneshot::Receiver<()>) {
    let (alive, returned) = oneshot::channel::<()>();
    let threads = threads.clone();
    let started = async move {
        let (sender, receiver) = oneshot::channel();
        let job = move || {
            let _alive = alive;
            // Nobody waits for it any more if the worker was shut down without it.
            let _ = sender.send(place.in_scope(|| guard::run(|| body(call))));
        };
        threads.run(job).map_err(|it| Failure::new(FailureKind::Error, format!("no thread could be started: {it}")))?;
        let ended = Failure::new(FailureKind::Panic, "its thread ended without a result".to_owned());
        receiver.await.unwrap_or(Err(ended))
    };
    (Box::pin(started), returned)
}
