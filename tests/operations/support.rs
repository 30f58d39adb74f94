//! What the tests share: small tasks, and a builder that knows only them.

use std::{sync::Arc, time::Duration};

use ddd_core::{
    App, AppBuilder, Clock, Filter, MemoryStore, Settings, Task, TaskHandle, TaskRecord, TaskStatus, TaskStore,
    Timestamp, ports::Definition, task, testing,
};
use tokio::time::Instant;

/// Answers with its text.
#[task]
pub(crate) async fn echo(text: String) -> Result<String, String> {
    Ok(text)
}

/// Takes so long.
#[task]
pub(crate) async fn nap(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Takes so long, and fails.
#[task(queue = "faults")]
pub(crate) async fn fail(millis: u64) -> Result<(), String> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Err("no luck".to_owned())
}

/// The tasks above.
pub(crate) fn definitions() -> Vec<&'static Definition> {
    vec![echo::definition(), nap::definition(), fail::definition()]
}

/// A builder in virtual time that knows the tasks above.
pub(crate) fn builder() -> AppBuilder {
    testing::builder().definitions(definitions())
}

/// The same with `more`.
pub(crate) fn builder_with(more: impl IntoIterator<Item = &'static Definition>) -> AppBuilder {
    testing::builder().definitions(definitions().into_iter().chain(more))
}

/// A started application with the tasks above.
pub(crate) async fn started() -> App {
    let app = builder().build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

/// A clock of the test's own beginning, which moves with the runtime's timer.
#[derive(Debug)]
pub(crate) struct ClockFrom(Timestamp, Instant);

impl ClockFrom {
    pub(crate) fn new(at: &str) -> Arc<Self> {
        Arc::new(Self(Timestamp::parse(at).unwrap(), Instant::now()))
    }
}

impl Clock for ClockFrom {
    fn now(&self) -> Timestamp {
        self.0.after(Instant::now().saturating_duration_since(self.1))
    }
}

/// A store in memory that several applications share, and its clock.
pub(crate) fn shared_memory(clock: &Arc<impl Clock>) -> (MemoryStore, Arc<dyn TaskStore>) {
    let store = MemoryStore::with_clock(clock.clone());
    (store.clone(), Arc::new(store))
}

/// Settings for tests that let days pass.
pub(crate) fn unhurried() -> Settings {
    let mut settings = Settings::default();
    settings.poll_interval = Duration::from_secs(600);
    settings.heartbeat = Duration::from_secs(600);
    settings.lease = Duration::from_secs(3_000);
    settings
}

pub(crate) async fn record<O: serde::de::DeserializeOwned + Send + 'static>(handle: &TaskHandle<O>) -> TaskRecord {
    handle.record().await.unwrap().unwrap()
}

pub(crate) async fn status<O: serde::de::DeserializeOwned + Send + 'static>(handle: &TaskHandle<O>) -> TaskStatus {
    record(handle).await.status
}

/// Waits for a status. Time passes for the test only as far as something waits.
pub(crate) async fn until<O: serde::de::DeserializeOwned + Send + 'static>(handle: &TaskHandle<O>, wanted: TaskStatus) {
    let mut last = None;
    for _ in 0..100_000 {
        last = handle.status().await.unwrap();
        if last == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{:?} is {last:?} and never {wanted}", handle.id());
}

/// All records that a filter means, page by page.
pub(crate) async fn all(app: &App, filter: Filter) -> Vec<TaskRecord> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = app.tasks().list(filter.clone(), cursor, 100).await.unwrap();
        let ids = page.items.iter().map(|it| it.id).collect::<Vec<_>>();
        let found = app.tasks().get_many(ids).await.unwrap();
        items.extend(found.into_iter().map(|it| it.expect("what a list shows is on record")));
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

pub(crate) async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Whether the long forms of tests were asked for.
pub(crate) fn is_nightly() -> bool {
    std::env::var_os("DDD_NIGHTLY").is_some()
}
