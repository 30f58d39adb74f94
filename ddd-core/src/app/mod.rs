//! The composition root: puts an application together.

mod assembly;
mod builder;
#[cfg(feature = "config")]
mod configuration;
mod edit;
mod error;
mod hangup;
#[cfg(feature = "metrics")]
mod metrics;
mod policies;
#[cfg(feature = "config")]
mod reload;
#[cfg(feature = "config")]
mod reload_error;
#[cfg(feature = "config")]
mod reload_hooks;
#[cfg(feature = "config")]
mod reloads;
mod store_url;
#[cfg(feature = "telemetry")]
pub(crate) mod telemetry;
mod wiring;

use std::{
    fmt,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::task::AbortHandle;

pub use builder::AppBuilder;
#[cfg(feature = "config")]
pub use configuration::ConfigurationBuilder;
pub use error::BuildError;
pub use hangup::HangupWatch;
pub use policies::policies;
#[cfg(feature = "config")]
pub use reload_error::ReloadError;
#[cfg(feature = "config")]
pub use reloads::{ChangedSetting, Reloaded};

use crate::{
    application::{
        self, ExecuteError, Inbox, PolicyHold, Registry, Services, Settings, ShutdownReport, Submission, SubmitError,
        TaskHandle, Tasks, Worker, milestones,
    },
    domain::{Name, Timestamp},
    ports::{StoreError, Task, TaskStore},
};

/// An application: its tasks, their store, and the worker that runs them.
///
/// A clone is the same application. What is submitted to it runs once [`App::start_workers`] was called, here or in another
/// process that shares the store.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    services: Arc<Services>,
    inbox: Arc<Inbox>,
    queues: Mutex<Vec<(Name, usize)>>,
    running: tokio::sync::Mutex<Option<Running>>,
    /// Its worker, to look at without waiting.
    worker: Mutex<Option<Arc<Worker>>>,
    is_shut_down: AtomicBool,
    /// How many bodies run at once, with a worker or before there is one.
    slots: AtomicUsize,
    /// What was recorded of queues, by the name that they have in metrics.
    #[cfg(feature = "metrics")]
    recorded_queues: Mutex<std::collections::BTreeMap<String, crate::domain::Counts>>,
    /// The policies go by its settings as long as it is there.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "it is held"))]
    policy_hold: Arc<PolicyHold>,
    /// Whether SIGHUP means that the configuration is read again.
    reloads_on_hangup: bool,
    #[cfg(feature = "config")]
    reloads: reloads::Reloads,
}

/// What runs from [`App::start_workers`] on.
struct Running {
    worker: Arc<Worker>,
    schedules: AbortHandle,
    #[cfg(feature = "otel")]
    metrics: Option<AbortHandle>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.schedules.abort();
        #[cfg(feature = "otel")]
        self.metrics.iter().for_each(AbortHandle::abort);
    }
}

impl App {
    /// An application in memory with its workers started: nothing to install, and nothing kept when the process ends.
    ///
    /// All settings are the defaults; with the feature `config`, they are those of this process's files and environment:
    /// `Configuration::load`.
    ///
    /// # Errors
    /// What is wrong with the configuration or the wiring, all at once.
    pub async fn start() -> Result<Self, BuildError> {
        #[cfg(feature = "config")]
        let builder = {
            match application::Configuration::load_or_rest() {
                Ok(it) => Self::builder().configuration(&it),
                Err(broken) => return Err(Self::builder().refused(*broken)),
            }
        };
        #[cfg(not(feature = "config"))]
        let builder = Self::builder();
        builder.start().await
    }

    /// Submits a task. Set what differs on the answer, and await it.
    ///
    /// # Errors
    /// The submission yields them when it is awaited: [`SubmitError`].
    #[allow(clippy::needless_pass_by_value, reason = "a submitted task is gone: a command is given, not lent")]
    pub fn submit<T: Task>(&self, task: T) -> Submission<T::Output> {
        application::submit(&self.0.services, &task)
    }

    /// Submits a task by its name, with parameters that can be written as a JSON object.
    ///
    /// # Errors
    /// The submission yields them when it is awaited: [`SubmitError`].
    pub fn submit_named(&self, name: &str, params: impl serde::Serialize) -> Submission<serde_json::Value> {
        application::submit_named(&self.0.services, name, &params)
    }

    /// Submits many tasks of a kind in one call to the store. One answer for each, in order.
    ///
    /// A store takes very many in pieces (`PostgresStore` does beyond 2,000 tasks, 256 keys or 4 MiB of parameters, and where only some of
    /// their queues have a bound). If it fails at one piece, those before it are stored, and run.
    ///
    /// # Errors
    /// One of them is not valid, and none was submitted; or the store could not take all of them.
    pub async fn submit_many<T: Task>(
        &self,
        tasks: impl IntoIterator<Item = T>,
    ) -> Result<Vec<Result<TaskHandle<T::Output>, SubmitError>>, SubmitError> {
        application::submit_many(&self.0.services, tasks).await
    }

    /// Runs a task here and now, with the same validation, injection, timeout and span as a submitted one: one attempt, and
    /// no record.
    ///
    /// # Errors
    /// It did not end well.
    pub async fn execute<T: Task>(&self, task: T) -> Result<T::Output, ExecuteError> {
        application::execute(&self.0.services, task).await
    }

    /// All tasks: look at them, and change them.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.0.services.clone())
    }

    /// Every definition of the program.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.services.registry
    }

    /// Whether a definition or a setting of this program names this queue.
    #[must_use]
    pub fn names_queue(&self, queue: &str) -> bool {
        self.0.services.known_queues.contains(queue)
    }

    /// The time, as the application's clock tells it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.services.clock.now()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn TaskStore> {
        &self.0.services.store
    }

    /// Starts to run tasks in this process. A second call does nothing; one after a shutdown starts anew.
    ///
    /// # Errors
    /// The store does not take the worker in, the system gives no thread, or the application was shut down meanwhile.
    pub async fn start_workers(&self) -> Result<(), BuildError> {
        let mut running = self.0.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        self.0.is_shut_down.store(false, Ordering::Release);
        let services = &self.0.services;
        // First, so that nothing runs yet if that fails.
        application::declare_schedules(services).await.map_err(BuildError::of_schedules)?;
        let slots = self.0.slots.load(Ordering::Acquire);
        let queues = self.0.queues.lock().clone();
        let started = Worker::start(services.clone(), queues.clone(), slots).await;
        let started = Arc::new(started.map_err(BuildError::of_start)?);
        self.0.inbox.set_worker(&started);
        // What was submitted before the worker could hear of it.
        started.wake();
        let schedules = services.runtime.spawn(application::live_schedules(services.clone())).abort_handle();
        if self.0.is_shut_down.load(Ordering::Acquire) {
            schedules.abort();
            started.shutdown(Duration::ZERO).await;
            return Err(BuildError::shut_down());
        }
        let mut worker = self.0.worker.lock();
        // `set_slots` may have been called meanwhile, or the configuration been read again.
        started.resize(self.0.slots.load(Ordering::Acquire));
        let now = self.0.queues.lock().clone();
        if now != queues {
            started.serve(now.clone());
        }
        milestones::started(services, self.0.slots.load(Ordering::Acquire), &now);
        *worker = Some(started.clone());
        drop(worker);
        *running = Some(Running {
            worker: started,
            schedules,
            #[cfg(feature = "otel")]
            metrics: telemetry::Telemetry::exports()
                .then(|| services.runtime.spawn(Self::keep_recording_metrics(Arc::downgrade(&self.0))).abort_handle()),
        });
        Ok(())
    }

    /// Changes how many bodies run at once in this process, 1 to 1,000,000: now, or from [`App::start_workers`] on. Bodies
    /// that run are not stopped; with fewer slots, none starts until enough have ended.
    pub fn set_slots(&self, slots: usize) {
        let slots = slots.clamp(1, Settings::MOST_SLOTS);
        let worker = self.0.worker.lock();
        self.0.slots.store(slots, Ordering::Release);
        if let Some(worker) = &*worker {
            worker.resize(slots);
        }
    }

    /// How many bodies run in this process now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.worker.lock().as_ref().map_or(0, |it| it.running())
    }

    /// Runs tasks until the process is told to end (SIGINT, or SIGTERM where there is one), then shuts down within the time
    /// that the settings allow. A second signal ends the wait: the answer comes at once, so that the process can end.
    ///
    /// # Errors
    /// The worker could not start, or the system does not let the process listen for signals.
    pub async fn run(&self) -> Result<ShutdownReport, BuildError> {
        let mut signals = Signals::listen().map_err(BuildError::of_signal)?;
        let _hangups = self.watch_hangup().map_err(BuildError::of_signal)?;
        self.start_workers().await?;
        signals.next().await;
        milestones::shutting_down();
        let mut shutdown = pin!(self.shutdown(self.0.services.settings.shutdown_timeout));
        let mut again = pin!(signals.next());
        let report = poll_fn(|cx| {
            if again.as_mut().poll(cx).is_ready() {
                tracing::warn!("told to end a second time; ending at once");
                return Poll::Ready(ShutdownReport::default());
            }
            shutdown.as_mut().poll(cx)
        });
        Ok(report.await)
    }

    /// Ends the worker: claims nothing more, lets running bodies end until `within` has passed, and gives the rest back
    /// without consuming an attempt. Returns at most half a second after that. Tasks can still be submitted, for other
    /// processes.
    ///
    /// A call during another one waits for that, and a call when nothing runs does nothing: both answer with an empty report.
    pub async fn shutdown(&self, within: Duration) -> ShutdownReport {
        self.0.is_shut_down.store(true, Ordering::Release);
        let Ok(mut running) = tokio::time::timeout(within, self.0.running.lock()).await else {
            return ShutdownReport::default();
        };
        let Some(ending) = running.take() else { return ShutdownReport::default() };
        ending.schedules.abort();
        let busy = ending.worker.running();
        let report = ending.worker.shutdown(within).await;
        *self.0.worker.lock() = None;
        milestones::shut_down(busy, &report);
        report
    }

    /// Ends the worker as a killed process would.
    #[cfg(feature = "test-util")]
    pub(crate) async fn crash(&self) {
        if let Some(running) = self.0.running.lock().await.take() {
            running.schedules.abort();
            running.worker.crash().await;
        }
        *self.0.worker.lock() = None;
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.tasks().queues().await.map(drop)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("App").field(&self.0.services).finish()
    }
}

/// What tells the process to end. Registered once, so that no signal is missed between two waits.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Ends when the process is told to end.
    #[cfg(unix)]
    async fn next(&mut self) {
        poll_fn(|cx| match (self.interrupt.poll_recv(cx), self.terminate.poll_recv(cx)) {
            (Poll::Pending, Poll::Pending) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Ends when the process is told to end.
    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
