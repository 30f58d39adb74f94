//! An embeddable task framework: annotate functions, and get background tasks with priorities, retries, timeouts,
//! schedules, limits, progress and a full record of every attempt, in one registry that the linker fills.
//!
//! ```standalone_crate
//! use ddd_core::{App, task};
//!
//! /// Counts the words of a text.
//! #[task(priority = 3, timeout = "30s", retry(max_attempts = 3, delay = "1s"))]
//! async fn count_words(text: String) -> Result<usize, std::io::Error> {
//!     Ok(text.split_whitespace().count())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let app = App::start().await?; // in memory, nothing to install
//!     let handle = app.submit(count_words { text: "to be or not to be".into() }).await?;
//!     assert_eq!(handle.result().await?, 6);
//!     Ok(())
//! }
//! ```
//!
//! # What is where
//!
//! | to | see |
//! |---|---|
//! | make a task of a function | [`task`], [`TaskContext`], [`TaskError`], [`Classify`] |
//! | put an application together | [`App::builder`], [`Settings`], [`Factory`], [`QueueSettings`] |
//! | submit | [`App::submit`], [`App::submit_named`], [`App::submit_many`], [`App::execute`], [`Submission`], [`IdempotencyKey`] |
//! | await a result | [`TaskHandle`], [`ResultError`] |
//! | look at tasks, and change them | [`App::tasks`]: [`Tasks`], [`TaskRecord`], [`Statistics`], [`Transitions`] |
//! | let tasks run by themselves | [`Tasks::schedules`], [`Schedule`] |
//! | know every task of the program | [`App::registry`] |
//! | cache, limit, retry and protect any function | [`cached`], [`rate_limited`], [`retry`], [`circuit_breaker`], [`bulkhead`], [`timeout`], [`Refused`] |
//! | look at these policies, and change them | [`policies()`], [`Policies`], [`AppBuilder::override_policy`] |
//! | end in order | [`App::run`], [`App::shutdown`], [`ShutdownReport`] |
//! | carry a trace on | [`current_trace`], [`adopt_trace`], [`TraceContext`], [`Origin`], [`with_origin`] |
//! | keep tasks elsewhere | [`TaskStore`]: [`MemoryStore`] unless set; `SqliteStore` and `PostgresStore` by their features |
//!
//! # Promise
//!
//! An acknowledged task is stored before the acknowledgement and runs to a terminal state at least once. It can run more than
//! once after a crash, a pause longer than its lease, or lost contact with the store. In memory, stored means in this process:
//! what has not ended when it ends is lost.
//!
//! # Features
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `macros` | the attribute [`task`], and those of function policies | yes |
//! | `config` | `Configuration`: YAML files, `.env`, the environment and code in layers; every value knows where it comes from | no |
//! | `telemetry` | `telemetry`: logs as JSON lines or as text, with the ids of requests and tasks, panics too | no |
//! | `metrics` | metrics of tasks and policies through the facade `metrics` | no |
//! | `otel` | traces and metrics over OTLP | no |
//! | `sqlite` | `SqliteStore`: tasks in a file, durable without a server, for the processes of one machine | no |
//! | `postgres` | `PostgresStore`: tasks in PostgreSQL, for many machines and in your own transactions | no |
//! | `test-util` | `ddd_core::testing`: virtual time, drain, assertions on what was submitted, crash injection | no |
//!
//! # Where next
//!
//! The guides on [tasks](https://github.com/ddd-rs/ddd/blob/main/docs/tasks.md),
//! [function policies](https://github.com/ddd-rs/ddd/blob/main/docs/policies.md),
//! [testing](https://github.com/ddd-rs/ddd/blob/main/docs/testing.md) and
//! [operations](https://github.com/ddd-rs/ddd/blob/main/docs/operations.md); and in the repository,
//! `cargo run --example quickstart` and `cargo run --example tour`.

#[doc(hidden)]
pub mod __private;
mod app;
mod application;
pub mod domain;
mod infrastructure;
pub mod ports;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(feature = "test-util")]
pub mod testing;

pub use app::{App, AppBuilder, BuildError, HangupWatch, policies};
#[cfg(feature = "config")]
pub use app::{ChangedSetting, ConfigurationBuilder, ReloadError, Reloaded};
pub use application::{
    Bulk, CacheHandle, ExecuteError, Factory, FailedTask, IdGenerator, InForce, Lagged, LimitHandle, Operation,
    Policies, PolicyDefaults, PolicyError, PolicyInfo, PolicyOverrides, Registered, Registry, ResultError, Schedules,
    SchedulesError, Settings, ShutdownReport, Submission, SubmitError, Submitting, TaskHandle, TaskOverrides,
    TaskSettings, Tasks, Transitions, adopt_trace, current_trace, with_origin,
};
#[cfg(feature = "config")]
pub use application::{Configuration, ConfigurationError, Explained, ExplainedSetting, Secret, UndeclaredSection};
#[cfg(feature = "config")]
pub use domain::as_written;
pub use domain::{
    AttemptError, Classify, Counts, Cursor, ErrorKind, FailureKind, Fence, Filter, Fingerprint, IdempotencyKey,
    IntoDuration, InvalidLogLevel, InvalidTraceContext, LimitState, LogLevel, LogLevels, Moment, Name, Origin, Page,
    PolicyKind, Priority, Progress, Quota, RankStep, Refused, RefusedKind, Retry, Schedule, ScheduleError, Statistics,
    TaskId, TaskRecord, TaskStatus, TaskSummary, Timestamp, TraceContext, Transition, WorkerId,
};
#[cfg(feature = "config")]
pub use domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem};
#[cfg(feature = "postgres")]
pub use infrastructure::postgres::{PostgresConnection, PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use infrastructure::sqlite::{Durability, SqliteOptions, SqliteStore};
pub use infrastructure::{
    SystemClock,
    memory::{MemoryStore, MemoryTransaction},
};
pub use ports::{
    AttemptInfo, BodyFuture, BoxError, CacheAddress, CacheAnswer, CacheFound, CacheInvalidation, CacheListener,
    CacheStore, CacheTarget, CacheTicket, CacheWrite, CacheWritten, Clock, Controlled, Due, Enlist, EnlistNow, Failure,
    Forced, InvalidParams, LimitAnswer, LimitRequest, LimitStore, PolicyChangeError, Position, QueueSettings,
    QueueState, ScheduleRecord, StoreError, StoreErrorKind, StorePlace, StoreSettings, Task, TaskContext, TaskError,
    TaskStore, WorkerState,
};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/bulkhead.md")]
pub use ddd_macros::bulkhead;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/cached.md")]
pub use ddd_macros::cached;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/circuit_breaker.md")]
pub use ddd_macros::circuit_breaker;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/rate_limited.md")]
pub use ddd_macros::rate_limited;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/retry.md")]
pub use ddd_macros::retry;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/task.md")]
pub use ddd_macros::task;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/timeout.md")]
pub use ddd_macros::timeout;
