//! Tests of an application: time that the test moves, and a look at what was submitted.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    App, AppBuilder, Filter, Settings, ShutdownReport, Statistics, StoreError, Task, TaskRecord, Timestamp,
    application::Isolation,
    ports::{Clock, debug},
};

/// A clock that follows the runtime's timer: in a test with paused time it stands still, and jumps when the test waits.
///
/// It starts at 2026-01-01T00:00:00Z.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    started: Instant,
}

impl VirtualClock {
    /// The instant at which it starts.
    pub const EPOCH: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Self::EPOCH.after(Instant::now().saturating_duration_since(self.started))
    }
}

/// A builder whose application takes its time from the test: timeouts, delays, retries, schedules, leases and
/// retention all pass as fast as the test waits for them.
///
/// Call it in a test with paused time. Blocking bodies hold the time while they run. Called within
/// [`isolated`](super::isolated), the bodies that a worker runs have the test's own function policies as well.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use ddd_core::{task, testing};
///
/// #[task]
/// async fn remind(text: String) -> Result<String, String> { Ok(text) }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     tokio::time::pause(); // or #[tokio::test(start_paused = true)]
///     let app = testing::builder().build().await.unwrap();
///     app.start_workers().await.unwrap();
///     let began = std::time::Instant::now();
///     let later = app.submit(remind { text: "tea".into() }).delay(Duration::from_secs(3_600)).await.unwrap();
///     assert_eq!(later.result().await.unwrap(), "tea");
///     assert!(began.elapsed() < Duration::from_secs(60)); // the hour did not pass for us
/// }
/// ```
#[must_use]
pub fn builder() -> AppBuilder {
    // Hints are not lost in one process, and every look costs the test real time.
    let settings = Settings { poll_interval: Duration::from_secs(3_600), ..Settings::default() };
    let builder = App::builder().settings(settings).clock(Arc::new(VirtualClock::start())).virtual_time();
    match Isolation::current() {
        None => builder,
        Some(own) => builder.around(move |_context, body| {
            let own = own.clone();
            Box::pin(async move { own.scope(body).await })
        }),
    }
}

/// Runs everything that is ready or will be retried, and answers with the figures when nothing is left. Tasks that are
/// delayed or parked stay.
///
/// # Panics
/// The worker could not start, or the store failed.
pub async fn drain(app: &App) -> Statistics {
    if let Err(error) = app.start_workers().await {
        panic!("the worker could not start: {error}");
    }
    let tasks = app.tasks();
    match tasks.wait_idle().await {
        Ok(()) => tasks.statistics().await.unwrap_or_else(|error| panic!("{error}")),
        Err(error) => panic!("the store failed: {error}"),
    }
}

/// A task that was submitted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Submitted<T> {
    /// The task as data.
    pub task: T,
    /// Its record, as it now is.
    pub record: TaskRecord,
}

/// All tasks of this definition that were submitted and whose records are kept, oldest first. Secrets are as they were
/// submitted.
///
/// # Panics
/// The store failed, or a record does not fit the definition.
pub async fn submitted<T: Task>(app: &App) -> Vec<Submitted<T>> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let filter = Filter::all().name(T::definition().name);
        let page = stored(app.store().list(filter, cursor, 500).await);
        let records = stored(app.store().get(page.items.iter().map(|it| it.id).collect()).await);
        for record in records.into_iter().flatten() {
            match serde_json::from_str(record.params.get()) {
                Ok(task) => all.push(Submitted { task, record }),
                Err(error) => panic!("the record {} does not fit `{}`: {error}", record.id, record.name),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            all.reverse();
            return all;
        }
    }
}

/// What a store answered.
fn stored<T>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| panic!("the store failed: {error}"))
}

/// A task as its definition shows it, secrets as `***`.
struct Shown<'a, T>(&'a T);

impl<T: Task> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self.0, T::definition().name, f)
    }
}

/// The tasks as a text, one a line, at most 10, secrets as `***`: what an assertion tells that found none of them right.
#[doc(hidden)]
#[must_use]
pub fn listed<T: Task>(submitted: &[Submitted<T>]) -> String {
    const MOST: usize = 10;
    if submitted.is_empty() {
        return format!("no `{}` was submitted at all", T::definition().name);
    }
    let lines = submitted.iter().take(MOST).map(|it| format!("\n  {}", Shown(&it.task)));
    let rest = submitted.len().saturating_sub(MOST);
    let rest = if rest > 0 { format!("\n  and {rest} more") } else { String::new() };
    format!("submitted were:{}{rest}", lines.collect::<String>())
}

/// Asserts that a task like this was submitted: the struct of a task, with a pattern for its fields, and perhaps a guard.
/// If none was, the panic lists those of its definition that were, at most 10, secrets hidden.
///
/// ```standalone_crate
/// # use ddd_core::{assert_submitted, task, testing};
/// #[task]
/// async fn welcome(user: u64) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let app = testing::builder().build().await.unwrap();
/// app.submit(welcome { user: 7 }).await.unwrap();
/// assert_submitted!(app, welcome { user: 7 });
/// assert_submitted!(app, welcome { user } if user % 2 == 1);
/// # }
/// ```
#[macro_export]
macro_rules! assert_submitted {
    ($app:expr, $task:ident { $($fields:tt)* } $(if $guard:expr)? $(,)?) => {{
        let submitted = $crate::testing::submitted::<$task>(&$app).await;
        let others = $crate::testing::listed(&submitted);
        let found = submitted.into_iter().any(|it| match it.task {
            $task { $($fields)* } $(if $guard)? => true,
            #[allow(unreachable_patterns, reason = "the pattern may match every task")]
            _ => false,
        });
        assert!(
            found,
            "no task `{}` like this was submitted; {others}",
            ::core::stringify!($task { $($fields)* } $(if $guard)?)
        );
    }};
}

/// Ends the worker of an application as a killed process would: bodies are dropped, nothing is reported or given back, and
/// no further sign of life is given. The store learns of it when the leases run out.
pub async fn crash(app: &App) {
    app.crash().await;
}

/// Shuts down and asserts that nothing was left running.
///
/// # Panics
/// A body had to be stopped, or could not be.
pub async fn shutdown(app: &App) {
    let report = app.shutdown(Duration::from_secs(5)).await;
    assert_eq!(report, ShutdownReport::default(), "bodies ran on at the end of the test");
}
