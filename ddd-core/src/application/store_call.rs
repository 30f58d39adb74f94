//! How a store is called: polled once in place, so that memory answers at once; moved to a task of its own if it is pending,
//! so that no call is ever dropped half-way, unless the store [goes on by itself](TaskStore::goes_on).

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot};

use super::guard;
use crate::{
    domain::Timestamp,
    ports::{
        BoxError, ClaimRequest, Claims, Enqueued, Failure, Finish, Finished, NewTask, StoreError, StoreErrorKind,
        StoreFuture, TaskStore,
    },
};

/// Awaits a store's answer, at most `timeout` long. A call that takes longer goes on by itself; the caller is told that the
/// store did not answer.
///
/// # Errors
/// The store's own error, or that it did not answer.
pub(crate) async fn call<T: Send + 'static>(future: StoreFuture<T>, timeout: Duration) -> Result<T, StoreError> {
    call_or_late(future, timeout, drop).await
}

/// The same; an answer that comes too late is given to `late`.
///
/// # Errors
/// The store's own error, or that it did not answer.
pub(crate) async fn call_or_late<T: Send + 'static>(
    mut future: StoreFuture<T>,
    timeout: Duration,
    late: impl FnOnce(T) + Send + 'static,
) -> Result<T, StoreError> {
    if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(poll(&mut future, cx))).await {
        return answer;
    }
    detach(&Handle::current(), future, timeout, late).await
}

/// Lets a call that is pending go on by itself, whoever drops the future that awaits its answer.
///
/// # Errors
/// The store's own error, or that it did not answer within `timeout`; then `late` is given what it answers later.
pub(crate) fn detach<T: Send + 'static>(
    runtime: &Handle,
    future: StoreFuture<T>,
    timeout: Duration,
    late: impl FnOnce(T) + Send + 'static,
) -> impl Future<Output = Result<T, StoreError>> + Send + 'static {
    let (sender, mut receiver) = oneshot::channel();
    spawn(runtime, async move {
        if let Err(Ok(answer)) = sender.send(future.await) {
            late(answer);
        }
    });
    let unavailable = |error: BoxError| Err(StoreError::new(StoreErrorKind::Unavailable, error));
    let runtime = runtime.clone();
    async move {
        let in_time = {
            // It may be awaited outside of it, where there are no timers.
            let _entered = runtime.enter();
            tokio::time::timeout(timeout, &mut receiver)
        };
        match in_time.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(ended)) => unavailable(ended.into()),
            Err(elapsed) => {
                // From here on an answer is late; one that has just come is not.
                receiver.close();
                receiver.try_recv().unwrap_or_else(|_| unavailable(elapsed.into()))
            }
        }
    }
}

/// Awaits a call that goes on by itself, whoever drops the future that awaits its answer.
///
/// # Errors
/// The store's own error, or that it did not answer within `timeout`.
pub(crate) fn stay<T: Send + 'static>(
    future: StoreFuture<T>,
    timeout: Duration,
) -> impl Future<Output = Result<T, StoreError>> + Send + 'static {
    // Made now and not when it is awaited, which may be outside of a runtime.
    let answer = tokio::time::timeout(timeout, future);
    async move {
        let mut answer = pin!(answer);
        let unavailable = |elapsed| Err(StoreError::new(StoreErrorKind::Unavailable, elapsed));
        poll_fn(|cx| contained(|| answer.as_mut().poll(cx).map(|it| it.unwrap_or_else(unavailable)))).await
    }
}

/// Polls a call in place. A store that panics is one that does not answer: slots and signs of life outlive it, as they do
/// where the call has a task of its own.
fn poll<T>(future: &mut StoreFuture<T>, cx: &mut Context<'_>) -> Poll<Result<T, StoreError>> {
    contained(|| future.as_mut().poll(cx))
}

fn contained<T>(poll: impl FnOnce() -> Poll<Result<T, StoreError>>) -> Poll<Result<T, StoreError>> {
    catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|payload| Poll::Ready(Err(panicked(payload))))
}

/// Ends attempts and claims in one step, if the store does that. After a panic of the store the ends are to be told again.
pub(crate) fn finish_and_claim_now(
    store: &dyn TaskStore,
    finishes: &mut dyn Iterator<Item = Finish>,
    request: &ClaimRequest,
) -> Option<(Vec<Finished>, Claims)> {
    let answer = catch_unwind(AssertUnwindSafe(|| store.finish_and_claim_now(finishes, request)));
    answer.unwrap_or_else(|payload| {
        guard::discard(payload);
        None
    })
}

fn panicked(payload: Box<dyn Any + Send>) -> StoreError {
    let failure = Failure::of_panic(&*payload);
    guard::discard(payload);
    StoreError::new(StoreErrorKind::Unavailable, failure.message)
}

/// The answer, if the store has it at once; else the future, to be awaited elsewhere.
pub(crate) fn poll_now<T>(mut future: StoreFuture<T>) -> Result<Result<T, StoreError>, StoreFuture<T>> {
    match poll(&mut future, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => Err(future),
    }
}

/// Stores one task at once, if the store does that. A panic of the store is contained as in [`poll`].
pub(crate) fn enqueue_now(
    store: &dyn TaskStore,
    task: &mut Option<NewTask>,
    now: Option<Timestamp>,
) -> Option<Result<Enqueued, StoreError>> {
    match catch_unwind(AssertUnwindSafe(|| store.enqueue_now(task, now))) {
        Ok(answer) => answer.map(Ok),
        Err(payload) => Some(Err(panicked(payload))),
    }
}

/// Calls a store again and again, with growing pauses, until it answers with anything but a transient error, and as long as
/// `again` says that it is worth trying.
///
/// # Errors
/// An error that trying again cannot mend, or the last one.
pub(crate) async fn call_until_answered<T: Send + 'static>(
    mut make: impl FnMut() -> StoreFuture<T>,
    again: impl Fn() -> bool,
    timeout: Duration,
    what: &'static str,
) -> Result<T, StoreError> {
    let mut pause = Pause::default();
    loop {
        match call(make(), timeout).await {
            Err(error) if error.is_transient() && again() => pause.report_and_wait(&error, what).await,
            answer => return answer,
        }
    }
}

/// The growing pause between calls to a store that is away: 50 ms to 5 s, with jitter, so that workers do not come back
/// in step.
#[derive(Debug, Default)]
pub(crate) struct Pause(u32);

impl Pause {
    /// Logs the error, less and less often, and waits.
    pub(crate) async fn report_and_wait(&mut self, error: &StoreError, what: &'static str) {
        self.0 = (self.0 + 1).min(8);
        if self.0 == 1 || self.0 == 8 {
            tracing::warn!(error = error as &dyn std::error::Error, "{what}: the store does not answer; trying again");
        }
        let bound = Duration::from_millis(25 << self.0).min(Duration::from_secs(5));
        tokio::time::sleep(bound.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
    }
}

/// Runs a future on the application's runtime, from any thread.
pub(crate) fn spawn(runtime: &Handle, future: impl Future<Output = ()> + Send + 'static) {
    // The handle is not awaited: what runs here reports through its own channel.
    drop(runtime.spawn(future));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panics")]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn reason(answer: Result<(), StoreError>) -> String {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_stays_where_it_is_ends_in_time_whatever_the_store_does() {
        let limit = Duration::from_secs(5);
        assert!(reason(stay(Box::pin(pending()), limit).await).contains("elapsed"));
        let panics = async {
            tokio::task::yield_now().await;
            panic!("of the store")
        };
        assert!(reason(stay(Box::pin(panics), limit).await).contains("of the store"));
        let in_time = async move {
            tokio::time::sleep(limit).await;
            Ok(1)
        };
        assert_eq!(stay(Box::pin(in_time), limit).await.unwrap(), 1, "an answer that is there in the end counts");
        assert_eq!(stay(Box::pin(ready(Ok(2))), limit).await.unwrap(), 2);
    }

    #[test]
    fn a_call_that_was_detached_may_be_awaited_without_its_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut answer = pin!(detach(runtime.handle(), Box::pin(pending()), Duration::from_secs(5), drop));
        assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(runtime);
        // Its task is gone with the runtime.
        let Poll::Ready(answer) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it waits for a task that is gone")
        };
        reason(answer);
    }

    #[test]
    fn a_call_that_stays_may_be_awaited_without_its_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = {
            let _entered = runtime.enter();
            stay(Box::pin(pending()), Duration::from_secs(5))
        };
        let mut answer = pin!(answer);
        assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(runtime);
        // Its timer is gone with the runtime.
        let Poll::Ready(answer) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it waits for a timer that is gone")
        };
        reason(answer);
    }
}
