use std::sync::Arc;

use parking_lot::Mutex;

use super::attempt::RunningAttempt;

/// Where the worker finds what a slot runs.
#[derive(Debug, Default)]
pub(crate) struct Cell(Mutex<Option<Arc<RunningAttempt>>>);

impl Cell {
    /// The attempt that runs in the slot.
    pub(crate) fn attempt(&self) -> Option<Arc<RunningAttempt>> {
        self.0.lock().clone()
    }

    /// Another attempt runs, or none.
    pub(crate) fn set(&self, attempt: Option<Arc<RunningAttempt>>) {
        *self.0.lock() = attempt;
    }
}
