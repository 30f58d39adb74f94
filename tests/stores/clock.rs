use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use ddd_core::{Clock, Timestamp};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_800_000_000_000_000))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that goes by, and can be moved.
#[derive(Debug)]
pub(crate) struct Going(TestClock, Instant);

impl Going {
    pub(crate) fn new() -> Self {
        Self(TestClock::new(), Instant::now())
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

impl Clock for Going {
    fn now(&self) -> Timestamp {
        self.0.now().after(self.1.elapsed())
    }
}
