//! Annotate async functions; get tasks.

#[doc(hidden)]
pub mod __private;
pub mod domain;
pub mod infrastructure;
pub mod ports;
#[cfg(feature = "test-util")]
pub mod testing;

pub use domain::{
    Classify, ErrorKind, Filter, Name, Page, Priority, Progress, Quota, Retry, Statistics, TaskId, TaskRecord,
    TaskStatus, Timestamp, Transition,
};
pub use infrastructure::memory::{MemoryStore, MemoryTransaction};
pub use ports::{Clock, Enlist, EnlistNow, Task, TaskContext, TaskError, TaskStore};
