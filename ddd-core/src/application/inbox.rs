use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use tokio::sync::Notify;

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
    /// The worker's bell: rung for every task that becomes ready, so it is at hand.
    bell: RwLock<Option<Arc<Notify>>>,
}

impl Inbox {
    pub(crate) fn new(log: Arc<TransitionLog>) -> Self {
        Self { log, worker: RwLock::default(), bell: RwLock::default() }
    }

    /// From now on hints go to `worker`.
    pub(crate) fn set_worker(&self, worker: &Arc<Worker>) {
        *self.worker.write() = Arc::downgrade(worker);
        *self.bell.write() = Some(worker.bell());
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
                if let Some(bell) = &*self.bell.read() {
                    bell.notify_one();
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
