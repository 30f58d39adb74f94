//! A service that takes submissions, as far as the measurements need one.

use std::{future::Future, net::SocketAddr};

use axum::Router;

/// What becomes of the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// They are queued; another process would run them.
    Left,
    /// They are run while others are submitted, and all have ended before the time is taken.
    Done,
}

/// A service whose tasks do nothing.
pub(crate) trait Service: Sized + Send + 'static {
    /// A fresh one.
    fn new(work: Work) -> impl Future<Output = Self> + Send;

    /// Its routes, to be called without a connection.
    fn router(&self) -> Router;

    /// Serves its routes on a free port, as its documentation says to; answers with its address.
    fn serve(&self) -> impl Future<Output = SocketAddr> + Send;

    /// Waits until everything that was submitted has been run.
    fn finish(&self) -> impl Future<Output = ()> + Send;
}
