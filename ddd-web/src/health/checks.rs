//! What is looked at.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use ddd_core::{App, StoreError, TaskStatus};

use super::report::Level;

/// What a check yields: nothing, if all is well; else how bad it is, and why.
type Outcome = Result<(), (Level, String)>;
type Future = Pin<Box<dyn std::future::Future<Output = Outcome> + Send>>;

/// Something to look at, by its name.
#[derive(Clone)]
pub(crate) struct Check {
    pub(super) name: String,
    pub(super) run: Arc<dyn Fn() -> Future + Send + Sync>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// From where on somebody should look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    /// How long the oldest task of a queue that is not paused may have been ready.
    pub(crate) queue_age: Duration,
    /// Which part of the runs that ended in the last 24 hours may have failed.
    pub(crate) failed_ratio: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { queue_age: Duration::from_secs(300), failed_ratio: 0.5 }
    }
}

/// Of so few runs no ratio is made.
const FEWEST_RUNS: u64 = 10;

impl Check {
    /// A check of the application's own: an error is what is wrong.
    pub(crate) fn new<F, E>(name: String, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: std::future::Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let run = move || -> Future {
            let check = check();
            Box::pin(async move { check.await.map_err(|error| (Level::Unhealthy, error.to_string())) })
        };
        Self { name, run: Arc::new(run) }
    }

    fn of<F>(name: &str, app: &App, check: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        F: std::future::Future<Output = Outcome> + Send + 'static,
    {
        let app = app.clone();
        Self { name: name.to_owned(), run: Arc::new(move || Box::pin(check(app.clone()))) }
    }

    /// What is looked at in every application.
    pub(super) fn built_in(app: &App, thresholds: Thresholds) -> Vec<Self> {
        vec![
            Self::of("store", app, store),
            Self::of("queues", app, move |app| queues(app, thresholds.queue_age)),
            Self::of("failures", app, move |app| failures(app, thresholds.failed_ratio)),
            Self::of("workers", app, workers),
        ]
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what errors are mapped with")]
fn away(error: StoreError) -> (Level, String) {
    (Level::Unhealthy, error.to_string())
}

/// Whether the store answers.
async fn store(app: App) -> Outcome {
    app.check().await.map_err(away)
}

/// Whether tasks are started in time.
async fn queues(app: App, limit: Duration) -> Outcome {
    let now = app.now();
    let queues = app.tasks().queues().await.map_err(away)?;
    let waiting = queues.iter().filter(|it| !it.paused).filter_map(|it| Some((now.since(it.oldest_due?), &it.name)));
    match waiting.max() {
        Some((age, queue)) if age > limit => {
            let message = format!("a task of the queue `{queue}` has been ready for {} s", age.as_secs());
            Err((Level::Degraded, message))
        }
        _ => Ok(()),
    }
}

/// Whether most runs end well.
#[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
async fn failures(app: App, limit: f64) -> Outcome {
    let ended = app.tasks().statistics().await.map_err(away)?.last_24h;
    let (all, failed) = (ended.total(), ended.get(TaskStatus::Failed) + ended.get(TaskStatus::Timeout));
    if all < FEWEST_RUNS || failed as f64 / all as f64 <= limit {
        return Ok(());
    }
    Err((Level::Degraded, format!("{failed} of the {all} runs that ended in the last 24 hours failed")))
}

/// Whether somebody works, if there is work.
async fn workers(app: App) -> Outcome {
    let tasks = app.tasks();
    if !tasks.workers().await.map_err(away)?.is_empty() {
        return Ok(());
    }
    let queues = tasks.queues().await.map_err(away)?;
    let open = queues.iter().filter(|it| !it.paused);
    match open.map(|it| it.counts.get(TaskStatus::Pending)).sum::<u64>() {
        0 => Ok(()),
        waiting => Err((Level::Unhealthy, format!("no worker is alive, and so many tasks are ready: {waiting}"))),
    }
}
