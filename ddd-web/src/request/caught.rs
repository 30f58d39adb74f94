//! Panics end a request, not more.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

/// Awaits a future; `None` if it panicked. What is dropped afterwards may panic as well, without harm.
pub(crate) async fn caught<T>(future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Option<T> {
    let mut future = Some(future);
    let ended = poll_fn(|cx| {
        let Some(running) = future.as_mut() else { return std::task::Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(payload) => {
                discard(payload);
                std::task::Poll::Ready(None)
            }
        }
    })
    .await;
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(future.take()))) {
        discard(payload);
    }
    ended
}

/// Drops what a panic carried.
fn discard(payload: Box<dyn Any + Send>) {
    let mut next = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    for _ in 0..8 {
        let Err(payload) = next else { return };
        next = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    }
}
