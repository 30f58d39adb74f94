use std::{fmt::Debug, sync::Arc};

use serde_json::value::RawValue;

use crate::domain::TaskStatus;

/// Is told when a task's run ends. It must return at once and must not call the store.
pub trait Watcher: Send + Sync + Debug {
    /// The run ended; `result` is its result as JSON if it ended in `success`, `None` standing for `null`.
    fn ended(&self, status: TaskStatus, result: Option<Arc<RawValue>>);

    /// The run has ended in another process, or may have: the store knows how.
    fn look(&self) {}
}
