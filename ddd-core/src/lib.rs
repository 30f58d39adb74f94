//! Annotate async functions; get tasks.

#[doc(hidden)]
pub mod __private;
pub mod domain;
pub mod infrastructure;
pub mod ports;

pub use domain::{
    Classify, ErrorKind, Filter, Name, Page, Priority, Progress, Quota, Retry, Statistics, TaskId, TaskRecord,
    TaskStatus, Timestamp, Transition,
};
pub use ports::{Clock, Enlist, EnlistNow, Task, TaskContext, TaskError, TaskStore};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/task.md")]
pub use ddd_macros::task;
