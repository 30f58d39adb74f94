//! Which queues a worker serves, and what of them it runs.

use std::sync::Arc;

use crate::domain::Name;

/// The queues that a worker serves, how many tasks of each it may run at once, and how many it runs.
#[derive(Debug, Default)]
pub(super) struct Served {
    queues: Arc<[(Name, usize)]>,
    has_limits: bool,
    /// How many run, of each. Counted without limits as well, so that a limit that comes later knows.
    running: Vec<usize>,
    /// How often they were replaced.
    revision: u64,
    /// Where the last task was found.
    last: usize,
}

impl Served {
    /// Other queues, or other limits.
    pub(super) fn replace(&mut self, queues: Vec<(Name, usize)>) {
        let running = queues.iter().map(|it| self.place_of(&it.0).map_or(0, |at| self.running[at])).collect();
        self.running = running;
        self.has_limits = queues.iter().any(|it| it.1 != usize::MAX);
        self.queues = queues.into();
        self.revision += 1;
    }

    /// Whether any of them is limited in this worker.
    pub(super) const fn has_limits(&self) -> bool {
        self.has_limits
    }

    /// How often they were replaced: what was claimed before may be too much now.
    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many more tasks of each may run.
    pub(super) fn room(&self) -> Arc<[(Name, usize)]> {
        if !self.has_limits {
            return self.queues.clone();
        }
        let each = self.queues.iter().zip(&self.running);
        each.map(|((name, most), now)| (name.clone(), most.saturating_sub(*now))).collect()
    }

    /// A task of this queue begins to run.
    pub(super) fn started(&mut self, queue: &Name) {
        if let Some(at) = self.place_of(queue) {
            self.running[at] += 1;
        }
    }

    /// A task of this queue runs no more.
    pub(super) fn ended(&mut self, queue: &Name) {
        if let Some(at) = self.place_of(queue) {
            // A queue that was not served for a while has lost count.
            self.running[at] = self.running[at].saturating_sub(1);
        }
    }

    fn place_of(&mut self, queue: &Name) -> Option<usize> {
        if self.queues.get(self.last).is_none_or(|it| it.0 != *queue) {
            self.last = self.queues.iter().position(|it| it.0 == *queue)?;
        }
        Some(self.last)
    }
}
