//! One subscription to the application's transitions for all streams.

use std::{sync::Arc, time::Duration};

use ddd_core::{App, Lagged, Transition, Transitions};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::{
    position::Position,
    ring::{News, Read, Ring},
};

/// Where streams come from. It subscribes with the first of them, and for a while after the last has gone, so that one that
/// lost its connection can go on; else the application's tasks cost nothing more.
#[derive(Clone, Debug)]
pub(super) struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app: App,
    state: Mutex<State>,
    /// Changes with every batch of news.
    news: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    /// Which subscription this is: numbers of another mean nothing here.
    epoch: u64,
    ring: Ring,
    readers: usize,
    is_subscribed: bool,
    /// When the last reader went.
    left: Instant,
}

impl Hub {
    /// So many transitions are kept: a stream that is further behind misses some.
    const CAPACITY: usize = 4_096;
    /// So long after the last stream a lost one can be gone on with.
    const KEPT: Duration = Duration::from_secs(60);
    /// News are passed on at most so often.
    const PACE: Duration = Duration::from_millis(5);

    pub(super) fn new(app: App) -> Self {
        let state =
            State { epoch: 0, ring: Ring::new(Self::CAPACITY), readers: 0, is_subscribed: false, left: Instant::now() };
        Self(Arc::new(Inner { app, state: Mutex::new(state), news: watch::Sender::new(()) }))
    }

    /// A reader of all that comes from now on; or of what came after `seen`, if that is still here.
    ///
    /// Answers as well whether `seen` is.
    pub(super) fn read_after(&self, seen: Option<Position>) -> (Reader, bool) {
        let mut state = self.0.state.lock();
        state.readers += 1;
        if !state.is_subscribed {
            state.is_subscribed = true;
            state.epoch = fresh_epoch(state.epoch);
            state.ring = Ring::new(Self::CAPACITY);
            drop(tokio::spawn(pump(self.0.clone(), self.0.app.tasks().transitions())));
        }
        let goes_on = seen.filter(|it| it.epoch == state.epoch && state.ring.holds_after(it.number));
        let epoch = state.epoch;
        let number = goes_on.map_or_else(|| state.ring.last(), |it| it.number);
        drop(state);
        let reader = Reader { hub: self.clone(), news: self.0.news.subscribe(), seen: Position { epoch, number } };
        (reader, goes_on.is_some())
    }
}

/// Unlike any before, in this process and the last.
fn fresh_epoch(before: u64) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default().max(before + 1)
}

/// Takes transitions as they come, until nobody has read for a while.
async fn pump(inner: Arc<Inner>, mut transitions: Transitions) {
    loop {
        let first = tokio::select! {
            first = transitions.next() => Some(first),
            () = tokio::time::sleep(Hub::KEPT) => None,
        };
        if !inner.take(first, &mut transitions) {
            return;
        }
        inner.news.send_replace(());
        tokio::time::sleep(Hub::PACE).await;
    }
}

impl Inner {
    /// Takes all transitions that are there; or none, if nobody has read for a while.
    fn take(&self, first: Option<Result<Transition, Lagged>>, transitions: &mut Transitions) -> bool {
        let mut state = self.state.lock();
        if state.readers == 0 && state.left.elapsed() >= Hub::KEPT {
            state.is_subscribed = false;
            state.ring = Ring::new(0);
            return false;
        }
        let mut next = first;
        while let Some(news) = next {
            state.ring.push(match news {
                Ok(transition) => News::Transition(Arc::new(transition)),
                Err(lagged) => News::Lost(lagged.missed),
            });
            next = transitions.try_next().transpose();
        }
        true
    }
}

/// A stream's place in the news.
#[derive(Debug)]
pub(super) struct Reader {
    hub: Hub,
    news: watch::Receiver<()>,
    seen: Position,
}

impl Reader {
    /// How far it is.
    pub(super) const fn seen(&self) -> Position {
        self.seen
    }

    /// The next news that are wanted, if there are any.
    pub(super) fn read(&mut self, wanted: impl Fn(&Transition) -> bool) -> Read {
        self.news.mark_unchanged();
        let read = self.hub.0.state.lock().ring.after(self.seen.number, wanted);
        self.seen.number = read.up_to;
        read
    }

    /// Whether there is more to read now.
    fn has_more(&self) -> bool {
        self.hub.0.state.lock().ring.last() > self.seen.number
    }

    /// Waits for news.
    pub(super) async fn news(&mut self) {
        if !self.has_more() {
            // Never an error: the hub is held.
            let _ = self.news.changed().await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.hub.0.state.lock();
        state.readers -= 1;
        state.left = Instant::now();
    }
}
