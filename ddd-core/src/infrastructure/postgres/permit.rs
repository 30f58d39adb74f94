use std::collections::VecDeque;

use crate::domain::TaskId;

/// A concurrency key, as far as a transaction needs to know it.
#[derive(Debug, Default)]
pub(super) struct Permit {
    /// How many permits are taken.
    pub(super) taken: i64,
    /// The first that wait for it, in order.
    pub(super) waiting: VecDeque<TaskId>,
}
