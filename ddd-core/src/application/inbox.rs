use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use parking_lot::RwLock;

use super::{bell::Bell, transitions::TransitionLog, worker::Worker};
use crate::{
    domain::Transition,
    ports::{Signal, SignalSink},
};

/// Takes what the store tells this process, and passes it on: transitions to the stream, hints to the worker.
#[derive(Debug)]
pub(crate) struct Inbox {
    log: Arc<TransitionLog>,
    /// The worker's bell, at hand because it is looked at for every task.
    bell: Arc<Bell>,
    worker: RwLock<Weak<Worker>>,
}

impl Inbox {
    pub(crate) fn new(log: Arc<TransitionLog>, bell: Arc<Bell>) -> Self {
        Self { log, bell, worker: RwLock::default() }
    }

    /// From now on hints go to `worker`.
    pub(crate) fn set_worker(&self, worker: &Arc<Worker>) {
        *self.worker.write() = Arc::downgrade(worker);
    }
}

impl SignalSink for Inbox {
    fn record(&self, transition: &Transition) -> bool {
        self.log.record(std::slice::from_ref(transition))
    }

    fn record_all(&self, transitions: &[Transition]) -> bool {
        self.log.record(transitions)
    }

    fn take_all(&self, transitions: &mut VecDeque<Transition>) -> bool {
        self.log.take(transitions)
    }

    fn is_waiting(&self) -> bool {
        self.bell.is_waited_for() || self.log.is_waited_for()
    }

    fn is_subscribed(&self) -> bool {
        self.log.is_subscribed()
    }

    fn missed(&self, count: u64) {
        self.log.missed(count);
    }

    fn signal(&self, signal: Signal) {
        match signal {
            Signal::Recorded => self.log.wake(),
            Signal::Ready { .. } => self.bell.ring(),
            Signal::Cancel { id, fence } => {
                if let Some(worker) = self.worker.read().upgrade() {
                    worker.cancel(id, fence);
                }
            }
            Signal::Lost { id, fence } => {
                if let Some(worker) = self.worker.read().upgrade() {
                    worker.lose(id, fence);
                }
            }
        }
    }
}
