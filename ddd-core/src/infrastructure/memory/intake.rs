use parking_lot::Mutex;

use super::effects::Sinks;
use crate::{
    domain::Timestamp,
    ports::{Due, NewTask},
};

/// After so many submissions somebody sorts them in, unless somebody else is just at it.
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
pub(super) struct Intake(Mutex<Inner>);

struct Inner {
    tasks: Vec<Submitted>,
    /// Who may wait to be told.
    sinks: Sinks,
    /// Whether what becomes of a task can depend on what is there: some queue is bounded.
    is_closed: bool,
}

/// A task, and when it was submitted.
pub(super) type Submitted = (NewTask, Timestamp);

/// When what was taken is to be sorted in.
pub(super) enum Urgency {
    /// By whoever comes next.
    None,
    /// Now, if nobody else is at it.
    Due,
    /// Now.
    Now,
}

impl Intake {
    pub(super) fn new(sinks: Sinks) -> Self {
        Self(Mutex::new(Inner { tasks: Vec::new(), sinks, is_closed: false }))
    }

    /// Takes a task that will be ready whatever is there; gives any other back.
    #[allow(clippy::result_large_err, reason = "the task comes back as it was given")]
    pub(super) fn take(&self, task: NewTask, now: Timestamp) -> Result<Urgency, NewTask> {
        if task.label.is_some() || task.idempotency.is_some() || task.due != Due::Now {
            return Err(task);
        }
        let mut inner = self.0.lock();
        if inner.is_closed {
            return Err(task);
        }
        inner.tasks.push((task, now));
        Ok(match inner.tasks.len() {
            MOST.. => Urgency::Now,
            _ if inner.sinks.iter().any(|it| it.is_waiting()) => Urgency::Now,
            count if count.is_multiple_of(SORTED_TOGETHER) => Urgency::Due,
            _ => Urgency::None,
        })
    }

    /// Exchanges what was taken for `room`, which is empty.
    pub(super) fn exchange(&self, room: &mut Vec<Submitted>) {
        let mut inner = self.0.lock();
        if !inner.tasks.is_empty() {
            std::mem::swap(&mut inner.tasks, room);
        }
    }

    pub(super) fn set_sinks(&self, sinks: Sinks) {
        let before = std::mem::replace(&mut self.0.lock().sinks, sinks);
        drop(before);
    }

    /// Whether some queue is bounded.
    pub(super) fn set_closed(&self, is_closed: bool) {
        self.0.lock().is_closed = is_closed;
    }
}
