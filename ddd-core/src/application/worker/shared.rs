use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    attempt::{RunningAttempt, Stop},
    cell::Cell,
    feed::Feed,
    finisher::Finisher,
    progress::ProgressWriter,
};
use crate::{
    application::services::Services,
    domain::{AttemptError, FailureKind, Fence, Name, TaskId, WorkerId},
    ports::{AttemptEnd, Declaration, Held},
};

/// What the parts of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: WorkerId,
    pub(crate) services: Arc<Services>,
    pub(crate) feed: Feed,
    pub(crate) finisher: Arc<Finisher>,
    pub(crate) progress: Arc<ProgressWriter>,
    /// A slot has ended.
    pub(crate) slot_ended: Notify,
    /// How many bodies may run at once.
    slots: AtomicUsize,
    queue_names: Mutex<Vec<Name>>,
    /// How often what is served has changed.
    revision: AtomicU64,
    cells: Mutex<Vec<Arc<Cell>>>,
    /// The newest words to end a body: the body may just be on its way from the feed to its cell.
    told_before: Mutex<VecDeque<(Held, Stop)>>,
    was_told: AtomicBool,
}

impl Shared {
    /// How many words to end a body are kept for bodies on their way.
    const TOLD_BEFORE: usize = 64;

    pub(crate) fn new(id: WorkerId, services: Arc<Services>, queues: Vec<(Name, usize)>, slots: usize) -> Self {
        let finisher = Finisher::new(services.clone());
        let queue_names = Mutex::new(names(&queues));
        Self {
            id,
            feed: Feed::new(id, services.clone(), finisher.clone(), queues),
            finisher,
            progress: ProgressWriter::new(services.clone()),
            slot_ended: Notify::new(),
            slots: AtomicUsize::new(slots),
            queue_names,
            revision: AtomicU64::new(0),
            cells: Mutex::default(),
            told_before: Mutex::default(),
            was_told: AtomicBool::new(false),
            services,
        }
    }

    /// How many bodies may run at once.
    pub(crate) fn slots(&self) -> usize {
        self.slots.load(Ordering::Acquire)
    }

    /// From now on so many bodies may run at once; answers how many slots must be started.
    pub(crate) fn set_slots(&self, slots: usize) -> usize {
        self.slots.store(slots, Ordering::Release);
        self.feed.resize(slots)
    }

    /// Serves these queues from now on, within these limits. What is claimed and has not begun goes back.
    pub(crate) fn serve(&self, queues: Vec<(Name, usize)>) {
        *self.queue_names.lock() = names(&queues);
        self.revision.fetch_add(1, Ordering::AcqRel);
        self.finisher.give_back(self.feed.serve(queues).into_iter());
        self.finisher.give_back(self.clear_lines().into_iter());
    }

    /// How many bodies may run, and how often what is served has changed: what the store knows may be older.
    pub(crate) fn standing(&self) -> (usize, u64) {
        (self.slots(), self.revision.load(Ordering::Acquire))
    }

    /// What the store is to know of this worker.
    pub(crate) fn declaration(&self) -> Declaration {
        let known = self.services.registry.known();
        let queues = self.queue_names.lock().clone();
        Declaration::new(self.id, host(), queues, known, self.slots(), self.services.settings.lease)
    }

    /// The attempts that run now.
    pub(crate) fn attempts(&self) -> Vec<Arc<RunningAttempt>> {
        self.cells.lock().iter().filter_map(|it| it.attempt()).collect()
    }

    /// The claims that wait in the lines of slots, and those whose ends wait there to be reported.
    pub(crate) fn held_in_line(&self) -> Vec<Held> {
        self.cells.lock().iter().flat_map(|it| it.held()).collect()
    }

    /// Takes out what waits in the lines of slots.
    pub(crate) fn clear_lines(&self) -> Vec<crate::ports::Claimed> {
        let mut not_run = Vec::new();
        for cell in &*self.cells.lock() {
            let (tasks, mut reports) = cell.clear();
            self.finisher.push_all(&mut reports);
            not_run.extend(tasks);
        }
        not_run
    }

    /// Tells a body to end, be it running or on the way to a slot.
    pub(crate) fn stop(&self, id: TaskId, fence: Fence, reason: Stop) {
        let held = Held { id, fence };
        let in_line = || self.cells.lock().iter().find_map(|it| it.take_out(held));
        if let Some(claimed) = self.feed.take_out(held).or_else(in_line) {
            if reason == Stop::Cancel {
                let error = AttemptError::new(FailureKind::Cancelled, "cancelled before it began".to_owned());
                self.finisher.end_unbegun(claimed, AttemptEnd::Cancelled(error));
            }
            return;
        }
        // Noted first: a slot that takes the task right now looks here after it has shown what it runs.
        let mut told_before = self.told_before.lock();
        if told_before.len() == Self::TOLD_BEFORE {
            told_before.pop_front();
        }
        told_before.push_back((held, reason));
        drop(told_before);
        self.was_told.store(true, Ordering::SeqCst);
        for attempt in self.attempts().iter().filter(|it| it.held() == held) {
            attempt.stop(reason);
        }
    }

    /// Tells an attempt that has just begun what came before it was seen to.
    pub(crate) fn stop_if_told_before(&self, attempt: &RunningAttempt) {
        if !self.was_told.load(Ordering::SeqCst) {
            return;
        }
        let told_before = self.told_before.lock();
        for (_, reason) in told_before.iter().filter(|it| it.0 == attempt.held()) {
            attempt.stop(*reason);
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

fn names(queues: &[(Name, usize)]) -> Vec<Name> {
    queues.iter().map(|it| it.0.clone()).collect()
}

/// The host and process, for people to read.
fn host() -> String {
    let host = std::env::var("HOSTNAME").or_else(|_| std::fs::read_to_string("/etc/hostname")).unwrap_or_default();
    let host = host.trim();
    format!("{}:{}", if host.is_empty() { "localhost" } else { host }, std::process::id())
}
