//! The body of an answer: the request lasts as long as it does.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body as AnyBody, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::pulse::Pulse;

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Flight(Arc<Pulse>);

impl Flight {
    pub(super) fn begin(pulse: Arc<Pulse>, is_multiplexed: bool) -> Self {
        pulse.request_begins(is_multiplexed);
        Self(pulse)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Outbound {
    body: AnyBody,
    _flight: Flight,
}

impl Outbound {
    pub(super) const fn new(body: AnyBody, flight: Flight) -> Self {
        Self { body, _flight: flight }
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
