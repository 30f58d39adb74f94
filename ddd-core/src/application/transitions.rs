//! The stream of transitions: one ring for all subscribers, written in the order in which the store changed.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::Transition;

/// The newest transitions, kept for subscribers that are not there yet. Without a subscriber nothing is kept.
#[derive(Debug)]
pub(crate) struct TransitionLog {
    ring: Mutex<Ring>,
    capacity: usize,
    written: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    items: VecDeque<Transition>,
    /// The number of the first item; numbers grow by one with each transition.
    first: u64,
    subscribers: usize,
    /// Whether a subscriber waits: only then is it worth waking.
    waiting: bool,
}

impl TransitionLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { ring: Mutex::default(), capacity, written: Notify::new() }
    }

    /// Notes a transition; whether somebody waits for it. Cheap, because a store may call it under its lock.
    pub(crate) fn record(&self, transition: &Transition) -> bool {
        let mut ring = self.ring.lock();
        if ring.subscribers == 0 {
            return false;
        }
        if ring.items.len() == self.capacity {
            ring.items.pop_front();
            ring.first += 1;
        }
        ring.items.push_back(transition.clone());
        ring.waiting
    }

    /// Wakes the subscribers that wait.
    pub(crate) fn wake(&self) {
        let mut ring = self.ring.lock();
        if std::mem::take(&mut ring.waiting) {
            drop(ring);
            self.written.notify_waiters();
        }
    }

    /// Whether there is nothing from number `next` on; if so, the next transition wakes.
    fn will_wait(&self, next: u64) -> bool {
        let mut ring = self.ring.lock();
        let is_empty = ring.first + ring.items.len() as u64 <= next;
        ring.waiting |= is_empty;
        is_empty
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Transitions {
        let mut ring = self.ring.lock();
        ring.subscribers += 1;
        let next = ring.first + ring.items.len() as u64;
        drop(ring);
        Transitions { log: self.clone(), next, taken: VecDeque::new(), flowing: false }
    }
}

/// A subscription to the transitions of all tasks, from [`Tasks::transitions`](crate::Tasks::transitions) on, in order.
#[derive(Debug)]
pub struct Transitions {
    log: Arc<TransitionLog>,
    next: u64,
    taken: VecDeque<Transition>,
    /// Whether some came since it last waited: then more may follow soon.
    flowing: bool,
}

/// So many transitions were lost: the subscriber was slower than the tasks for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{missed} transitions were lost, because the subscriber lagged behind")]
#[non_exhaustive]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

impl Transitions {
    /// How many are taken from the ring under one lock.
    const BATCH: usize = 256;
    /// How long transitions are gathered before the next look, after some came.
    const GATHERED: Duration = Duration::from_millis(1);

    /// The next transition. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Some were lost; the next call goes on with the oldest that is left.
    pub async fn next(&mut self) -> Result<Transition, Lagged> {
        loop {
            if let Some(transition) = self.try_next()? {
                self.flowing = true;
                return Ok(transition);
            }
            if std::mem::take(&mut self.flowing) {
                // While they keep coming, one look takes many of them, and they wake nobody.
                tokio::time::sleep(Self::GATHERED).await;
                continue;
            }
            let mut written = pin!(self.log.written.notified());
            written.as_mut().enable();
            if self.log.will_wait(self.next) {
                written.await;
            }
        }
    }

    /// The next transition, if there is one now.
    ///
    /// # Errors
    /// As [`Transitions::next`].
    pub fn try_next(&mut self) -> Result<Option<Transition>, Lagged> {
        if let Some(transition) = self.taken.pop_front() {
            return Ok(Some(transition));
        }
        let ring = self.log.ring.lock();
        if ring.first > self.next {
            let missed = ring.first - self.next;
            self.next = ring.first;
            return Err(Lagged { missed });
        }
        let skipped = usize::try_from(self.next - ring.first).unwrap_or(usize::MAX);
        self.taken.extend(ring.items.iter().skip(skipped).take(Self::BATCH).cloned());
        drop(ring);
        self.next += self.taken.len() as u64;
        Ok(self.taken.pop_front())
    }
}

impl Drop for Transitions {
    fn drop(&mut self) {
        let mut ring = self.log.ring.lock();
        ring.subscribers -= 1;
        if ring.subscribers == 0 {
            ring.first += ring.items.len() as u64;
            ring.items = VecDeque::new();
        }
    }
}
