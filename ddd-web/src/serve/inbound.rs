//! The body of a request, within its bounds of size and time.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::Pulse;

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    TooLarge,
    TooSlow,
}

/// Where a fault of a body is noted for those who no longer have the body.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<AtomicU8>);

impl Faults {
    pub(super) fn found(&self) -> Option<Fault> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::TooLarge),
            _ => Some(Fault::TooSlow),
        }
    }

    fn note(&self, fault: Fault) -> BodyError {
        self.0.store(if fault == Fault::TooLarge { 1 } else { 2 }, Ordering::Relaxed);
        BodyError::Bounds(fault)
    }
}

/// A body that did not arrive.
#[derive(Debug)]
pub(super) enum BodyError {
    Bounds(Fault),
    Broken(hyper::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bounds(Fault::TooLarge) => "the body is too large",
            Self::Bounds(Fault::TooSlow) => "the body took too long",
            Self::Broken(_) => "the body did not arrive whole",
        })
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Broken(error) = self { Some(error) } else { None }
    }
}

/// The body of a request, within its bounds.
#[derive(Debug)]
pub(super) struct Inbound {
    body: Incoming,
    left: u64,
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    pulse: Arc<Pulse>,
    faults: Faults,
}

impl Inbound {
    /// At most `most` bytes, all of them by `due`.
    pub(super) const fn new(body: Incoming, most: u64, due: Instant, pulse: Arc<Pulse>, faults: Faults) -> Self {
        Self { body, left: most, due, timer: None, pulse, faults }
    }
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() {
            self.pulse.body_is_due();
            let due = self.due;
            ready!(self.timer.get_or_insert_with(|| Box::pin(sleep_until(due))).as_mut().poll(cx));
            return Poll::Ready(Some(Err(self.faults.note(Fault::TooSlow))));
        }
        self.pulse.body_came();
        polled.map(|frame| {
            frame.map(|frame| {
                let frame = frame.map_err(BodyError::Broken)?;
                let length = frame.data_ref().map_or(0, |it| it.len() as u64);
                self.left = self.left.checked_sub(length).ok_or_else(|| self.faults.note(Fault::TooLarge))?;
                Ok(frame)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
