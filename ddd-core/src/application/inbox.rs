use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use super::{transitions::TransitionLog, worker::Worker};
use crate::{
    domain::Transition,
    ports::{Signal, SignalSink},
};

/// Takes what the store tells this process, and passes it on: transitions to the stream, hints to the worker.
#[derive(Debug)]
pub(crate) struct Inbox {
    log: Arc<TransitionLog>,
    worker: RwLock<Weak<Worker>>,
}

impl Inbox {
    pub(crate) fn new(log: Arc<TransitionLog>) -> Self {
        Self { log, worker: RwLock::default() }
    }

    /// From now on hints go to `worker`.
    pub(crate) fn set_worker(&self, worker: &Arc<Worker>) {
        *self.worker.write() = Arc::downgrade(worker);
    }
}

impl SignalSink for Inbox {
    fn record(&self, transition: &Transition) -> bool {
        self.log.record(transition)
    }

    fn signal(&self, signal: Signal) {
        match signal {
            Signal::Recorded => self.log.wake(),
            Signal::Ready { .. } => {
                if let Some(worker) = self.worker.read().upgrade() {
                    worker.wake();
                }
            }
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
