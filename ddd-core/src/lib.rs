//! Annotate async functions; get tasks.

#[doc(hidden)]
pub mod __private;
mod app;
mod application;
pub mod domain;
mod infrastructure;
pub mod ports;

pub use app::{App, AppBuilder, BuildError};
pub use application::{
    Bulk, ExecuteError, Factory, FailedTask, IdGenerator, Lagged, Operation, Registered, Registry, ResultError,
    Schedules, SchedulesError, Settings, ShutdownReport, Submission, SubmitError, Submitting, TaskHandle,
    TaskOverrides, TaskSettings, Tasks, Transitions,
};
pub use domain::{
    Classify, ErrorKind, Filter, Name, Page, Priority, Progress, Quota, Retry, Schedule, Statistics, TaskId,
    TaskRecord, TaskStatus, Timestamp, Transition,
};
pub use infrastructure::{
    SystemClock,
    memory::{MemoryStore, MemoryTransaction},
};
pub use ports::{Clock, Enlist, EnlistNow, QueueSettings, Task, TaskContext, TaskError, TaskStore};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/task.md")]
pub use ddd_macros::task;
