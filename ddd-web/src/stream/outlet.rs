//! The body of a stream's answer, and who fills it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use http_body::Frame;
use tokio::sync::mpsc;

/// Where a stream's text goes. It holds one piece that the client has not taken: who fills it waits, so a slow client costs no
/// memory.
#[derive(Debug)]
pub(super) struct Outlet(mpsc::Sender<Bytes>);

/// The client is gone.
#[derive(Debug)]
pub(super) struct Gone;

impl Outlet {
    /// An outlet, and the answer that it fills.
    pub(super) fn new() -> (Self, Response) {
        let (sender, receiver) = mpsc::channel(1);
        let mut response = Response::new(Body::new(Pieces(receiver)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // Proxies that gather answers would hold events back.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        (Self(sender), response)
    }

    /// Sends a piece when the client has taken the one before.
    pub(super) async fn send(&self, piece: Bytes) -> Result<(), Gone> {
        self.0.send(piece).await.map_err(|_| Gone)
    }

    /// Waits until the client is gone.
    pub(super) async fn gone(&self) {
        self.0.closed().await;
    }
}

#[derive(Debug)]
struct Pieces(mpsc::Receiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|it| Ok(Frame::data(it))))
    }
}
