//! The stream of transitions: one queue for each subscriber, written in the order in which the store changed.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use slab::Slab;
use tokio::sync::Notify;

use crate::domain::Transition;

/// Where transitions are noted for those who subscribed to them. Without a subscriber nothing is kept.
#[derive(Debug)]
pub(crate) struct TransitionLog {
    outlets: Mutex<Slab<Outlet>>,
    capacity: usize,
    written: Notify,
}

/// What one subscriber has not taken yet.
#[derive(Debug, Default)]
struct Outlet {
    items: VecDeque<Transition>,
    missed: u64,
    /// Whether the subscriber waits: only then is it worth waking.
    is_waiting: bool,
}

impl TransitionLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { outlets: Mutex::default(), capacity, written: Notify::new() }
    }

    /// Notes a transition; whether somebody waits for it. Cheap, because a store may call it under its lock.
    pub(crate) fn record(&self, transition: &Transition) -> bool {
        let mut is_waited_for = false;
        for (_, outlet) in &mut *self.outlets.lock() {
            if outlet.items.len() == self.capacity {
                outlet.items.pop_front();
                outlet.missed += 1;
            }
            outlet.items.push_back(transition.clone());
            is_waited_for |= outlet.is_waiting;
        }
        is_waited_for
    }

    /// Wakes the subscribers that wait.
    pub(crate) fn wake(&self) {
        let mut is_waited_for = false;
        for (_, outlet) in &mut *self.outlets.lock() {
            is_waited_for |= std::mem::take(&mut outlet.is_waiting);
        }
        if is_waited_for {
            self.written.notify_waiters();
        }
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Transitions {
        let number = self.outlets.lock().insert(Outlet::default());
        Transitions { log: self.clone(), number, taken: VecDeque::new(), is_flowing: false }
    }
}

/// A subscription to the transitions of all tasks, from [`Tasks::transitions`](crate::Tasks::transitions) on, in order.
#[derive(Debug)]
pub struct Transitions {
    log: Arc<TransitionLog>,
    number: usize,
    taken: VecDeque<Transition>,
    /// Whether some came since it last waited: then more may follow soon.
    is_flowing: bool,
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
    /// How long transitions are gathered before the next look, after some came.
    const GATHERED: Duration = Duration::from_millis(1);

    /// The next transition. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Some were lost; the next call goes on with the oldest that is left.
    pub async fn next(&mut self) -> Result<Transition, Lagged> {
        loop {
            if let Some(transition) = self.try_next()? {
                self.is_flowing = true;
                return Ok(transition);
            }
            if std::mem::take(&mut self.is_flowing) {
                // While they keep coming, one look takes many of them, and they wake nobody.
                tokio::time::sleep(Self::GATHERED).await;
                continue;
            }
            let mut written = pin!(self.log.written.notified());
            written.as_mut().enable();
            if self.will_wait() {
                written.await;
            }
        }
    }

    /// The next transition, if there is one now.
    ///
    /// # Errors
    /// As [`Transitions::next`].
    pub fn try_next(&mut self) -> Result<Option<Transition>, Lagged> {
        if self.taken.is_empty() {
            // The queues are exchanged, which takes no longer for many than for one.
            let mut outlets = self.log.outlets.lock();
            let outlet = &mut outlets[self.number];
            if outlet.missed > 0 {
                return Err(Lagged { missed: std::mem::take(&mut outlet.missed) });
            }
            std::mem::swap(&mut outlet.items, &mut self.taken);
        }
        Ok(self.taken.pop_front())
    }

    /// Whether there is nothing to take; if so, the next transition wakes.
    fn will_wait(&self) -> bool {
        let outlet = &mut self.log.outlets.lock()[self.number];
        outlet.is_waiting = outlet.items.is_empty();
        outlet.is_waiting
    }
}

impl Drop for Transitions {
    fn drop(&mut self) {
        let outlet = self.log.outlets.lock().remove(self.number);
        drop(outlet);
    }
}
