//! Keeps panics of users' code where they happen.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use crate::ports::{BoxFuture, Failure};

/// Polls; a panic is a failure.
pub(crate) fn poll<T>(
    future: Pin<&mut (impl Future<Output = Result<T, Failure>> + ?Sized)>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Failure>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(poll) => poll,
        Err(payload) => Poll::Ready(Err(failure_of(payload))),
    }
}

/// Runs; a panic is a failure.
pub(crate) fn run<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(failure_of(payload)))
}

/// Drops; a panic is logged, and that is all.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        tracing::error!("a destructor panicked: {}", Failure::of_panic(&*payload).message);
        // A payload whose own destructor panics as well is left alone for good.
        if let Err(endless) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Box::leak(endless);
        }
    }
}

/// A future whose panics end it, wherever they happen: in a poll or in its destructor. They are logged, and that is all.
pub(crate) struct Contained(Option<BoxFuture<'static, ()>>);

impl Contained {
    pub(crate) const fn new(future: BoxFuture<'static, ()>) -> Self {
        Self(Some(future))
    }
}

impl Future for Contained {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = &mut self.0 else { return Poll::Ready(()) };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => {}
            Err(payload) => tracing::error!("{}", failure_of(payload).message),
        }
        discard(self.0.take());
        Poll::Ready(())
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

fn failure_of(payload: Box<dyn Any + Send>) -> Failure {
    let failure = Failure::of_panic(&*payload);
    discard(payload);
    failure
}
