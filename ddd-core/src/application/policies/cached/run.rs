//! How a body is run: by the caller, apart from the caller, or by a thread that waits for it.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use tokio::{runtime::Handle, task::coop::unconstrained};

use super::{
    super::ambient,
    flight::Flight,
    seat::{Made, Seat},
};
use crate::{
    application::guard::discard,
    domain::Moment,
    ports::{CacheRules, Refusal},
};

/// Polls a part of the body; a panic is caught.
fn poll<K, R, X>(
    flight: &Flight<K, R>,
    future: Pin<&mut impl Future<Output = Result<R, X>>>,
    cx: &mut Context<'_>,
) -> Poll<Made<R, X>> {
    match catch_unwind(AssertUnwindSafe(|| flight.lead(|| future.poll(cx)))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(made)) => Poll::Ready(Ok(made)),
        Err(payload) => Poll::Ready(Err(payload)),
    }
}

/// Runs the body as a part of its caller. If the caller is dropped, the turn goes to the next who waits.
pub(super) async fn driven<K, R, X>(
    seat: Seat<K, R>,
    rules: &impl CacheRules<R>,
    future: impl Future<Output = Result<R, X>>,
) -> Result<R, X>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    let began = ambient::now();
    let mut future = pin!(future);
    let made = poll_fn(|cx| poll(&seat.flight, future.as_mut(), cx)).await;
    answer(seat.conclude(rules, began, made))
}

/// Runs the body apart from its caller, except for its first part: most of those that end at once need no task.
pub(super) async fn detached<K, R, X>(
    seat: Seat<K, R>,
    rules: impl CacheRules<R> + Send + 'static,
    future: impl Future<Output = Result<R, X>> + Send + 'static,
) -> Result<R, X>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    let Ok(runtime) = Handle::try_current() else { return driven(seat, &rules, future).await };
    let began = ambient::now();
    let mut future = Box::pin(future);
    if let Poll::Ready(made) = poll_fn(|cx| Poll::Ready(poll(&seat.flight, future.as_mut(), cx))).await {
        discard(future);
        return answer(seat.conclude(&rules, began, made));
    }
    match runtime.spawn(ambient::carried(rest(seat, rules, began, future))).await {
        Ok(made) => answer(made),
        Err(_) => resume_unwind(Box::new("the runtime ended while a cached value was being made")),
    }
}

/// Answers with the value that is there, and runs the body in the background; without a runtime, in place of it.
pub(super) async fn refreshed<K, R, X>(
    value: R,
    seat: Seat<K, R>,
    rules: impl CacheRules<R> + Send + 'static,
    future: impl Future<Output = Result<R, X>> + Send + 'static,
) -> Result<R, X>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    match Handle::try_current() {
        Ok(runtime) => {
            spawned(&runtime, seat, rules, future);
            Ok(value)
        }
        Err(_) => driven(seat, &rules, future).await,
    }
}

/// Runs the body in the background, from its first part on.
fn spawned<K, R, X>(
    runtime: &Handle,
    seat: Seat<K, R>,
    rules: impl CacheRules<R> + Send + 'static,
    future: impl Future<Output = Result<R, X>> + Send + 'static,
) where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    let rest = rest(seat, rules, ambient::now(), Box::pin(future));
    drop(runtime.spawn(ambient::carried(async move { discard(rest.await) })));
}

/// Runs what is left of a body that began then, apart from its caller.
async fn rest<K, R, X>(
    seat: Seat<K, R>,
    rules: impl CacheRules<R>,
    began: Moment,
    mut future: Pin<Box<impl Future<Output = Result<R, X>>>>,
) -> Made<R, X>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    let made = poll_fn(|cx| poll(&seat.flight, future.as_mut(), cx)).await;
    discard(future);
    seat.conclude(&rules, began, made)
}

/// Runs the body of a function that is not async.
pub(super) fn now<K, R, X>(
    seat: Seat<K, R>,
    rules: &impl CacheRules<R>,
    body: impl FnOnce() -> Result<R, X>,
) -> Result<R, X>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
    X: Refusal,
{
    let began = ambient::now();
    let made = catch_unwind(AssertUnwindSafe(|| seat.flight.lead(body)));
    answer(seat.conclude(rules, began, made))
}

/// A panic of the body goes on in its caller, and in everybody who waited.
pub(super) fn answer<R, X>(made: Made<R, X>) -> Result<R, X> {
    made.unwrap_or_else(|payload| resume_unwind(payload))
}

/// Waits for a future on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    // The caller may be a task whose budget is used up, which would keep the future from ever being ready.
    let mut future = pin!(unconstrained(future));
    loop {
        if let Poll::Ready(it) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return it;
        }
        thread::park();
    }
}
