use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{handle::TaskHandle, submit_error::SubmitError};
use crate::ports::BoxFuture;

/// The future of a [`Submission`](crate::Submission).
pub struct Submitting<O>(State<O>);

enum State<O> {
    Done(Option<Result<TaskHandle<O>, SubmitError>>),
    Pending(BoxFuture<'static, Result<TaskHandle<O>, SubmitError>>),
}

impl<O> Submitting<O> {
    /// The store has answered.
    pub(crate) const fn done(answer: Result<TaskHandle<O>, SubmitError>) -> Self {
        Self(State::Done(Some(answer)))
    }

    /// The store has not answered yet.
    pub(crate) fn pending(answer: impl Future<Output = Result<TaskHandle<O>, SubmitError>> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(answer)))
    }
}

impl<O> Unpin for Submitting<O> {}

impl<O> Future for Submitting<O> {
    type Output = Result<TaskHandle<O>, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Done(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

impl<O> fmt::Debug for Submitting<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submitting")
    }
}
