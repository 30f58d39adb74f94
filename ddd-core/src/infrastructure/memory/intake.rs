use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::effects::Sinks;
use crate::{
    domain::Timestamp,
    ports::{Due, NewTask},
};

/// After so many submissions somebody sorts them in.
const SORTED_TOGETHER: usize = 64;
/// No more than so many wait, whoever is at it.
const MOST: usize = 512;

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

/// Tasks, and when each was submitted. Tasks are large: beside their times they would have to be moved once more.
#[derive(Default)]
pub(super) struct Submitted {
    tasks: Vec<NewTask>,
    times: Vec<Timestamp>,
}

impl Submitted {
    /// Takes them all out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Timestamp, NewTask)> {
        self.times.drain(..).zip(self.tasks.drain(..))
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
        inner.submitted.tasks.push(task.take()?);
        inner.submitted.times.push(now);
        let count = inner.submitted.times.len();
        if !count.is_multiple_of(SORTED_TOGETHER) && !inner.sinks.iter().any(|it| it.is_waiting()) {
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
        if !inner.submitted.times.is_empty() {
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
