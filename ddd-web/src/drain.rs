//! The end of serving, told to those who hold requests open.

use std::sync::Arc;

use tokio::sync::watch;

/// How far the end of a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves.
    Serving,
    /// It still serves, and says that it will not for long: readiness is down.
    Draining,
    /// It takes no more connections; requests that would stay open for long end now.
    Ending,
    /// What is still open is cut.
    Cut,
}

/// Whether a server goes on or is about to end: what readiness, streams and long polls look at.
///
/// [`serve`](crate::serve()) makes one, moves it on when the process is told to end, and puts it into the extensions of every
/// request, where handlers of your own find it too. With another server, put one there yourself:
///
/// ```
/// use axum::{Extension, Router};
/// use ddd_web::Drain;
///
/// let drain = Drain::new();
/// let router: Router = Router::new().layer(Extension(drain.clone()));
/// // … and before the process ends:
/// drain.begin();
/// drain.end_streams();
/// assert!(drain.has_begun());
/// ```
#[derive(Clone, Debug)]
pub struct Drain(Arc<watch::Sender<Phase>>);

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// One of a server that goes on.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Serving)))
    }

    /// Takes readiness down. A second call does nothing.
    pub fn begin(&self) {
        self.advance(Phase::Draining);
    }

    /// Ends streams and long polls; readiness is down from here on as well.
    pub fn end_streams(&self) {
        self.advance(Phase::Ending);
    }

    /// Whether the server is about to end: what balances load should send requests elsewhere.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    /// Waits until streams and long polls are to end.
    pub async fn streams_end(&self) {
        self.reached(Phase::Ending).await;
    }

    pub(crate) fn cut(&self) {
        self.advance(Phase::Cut);
    }

    pub(crate) fn phases(&self) -> watch::Receiver<Phase> {
        self.0.subscribe()
    }

    async fn reached(&self, wanted: Phase) {
        // Never an error: the sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|phase| *phase >= wanted).await;
    }

    fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let is_later = *phase < to;
            *phase = to.max(*phase);
            is_later
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_only_moves_on() {
        let drain = Drain::new();
        assert!(!drain.has_begun());
        drain.end_streams();
        drain.begin();
        assert!(drain.has_begun());
        drain.streams_end().await;
        assert_eq!(*drain.phases().borrow(), Phase::Ending);
    }
}
