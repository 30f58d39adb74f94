use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::domain::{Budget, Moment};

/// A budget that several functions share.
#[derive(Debug)]
pub(super) struct SharedBudget {
    budget: Mutex<Budget>,
    /// Whether it was full when it was last touched: then good calls, which are most of them, take no lock.
    is_full: AtomicBool,
}

impl SharedBudget {
    pub(super) const fn new(now: Moment) -> Self {
        Self { budget: Mutex::new(Budget::new(now)), is_full: AtomicBool::new(true) }
    }

    /// Takes a retry, if one is left.
    pub(super) fn take(&self, now: Moment) -> bool {
        let mut budget = self.budget.lock();
        let taken = budget.take(now);
        self.is_full.store(budget.is_full(), Ordering::Relaxed);
        taken
    }

    /// Gives back what a call that ended well gives back.
    pub(super) fn give(&self) {
        if self.is_full.load(Ordering::Relaxed) {
            return;
        }
        let mut budget = self.budget.lock();
        budget.give();
        self.is_full.store(budget.is_full(), Ordering::Relaxed);
    }

    pub(super) fn left(&self, now: Moment) -> u32 {
        self.budget.lock().left(now)
    }

    /// Full again.
    pub(super) fn fill(&self, now: Moment) {
        *self.budget.lock() = Budget::new(now);
        self.is_full.store(true, Ordering::Relaxed);
    }
}
