//! The stream of transitions: one queue for each subscriber, written in the order in which the store changed.

use std::{
    collections::VecDeque,
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use slab::Slab;
use tokio::sync::Notify;

use crate::{
    domain::Transition,
    ports::{Attention, TaskStore},
};

/// Where transitions are noted for those who subscribed to them. Without a subscriber nothing is kept.
#[derive(Debug)]
pub(crate) struct TransitionLog {
    outlets: Mutex<Slab<Outlet>>,
    /// How many subscribers wait: readable without the lock.
    waiting: AtomicUsize,
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

impl Outlet {
    /// Some were written: drops the oldest of more than `capacity`; whether the subscriber waits.
    fn written(&mut self, capacity: usize) -> bool {
        let surplus = self.items.len().saturating_sub(capacity);
        if surplus > 0 {
            self.items.drain(..surplus);
            self.missed += surplus as u64;
        }
        self.is_waiting
    }
}

impl TransitionLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { outlets: Mutex::default(), waiting: AtomicUsize::new(0), capacity, written: Notify::new() }
    }

    /// Notes transitions; whether somebody waits for them. Cheap, because a store may call it under its lock.
    pub(crate) fn record(&self, transitions: &[Transition]) -> bool {
        let mut is_waited_for = false;
        for (_, outlet) in &mut *self.outlets.lock() {
            outlet.items.extend(transitions.iter().cloned());
            is_waited_for |= outlet.written(self.capacity);
        }
        is_waited_for
    }

    /// The same with transitions that nobody else needs: most often there is one subscriber, who gets them as they are.
    pub(crate) fn take(&self, transitions: &mut VecDeque<Transition>) -> bool {
        let mut is_waited_for = false;
        let mut outlets = self.outlets.lock();
        let mut left = outlets.len();
        for (_, outlet) in &mut *outlets {
            left -= 1;
            match left {
                0 => outlet.items.append(transitions),
                _ => outlet.items.extend(transitions.iter().cloned()),
            }
            is_waited_for |= outlet.written(self.capacity);
        }
        drop(outlets);
        transitions.clear();
        is_waited_for
    }

    /// So many of other processes will not come.
    pub(crate) fn missed(&self, count: u64) {
        for (_, outlet) in &mut *self.outlets.lock() {
            outlet.missed = outlet.missed.saturating_add(count);
        }
        self.wake();
    }

    /// Whether anybody has subscribed.
    pub(crate) fn is_subscribed(&self) -> bool {
        !self.outlets.lock().is_empty()
    }

    /// Wakes the subscribers that wait.
    pub(crate) fn wake(&self) {
        let mut is_waited_for = false;
        let mut outlets = self.outlets.lock();
        for (_, outlet) in &mut *outlets {
            is_waited_for |= std::mem::take(&mut outlet.is_waiting);
        }
        self.count(&outlets);
        drop(outlets);
        if is_waited_for {
            self.written.notify_waiters();
        }
    }

    fn count(&self, outlets: &Slab<Outlet>) {
        self.waiting.store(outlets.iter().filter(|it| it.1.is_waiting).count(), Ordering::SeqCst);
    }

    /// Whether a subscriber sleeps until something is noted.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// A subscription; `store` is what writes here.
    pub(crate) fn subscribe(self: &Arc<Self>, store: Arc<dyn TaskStore>) -> Transitions {
        // What was submitted before is not for this one.
        store.settle();
        let number = self.outlets.lock().insert(Outlet::default());
        store.attend(Attention::Transitions);
        Transitions { log: self.clone(), store, number, taken: VecDeque::new(), is_flowing: false }
    }
}

/// A subscription to the transitions of all tasks, from [`Tasks::transitions`](crate::Tasks::transitions) on, in order.
pub struct Transitions {
    log: Arc<TransitionLog>,
    store: Arc<dyn TaskStore>,
    number: usize,
    taken: VecDeque<Transition>,
    /// Whether some came since it last waited: then more may follow soon.
    is_flowing: bool,
}

/// So many transitions were lost: the subscriber was slower than the tasks for too long, or other processes had more to tell than
/// goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{missed} transitions were lost on the way to the subscriber")]
#[non_exhaustive]
pub struct Lagged {
    /// How many. A time in which nothing was heard of other processes counts as one.
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
            if let Some(transition) = self.taken.pop_front() {
                return Ok(transition);
            }
            if self.refill()? {
                self.is_flowing = true;
                continue;
            }
            if std::mem::take(&mut self.is_flowing) {
                // While they keep coming, one look takes many of them, and they wake nobody.
                tokio::time::sleep(Self::GATHERED).await;
                continue;
            }
            let mut written = pin!(self.log.written.notified());
            written.as_mut().enable();
            if self.will_wait() {
                // From now on the store tells at once. What it put off before wakes, as all that follows.
                self.store.settle();
                self.store.attend(Attention::Transitions);
                written.await;
            }
        }
    }

    /// The next transition, if there is one now.
    ///
    /// # Errors
    /// As [`Transitions::next`].
    pub fn try_next(&mut self) -> Result<Option<Transition>, Lagged> {
        if let Some(transition) = self.take()? {
            return Ok(Some(transition));
        }
        self.store.settle();
        self.take()
    }

    /// The next of those that the store has told of.
    fn take(&mut self) -> Result<Option<Transition>, Lagged> {
        if self.taken.is_empty() {
            self.refill()?;
        }
        Ok(self.taken.pop_front())
    }

    /// Takes all that the store has told of, when nothing is left of what was taken before; whether there was something.
    fn refill(&mut self) -> Result<bool, Lagged> {
        // The queues are exchanged, which takes no longer for many than for one.
        let mut outlets = self.log.outlets.lock();
        let outlet = &mut outlets[self.number];
        if outlet.missed > 0 {
            return Err(Lagged { missed: std::mem::take(&mut outlet.missed) });
        }
        std::mem::swap(&mut outlet.items, &mut self.taken);
        Ok(!self.taken.is_empty())
    }

    /// Whether there is nothing to take; if so, the next transition wakes.
    fn will_wait(&self) -> bool {
        let mut outlets = self.log.outlets.lock();
        let outlet = &mut outlets[self.number];
        let is_waiting = outlet.items.is_empty() && outlet.missed == 0;
        outlet.is_waiting = is_waiting;
        self.log.count(&outlets);
        is_waiting
    }
}

impl Drop for Transitions {
    fn drop(&mut self) {
        let mut outlets = self.log.outlets.lock();
        let outlet = outlets.remove(self.number);
        self.log.count(&outlets);
        drop(outlets);
        drop(outlet);
    }
}

impl fmt::Debug for Transitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transitions").field("taken", &self.taken.len()).finish_non_exhaustive()
    }
}
