//! Our engine, as an application would use it: defaults, and one subscriber to all transitions.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_core::{App, TaskHandle, task};

use super::{
    protocol::{Engine, WORKERS},
    starter::Starter,
};

#[task]
async fn noop() {}

/// Our engine as an engine.
pub(crate) struct Ours {
    app: App,
    handles: Vec<TaskHandle<()>>,
}

impl Engine for Ours {
    async fn new(tasks: usize) -> Self {
        Self { app: app().await, handles: Vec::with_capacity(tasks) }
    }

    async fn start(&mut self) {
        self.app.start_workers().await.expect("the worker starts");
    }

    async fn submit(&mut self) {
        self.handles.push(self.app.submit(noop {}).await.expect("the task is taken"));
    }

    async fn finish(&mut self) {
        // From the last, as in the floor.
        while let Some(handle) = self.handles.pop() {
            handle.result().await.expect("the task succeeded");
        }
    }

    async fn end(self) {
        self.app.shutdown(Duration::from_secs(1)).await;
    }
}

/// An application with a subscriber that takes every transition.
async fn app() -> App {
    let app = App::builder().slots(WORKERS).build().await.expect("the wiring is right");
    let mut transitions = app.tasks().transitions();
    tokio::spawn(async move {
        loop {
            if let Err(lagged) = transitions.next().await {
                MISSED.fetch_add(lagged.missed, Ordering::Relaxed);
            }
        }
    });
    app
}

static MISSED: AtomicU64 = AtomicU64::new(0);

/// How many transitions the subscribers of all runs so far could not take in time.
pub(crate) fn missed() -> u64 {
    MISSED.load(Ordering::Relaxed)
}

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Says when it started.
#[task]
async fn note_start() {
    STARTED.store(elapsed(), Ordering::Release);
}

fn elapsed() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Our engine, one task at a time.
pub(crate) struct Submitter(App);

impl Submitter {
    pub(crate) async fn new() -> Self {
        let app = app().await;
        app.start_workers().await.expect("the worker starts");
        Self(app)
    }

    pub(crate) async fn end(self) {
        self.0.shutdown(Duration::from_secs(1)).await;
    }
}

impl Starter for Submitter {
    async fn start_one(&mut self) -> Duration {
        let submitted = elapsed();
        let handle = self.0.submit(note_start {}).await.expect("the task is taken");
        handle.result().await.expect("the task succeeded");
        Duration::from_nanos(STARTED.load(Ordering::Acquire) - submitted)
    }
}
