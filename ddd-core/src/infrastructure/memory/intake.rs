use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
    vec::Drain,
};

use parking_lot::Mutex;

use super::{effects::Sinks, entry::Own};
use crate::{
    domain::{Name, Priority, Timestamp},
    ports::{Due, NewTask},
};

/// No more than so many wait; then who submits sorts them in. Before that a worker does with its next claim: it has at hand what
/// it sorts them into. They fit into the nearest cache, and a submitter that is ahead of the workers takes some of their work over.
const MOST: usize = 256;

/// Submissions that were taken and not sorted in yet, under a lock that is held for the move of a task.
///
/// Whoever takes the lock of the store sorts them in before all else, so nobody can tell that they were not: neither those who
/// ask, as they take that lock, nor those who wait to be told, as nothing is put off while there are any. Submitters thus meet
/// neither each other nor the workers for longer than a moment, and what a change costs beyond its tasks is paid once for
/// many.
///
/// It has cache lines of its own: submitters write to it while others work on what the store's lock guards.
#[repr(align(128))]
pub(super) struct Intake {
    inner: Mutex<Inner>,
    /// Whether what was taken is to be sorted in by whoever holds the store's lock, as soon as it is free.
    is_urgent: AtomicBool,
}

struct Inner {
    submitted: Submitted,
    /// Who may wait to be told.
    sinks: Sinks,
    /// Whether what becomes of a task can depend on what is there: some queue is bounded.
    is_closed: bool,
}

/// What many tasks have in common: those of one definition for which nothing was set.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) name: Name,
    pub(super) version: u32,
    pub(super) queue: Name,
    pub(super) priority: Priority,
    pub(super) max_attempts: u32,
    pub(super) timeout: Duration,
}

impl Common {
    fn is_of(&self, task: &NewTask) -> bool {
        self.name == task.name
            && self.version == task.version
            && self.queue == task.queue
            && self.priority == task.priority
            && self.max_attempts == task.max_attempts
            && self.timeout == task.timeout
    }
}

/// Tasks in the order of their submission. What those in a row have in common is kept, and later looked up, once for all.
#[derive(Default)]
pub(super) struct Submitted {
    rows: Vec<(Common, usize)>,
    tasks: Vec<Own>,
}

impl Submitted {
    fn push(&mut self, task: NewTask, at: Timestamp) {
        let row = self.rows.last_mut().filter(|it| it.0.is_of(&task));
        let NewTask { id, name, version, queue, priority, params, max_attempts, timeout, watcher, .. } = task;
        match row {
            Some((_, count)) => *count += 1,
            None => self.rows.push((Common { name, version, queue, priority, max_attempts, timeout }, 1)),
        }
        self.tasks.push(Own { id, params, watcher, at });
    }

    /// Takes them all out: rows of tasks with something in common, each with how many of the tasks are in it.
    pub(super) fn drain(&mut self) -> (Drain<'_, (Common, usize)>, Drain<'_, Own>) {
        (self.rows.drain(..), self.tasks.drain(..))
    }
}

/// When what was taken is to be sorted in.
pub(super) enum Urgency {
    /// By whoever comes next.
    None,
    /// Now: by whoever holds the store's lock, or else by whoever submitted it.
    Now,
    /// Now, by whoever submitted it: there is no more room.
    Full,
}

impl Intake {
    pub(super) fn new(sinks: Sinks) -> Self {
        let inner = Inner { submitted: Submitted::default(), sinks, is_closed: false };
        Self { inner: Mutex::new(inner), is_urgent: AtomicBool::new(false) }
    }

    /// Takes a task out that will be ready whatever is there; leaves any other.
    pub(super) fn take(&self, task: &mut Option<NewTask>, now: Timestamp) -> Option<Urgency> {
        task.as_ref().filter(|it| it.label.is_none() && it.idempotency.is_none() && it.due == Due::Now)?;
        let mut inner = self.inner.lock();
        if inner.is_closed {
            return None;
        }
        inner.submitted.push(task.take()?, now);
        let count = inner.submitted.tasks.len();
        if count < MOST && !inner.sinks.iter().any(|it| it.is_waiting()) {
            return Some(Urgency::None);
        }
        self.is_urgent.store(true, Ordering::SeqCst);
        Some(if count < MOST { Urgency::Now } else { Urgency::Full })
    }

    /// Whether somebody left it to the holder of the store's lock to sort in what was taken. To be looked at when that lock
    /// was given back: who found it taken has set this before.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent.load(Ordering::SeqCst)
    }

    /// Exchanges what was taken for `room`, which is empty.
    pub(super) fn exchange(&self, room: &mut Submitted) {
        let mut inner = self.inner.lock();
        if !inner.submitted.tasks.is_empty() {
            std::mem::swap(&mut inner.submitted, room);
            self.is_urgent.store(false, Ordering::SeqCst);
        }
    }

    pub(super) fn set_sinks(&self, sinks: Sinks) {
        let before = std::mem::replace(&mut self.inner.lock().sinks, sinks);
        drop(before);
    }

    /// Whether some queue is bounded.
    pub(super) fn set_closed(&self, is_closed: bool) {
        self.inner.lock().is_closed = is_closed;
    }
}
