use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    attempt::{RunningAttempt, Stop},
    blocking::Threads,
    cell::Cell,
    feed::Feed,
    finisher::Finisher,
    progress::ProgressWriter,
};
use crate::{
    application::services::Services,
    domain::{Fence, Name, TaskId, WorkerId},
};

/// What the parts of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: WorkerId,
    pub(crate) services: Arc<Services>,
    pub(crate) feed: Feed,
    pub(crate) finisher: Arc<Finisher>,
    pub(crate) progress: Arc<ProgressWriter>,
    pub(crate) threads: Threads,
    /// A slot has ended.
    pub(crate) slot_ended: Notify,
    cells: Mutex<Vec<Arc<Cell>>>,
}

impl Shared {
    pub(crate) fn new(id: WorkerId, services: Arc<Services>, queues: Vec<(Name, usize)>) -> Self {
        let finisher = Finisher::new(services.clone());
        Self {
            id,
            feed: Feed::new(id, services.clone(), finisher.clone(), queues),
            finisher,
            progress: ProgressWriter::new(services.clone()),
            threads: Threads::new(&services.runtime, services.virtual_time),
            slot_ended: Notify::new(),
            cells: Mutex::default(),
            services,
        }
    }

    /// The attempts that run now.
    pub(crate) fn attempts(&self) -> Vec<Arc<RunningAttempt>> {
        self.cells.lock().iter().filter_map(|it| it.attempt()).collect()
    }

    /// Tells a running body to end.
    pub(crate) fn stop(&self, id: TaskId, fence: Fence, reason: Stop) {
        for attempt in self.attempts() {
            let held = attempt.held();
            if held.id == id && held.fence == fence {
                attempt.stop(reason);
            }
        }
    }

    /// Whether a body runs, or a claim is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.feed.is_busy()
    }

    /// A slot begins.
    pub(crate) fn add(&self, cell: Arc<Cell>) {
        self.cells.lock().push(cell);
    }

    /// A slot has ended.
    pub(crate) fn remove(&self, cell: &Arc<Cell>) {
        self.cells.lock().retain(|it| !Arc::ptr_eq(it, cell));
        self.slot_ended.notify_one();
    }
}
