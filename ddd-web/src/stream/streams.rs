//! What the streams of an API share: how many there may be, and for how long.

use std::{sync::Arc, time::Duration};

use axum::http::Extensions;
use ddd_core::App;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    event::Text,
    hub::Hub,
    outlet::{Gone, Outlet},
    owners::Owners,
    position::Position,
};
use crate::{
    drain::Drain,
    problem::{Problem, codes},
};

/// The bounds of streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    /// At most so many at a time.
    pub(crate) most: usize,
    /// After this long a stream ends, and its client comes again.
    pub(crate) longest: Duration,
}

impl StreamLimits {
    /// A longer time, which cannot be added to every instant, is cut to a year.
    pub(crate) fn new(most: usize, longest: Duration) -> Self {
        const FAR: Duration = Duration::from_secs(365 * 24 * 3_600);
        Self { most, longest: longest.min(FAR) }
    }
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { most: 100, longest: Duration::from_secs(15 * 60) }
    }
}

/// What the streams of an API share.
#[derive(Debug)]
pub(crate) struct Streams {
    pub(super) hub: Hub,
    pub(super) owners: Owners,
    limits: StreamLimits,
    room: Arc<Semaphore>,
}

impl Streams {
    pub(crate) fn new(app: &App, limits: StreamLimits) -> Self {
        let room = Arc::new(Semaphore::new(limits.most.min(Semaphore::MAX_PERMITS)));
        Self { hub: Hub::new(app.clone()), owners: Owners::default(), limits, room }
    }

    /// A place for a stream.
    pub(super) fn place(&self, extensions: &Extensions) -> Result<Place, Problem> {
        let drain = extensions.get::<Drain>().cloned().unwrap_or_default();
        if drain.has_begun() {
            return Err(Problem::of(&codes::SHUTTING_DOWN).retry_after(RETRY));
        }
        let permit = self.room.clone().try_acquire_owned().map_err(|_| {
            Problem::of(&codes::TOO_MANY_STREAMS)
                .detail(format!("at most {} streams are open at a time", self.limits.most))
                .retry_after(FULL)
        })?;
        let until = Instant::now() + self.limits.longest;
        Ok(Place { drain, until, next_sign: Instant::now() + KEEP_ALIVE, _permit: permit })
    }
}

/// After this long a client that lost its stream comes again.
const RETRY: Duration = Duration::from_secs(1);
/// After this long there may be room for another stream.
const FULL: Duration = Duration::from_secs(5);
/// A stream says something at least this often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A task's record is looked at this often: hints can be lost, and other processes end tasks unseen.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// A stream's place among all.
#[derive(Debug)]
pub(super) struct Place {
    drain: Drain,
    until: Instant,
    next_sign: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Sends a piece; what is sent is a sign of life.
    pub(super) async fn send(&mut self, outlet: &Outlet, text: Text) -> Result<(), Gone> {
        if text.is_empty() {
            return Ok(());
        }
        self.next_sign = Instant::now() + KEEP_ALIVE;
        tokio::select! {
            sent = outlet.send(text.into_bytes()) => sent,
            // A client that takes nothing must not outlast the rest.
            () = tokio::time::sleep_until(self.until) => Err(Gone),
            () = self.drain.streams_end() => Err(Gone),
        }
    }

    /// Waits for `event`; meanwhile says signs of life. `None` if the stream is over.
    pub(super) async fn wait<T>(
        &mut self,
        outlet: &Outlet,
        seen: Position,
        event: impl Future<Output = T>,
    ) -> Option<T> {
        let mut event = std::pin::pin!(event);
        loop {
            let reason = tokio::select! {
                biased;
                () = self.drain.streams_end() => "shutting_down",
                () = outlet.gone() => return None,
                it = event.as_mut() => return Some(it),
                () = tokio::time::sleep_until(self.until) => "time_limit",
                () = tokio::time::sleep_until(self.next_sign) => {
                    self.next_sign = Instant::now() + KEEP_ALIVE;
                    outlet.send(Text::keep_alive()).await.ok()?;
                    continue;
                }
            };
            let mut text = Text::default();
            text.reconnect(seen, RETRY, reason);
            // A client that is behind does not hear it, and comes again all the same.
            let _ = tokio::time::timeout(RETRY / 4, outlet.send(text.into_bytes())).await;
            return None;
        }
    }
}
