//! The places of a bulkhead, whose number can change while they are in use.

use std::{
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};

/// So many places, and a queue for them.
#[derive(Debug)]
pub(super) struct Room {
    free: Semaphore,
    /// How many places are in use beyond the limit, because it was lowered: so many are not given out again.
    surplus: AtomicI64,
    waiting: AtomicU32,
}

impl Room {
    pub(super) fn new(limit: u32) -> Self {
        Self { free: Semaphore::new(places(limit)), surplus: AtomicI64::new(0), waiting: AtomicU32::new(0) }
    }

    /// Takes a place if one is free and nobody waits for it.
    pub(super) fn try_take(&self) -> bool {
        self.free.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// Takes a place as soon as it is this caller's turn; `false` if more than `queue` wait already, or `longest` is over.
    pub(super) async fn take(&self, queue: u32, longest: Duration) -> bool {
        let Some(_waiting) = Waiting::join(&self.waiting, queue) else { return false };
        match timeout(longest, self.free.acquire()).await {
            Ok(Ok(place)) => {
                place.forget();
                true
            }
            _ => false,
        }
    }

    /// Gives a place back.
    pub(super) fn give_back(&self) {
        let surplus = self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, |it| (it > 0).then(|| it - 1));
        if surplus.is_err() {
            self.free.add_permits(1);
        }
    }

    /// Changes the number of places. Calls must not overlap.
    pub(super) fn resize(&self, before: u32, after: u32) {
        if after >= before {
            let more = i64::from(after - before);
            let paid = self.take_surplus(more);
            self.free.add_permits(usize::try_from(more - paid).unwrap_or(0));
        } else {
            let fewer = i64::from(before - after);
            // First the whole difference is owed, so that no place comes back meanwhile; what was free pays it at once.
            self.surplus.fetch_add(fewer, Ordering::AcqRel);
            let forgotten = i64::try_from(self.free.forget_permits(places(before - after))).unwrap_or(i64::MAX);
            let paid = self.take_surplus(forgotten);
            self.free.add_permits(usize::try_from(forgotten - paid).unwrap_or(0));
        }
    }

    /// How many places are taken, if there are `limit`.
    pub(super) fn taken(&self, limit: u32) -> i64 {
        let free = i64::try_from(self.free.available_permits()).unwrap_or(i64::MAX);
        (i64::from(limit) + self.surplus.load(Ordering::Acquire) - free).max(0)
    }

    /// How many calls wait.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes off what is owed, at most `most`.
    fn take_surplus(&self, most: i64) -> i64 {
        let before = self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, |it| Some(it - it.min(most)));
        before.unwrap_or(0).min(most)
    }
}

fn places(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

/// One that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicU32, queue: u32) -> Option<Self> {
        let joined = waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| (it < queue).then(|| it + 1));
        joined.is_ok().then(|| Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
