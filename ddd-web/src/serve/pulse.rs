//! What a connection is doing: who owes whom the next bytes, and since when.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::limits::Limits;

/// Nothing has come since the last answer.
const SILENT: u8 = 0;
/// The head of a request is due: some of it has come, or the connection is new.
const HEAD: u8 = 1;
/// A request is being answered.
const WORKING: u8 = 2;
/// A request is being answered, and its body awaited.
const BODY: u8 = 3;

/// No write waits.
const FLOWING: u64 = u64::MAX;

/// What a connection is doing. Only its own task writes; the numbers may be read from elsewhere, a moment late.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Times are milliseconds since then.
    began: Instant,
    stage: AtomicU8,
    since: AtomicU64,
    /// Since when the client does not take what is written.
    stalled: AtomicU64,
    requests: AtomicU32,
    /// Many requests at a time: HTTP/2.
    is_multiplexed: AtomicBool,
    eviction: Notify,
}

/// How much a connection would be missed: smaller is less. First those without a request, the longest silent first.
pub(super) type Worth = (u8, u64);

impl Pulse {
    /// So long a client may keep the server waiting within a request before it may lose its connection to another client.
    const PATIENCE: u64 = 1_000;

    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            stage: AtomicU8::new(HEAD),
            since: AtomicU64::new(millis(began.elapsed())),
            stalled: AtomicU64::new(FLOWING),
            requests: AtomicU32::new(0),
            is_multiplexed: AtomicBool::new(false),
            eviction: Notify::new(),
        }
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn enter(&self, stage: u8) {
        self.stage.store(stage, Relaxed);
        self.since.store(self.now(), Relaxed);
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        if self.stage.load(Relaxed) == SILENT && !self.is_multiplexed.load(Relaxed) {
            self.enter(HEAD);
        }
    }

    /// A request came.
    pub(super) fn request_begins(&self, is_multiplexed: bool) {
        self.is_multiplexed.store(is_multiplexed, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.stage.store(WORKING, Relaxed);
    }

    /// An answer is complete, or given up.
    pub(super) fn request_ends(&self) {
        if self.requests.fetch_sub(1, Relaxed) == 1 {
            self.enter(SILENT);
        }
    }

    /// The body of a request is awaited.
    pub(super) fn body_is_due(&self) {
        if self.stage.load(Relaxed) == WORKING && !self.is_multiplexed.load(Relaxed) {
            self.enter(BODY);
        }
    }

    /// Some of it came.
    pub(super) fn body_came(&self) {
        if self.stage.load(Relaxed) == BODY {
            self.stage.store(WORKING, Relaxed);
        }
    }

    /// The client does not take what is written.
    pub(super) fn write_stalls(&self) {
        if self.stalled.load(Relaxed) == FLOWING {
            self.stalled.store(self.now(), Relaxed);
        }
    }

    /// It took some.
    pub(super) fn write_flows(&self) {
        if self.stalled.load(Relaxed) != FLOWING {
            self.stalled.store(FLOWING, Relaxed);
        }
    }

    /// Whether a request is being answered.
    pub(super) fn is_working(&self) -> bool {
        self.requests.load(Relaxed) > 0
    }

    /// Whether nothing has come since the last answer.
    pub(super) fn is_silent(&self) -> bool {
        self.stage.load(Relaxed) == SILENT
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        self.is_multiplexed.load(Relaxed)
    }

    /// For how long nothing has been asked.
    pub(super) fn silent_for(&self) -> Option<Duration> {
        let silent = || Duration::from_millis(self.now().saturating_sub(self.since.load(Relaxed)));
        (!self.is_working()).then(silent)
    }

    /// Whether the client has used up its time, and if not, when to look again.
    pub(super) fn overdue(&self, limits: &Limits) -> Result<(), Duration> {
        let now = self.now();
        let left = |since: u64, limit: Duration| limit.checked_sub(Duration::from_millis(now.saturating_sub(since)));
        let since = self.since.load(Relaxed);
        let stage = match self.stage.load(Relaxed) {
            SILENT => left(since, limits.idle_timeout),
            HEAD => left(since, limits.header_timeout),
            // Requests and bodies have times of their own.
            _ => Some(limits.header_timeout),
        };
        let write = match self.stalled.load(Relaxed) {
            FLOWING => Some(limits.write_timeout),
            since => left(since, limits.write_timeout),
        };
        match (stage, write) {
            // Never later than the shortest time that may begin in between.
            (Some(stage), Some(write)) => Err(stage.min(write).min(limits.header_timeout)),
            _ => Ok(()),
        }
    }

    /// How much it would be missed, if it may be given up for a new one.
    pub(super) fn worth(&self) -> Option<Worth> {
        let now = self.now();
        let waits = |since: u64| (now.saturating_sub(since) >= Self::PATIENCE).then_some((1, since));
        match (self.stage.load(Relaxed), self.stalled.load(Relaxed)) {
            (SILENT | HEAD, FLOWING) => Some((0, self.since.load(Relaxed))),
            (BODY, FLOWING) => waits(self.since.load(Relaxed)),
            (_, FLOWING) => None,
            (_, stalled) => waits(stalled),
        }
    }

    /// Asks the connection to end for another.
    pub(super) fn evict(&self) {
        self.eviction.notify_one();
    }

    /// Ends when it was asked to.
    pub(super) async fn evicted(&self) {
        self.eviction.notified().await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn each_stage_has_its_own_time() {
        let limits = Limits::default();
        let pulse = Pulse::new(Instant::now());
        pass(9).await;
        assert_eq!(pulse.overdue(&limits), Err(Duration::from_secs(1)));
        pulse.received();
        pass(1).await;
        assert_eq!(pulse.overdue(&limits), Err(Duration::ZERO), "more bytes win no time");
        pass(1).await;
        assert_eq!(pulse.overdue(&limits), Ok(()));
        pulse.request_begins(false);
        pass(1_000).await;
        assert!(pulse.overdue(&limits).is_err());
        pulse.request_ends();
        pass(74).await;
        assert_eq!(pulse.overdue(&limits), Err(Duration::from_secs(1)));
        pass(2).await;
        assert_eq!(pulse.overdue(&limits), Ok(()));
        pulse.received();
        assert!(pulse.overdue(&limits).is_err(), "a request begins");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_overdue() {
        let limits = Limits::default();
        let pulse = Pulse::new(Instant::now());
        pulse.request_begins(false);
        pulse.write_stalls();
        pass(20).await;
        pulse.write_stalls();
        pass(11).await;
        assert_eq!(pulse.overdue(&limits), Ok(()));
        pulse.write_flows();
        assert!(pulse.overdue(&limits).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_worth_of_a_connection() {
        let began = Instant::now();
        let silent = Pulse::new(began);
        silent.request_begins(false);
        silent.request_ends();
        pass(5).await;
        let [new, working, sending, reading] = [(); 4].map(|()| Pulse::new(began));
        working.request_begins(false);
        sending.request_begins(false);
        sending.body_is_due();
        reading.request_begins(false);
        reading.write_stalls();
        assert!(silent.worth() < new.worth(), "the longest silent first");
        assert_eq!((working.worth(), sending.worth(), reading.worth()), (None, None, None));
        pass(2).await;
        assert_eq!(working.worth(), None, "it is the server's turn");
        assert!(new.worth() < sending.worth() && new.worth() < reading.worth());
        sending.body_came();
        assert_eq!(sending.worth(), None);
    }
}
