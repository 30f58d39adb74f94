use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{domain::Refused, ports::BoxFuture};

/// Whether a call may pass, as soon as that is known: mostly at once.
#[must_use = "a call passes only when this is awaited"]
pub struct Admission(Stage);

enum Stage {
    /// `None` once it was told.
    Known(Option<Result<(), Refused>>),
    /// On the heap: few calls wait, and the others need not carry what a wait needs.
    Waits(BoxFuture<'static, Result<(), Refused>>),
}

impl Admission {
    pub(super) const fn known(answer: Result<(), Refused>) -> Self {
        Self(Stage::Known(Some(answer)))
    }

    pub(super) fn waits(future: impl Future<Output = Result<(), Refused>> + Send + 'static) -> Self {
        Self(Stage::Waits(Box::pin(future)))
    }
}

impl Future for Admission {
    type Output = Result<(), Refused>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // One that was told already is never told again: it stays pending instead of passing twice.
            Stage::Known(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Stage::Waits(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}
