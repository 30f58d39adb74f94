//! Calls that wait for room under a limit: one line for each key, first come, first served.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::no_room::NoRoom;
use crate::domain::LimitKey;

/// All that wait for one rate limit.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// How many wait. While none does, nobody looks at the lines.
    waiting: AtomicU32,
    lines: Mutex<HashMap<Option<LimitKey>, Line>>,
    /// The limit was changed, so whoever waits asks again.
    changed: Notify,
}

/// Who waits for one key. The first of them holds the permit while it waits for room, the others wait for the permit.
#[derive(Debug)]
struct Line {
    turn: Arc<Semaphore>,
    length: u32,
}

/// A place in a line, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    queue: &'a Queue,
    key: Option<LimitKey>,
    turn: Arc<Semaphore>,
}

impl Queue {
    /// Whether others wait for this key already.
    pub(super) fn is_waited_for(&self, key: Option<LimitKey>) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 && self.lines.lock().contains_key(&key)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The limit was changed.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until `take` succeeds, at most until `deadline`, behind those that came before.
    ///
    /// Whoever stops waiting has taken nothing: what `take` took is the caller's at once, with no wait in between.
    ///
    /// # Errors
    /// More than `most` wait already, the deadline is over, or there is no room before it.
    pub(super) async fn wait(
        &self,
        key: Option<LimitKey>,
        most: u32,
        deadline: Instant,
        take: impl Fn() -> Result<(), NoRoom>,
    ) -> Result<(), NoRoom> {
        let place = self.join(key, most).ok_or(NoRoom(None))?;
        let _turn = place.turn(deadline).await.ok_or(NoRoom(None))?;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on a change is not missed.
            changed.as_mut().enable();
            let Err(no_room) = take() else { return Ok(()) };
            let room_at = no_room.before(deadline).ok_or(no_room)?;
            // Whichever comes first, the next thing is to ask again.
            let _ = timeout_at(room_at, changed).await;
        }
    }

    /// Takes a place in the line of this key, if fewer than `most` calls wait.
    pub(super) fn join(&self, key: Option<LimitKey>, most: u32) -> Option<Place<'_>> {
        let one_more = |it| (it < most).then(|| it + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let mut lines = self.lines.lock();
        let line = lines.entry(key).or_insert_with(|| Line { turn: Arc::new(Semaphore::new(1)), length: 0 });
        line.length += 1;
        Some(Place { queue: self, key, turn: line.turn.clone() })
    }
}

impl Place<'_> {
    /// Waits until all are gone that came before; `None` if that is after the deadline.
    pub(super) async fn turn(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        timeout_at(deadline, self.turn.acquire()).await.ok()?.ok()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.waiting.fetch_sub(1, Ordering::Relaxed);
        let mut lines = self.queue.lines.lock();
        if let Some(line) = lines.get_mut(&self.key) {
            line.length -= 1;
            if line.length == 0 {
                lines.remove(&self.key);
            }
        }
    }
}
