use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::runtime::Handle;

use crate::ports::BoxFuture;

/// Work that whoever awaits it does in place: to hand it to another task, and be woken by that, costs more than most of it. If it
/// is dropped before its end, it goes on in a task of its own.
pub(super) struct Driven {
    work: Option<BoxFuture<'static, ()>>,
    runtime: Handle,
}

impl Driven {
    /// # Panics
    /// There is no runtime.
    pub(super) fn new(work: BoxFuture<'static, ()>) -> Self {
        Self { work: Some(work), runtime: Handle::current() }
    }
}

impl Future for Driven {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.work {
            ready!(work.as_mut().poll(cx));
            self.work = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            drop(self.runtime.spawn(work));
        }
    }
}
