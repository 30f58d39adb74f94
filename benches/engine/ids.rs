//! Generators of task identities.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use ddd_core::{TaskId, Timestamp};

/// Makes identities.
pub(crate) trait Ids: Default + Send + Sync + 'static {
    /// The next one, at `now`.
    fn next(&self, now: Timestamp) -> TaskId;
}

/// UUID version 7 from a shared counter that never goes back and a random number of the thread: no lock, no system call.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Milliseconds since the epoch, and 12 bits that count within one.
    last: AtomicU64,
}

impl Ids for Counted {
    fn next(&self, now: Timestamp) -> TaskId {
        let earliest = (now.as_micros().max(0).unsigned_abs() / 1_000) << 12;
        let mut last = self.last.load(Ordering::Relaxed);
        let next = loop {
            let next = earliest.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break next,
                Err(other) => last = other,
            }
        };
        let at = Timestamp::from_micros(i64::try_from((next >> 12) * 1_000).unwrap_or(i64::MAX));
        TaskId::from_parts(at, (next & 0xfff) as u16, fastrand::u64(..))
    }
}

/// The generator of the `uuid` crate, as it comes.
#[derive(Debug, Default)]
pub(crate) struct Stock;

impl Ids for Stock {
    fn next(&self, _: Timestamp) -> TaskId {
        uuid::Uuid::now_v7().into()
    }
}

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
