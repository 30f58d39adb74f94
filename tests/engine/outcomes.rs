//! A body decides what follows its failure, however its error is wrapped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use ddd_core::{
    App, Classify, ErrorKind, Task, TaskContext, TaskError, TaskId, TaskStatus, Timestamp,
    domain::{FailureKind, Name},
    ports::NewTask,
    task,
};
use tokio::time::Instant;

use crate::support::{assert_about, record, virtual_app};

#[derive(Clone, Default)]
struct Starts(Arc<AtomicU32>);

/// The first start decides as it is told; the second succeeds.
fn decide(how: &str, starts: &Starts) -> Result<(), TaskError> {
    if starts.0.fetch_add(1, Ordering::SeqCst) > 0 {
        return Ok(());
    }
    Err(match how {
        "permanent" => TaskError::permanent("hopeless"),
        "retry_after" => TaskError::retry_after(Duration::from_secs(7)),
        "snooze" => TaskError::snooze(Duration::from_secs(9)),
        "cancel" => TaskError::cancel("not wanted"),
        other => panic!("{other}"),
    })
}

#[derive(Debug, thiserror::Error)]
enum Wrapped {
    #[error("wrapped")]
    Task(#[from] TaskError),
}

#[derive(Debug, thiserror::Error)]
enum Transparent {
    #[error(transparent)]
    Wrapped(#[from] Wrapped),
    #[error(transparent)]
    Task(#[from] TaskError),
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn bare(how: String, #[inject] starts: Starts) -> Result<(), TaskError> {
    decide(&how, &starts)
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn wrapped(how: String, #[inject] starts: Starts) -> Result<(), Wrapped> {
    Ok(decide(&how, &starts)?)
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn transparent(how: String, #[inject] starts: Starts) -> Result<(), Transparent> {
    Ok(decide(&how, &starts)?)
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn transparent_twice(how: String, #[inject] starts: Starts) -> Result<(), Transparent> {
    Ok(decide(&how, &starts).map_err(Wrapped::from)?)
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn boxed(how: String, #[inject] starts: Starts) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(decide(&how, &starts)?)
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
async fn through_anyhow(how: String, #[inject] starts: Starts) -> anyhow::Result<()> {
    decide(&how, &starts).context("the first context").context("the second context")
}

#[task(retry(max_attempts = 2, delay = "1h", jitter = false))]
fn blocking(how: String, #[inject] starts: Starts) -> anyhow::Result<()> {
    decide(&how, &starts).context("in a thread")
}

const NAMES: [&str; 7] = ["bare", "wrapped", "transparent", "transparent_twice", "boxed", "through_anyhow", "blocking"];

async fn app() -> (App, Starts) {
    let starts = Starts::default();
    let definitions = [
        bare::definition(),
        wrapped::definition(),
        transparent::definition(),
        transparent_twice::definition(),
        boxed::definition(),
        through_anyhow::definition(),
        blocking::definition(),
    ];
    let app = virtual_app(&definitions).provide(starts.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    (app, starts)
}

/// Runs a task; answers with its record, how long it took, and how often it started.
async fn run(name: &str, how: &str, max_attempts: u32) -> (ddd_core::TaskRecord, Duration, u32) {
    let (app, starts) = app().await;
    let began = Instant::now();
    let params = serde_json::json!({ "how": how });
    let handle = app.submit_named(name, params).max_attempts(max_attempts).await.unwrap();
    let _ = handle.result().await;
    (record(&app, handle.id()).await, began.elapsed(), starts.0.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_not_retried() {
    for name in NAMES {
        let (record, took, starts) = run(name, "permanent", 2).await;
        assert_eq!((record.status, record.attempt, starts), (TaskStatus::Failed, 1, 1), "{name}");
        assert!(record.last_error().unwrap().message.ends_with("permanent failure: hopeless"), "{record:?}");
        assert_about(took, Duration::ZERO, &name);
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_says_when_to_try_again() {
    for name in NAMES {
        let (record, took, starts) = run(name, "retry_after", 2).await;
        assert_eq!((record.status, record.attempt, starts), (TaskStatus::Success, 2, 2), "{name}");
        assert_about(took, Duration::from_secs(7), &name);
        let (record, _, starts) = run(name, "retry_after", 1).await;
        assert_eq!((record.status, starts), (TaskStatus::Failed, 1), "{name}: no attempt is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snooze_costs_no_attempt() {
    for name in NAMES {
        let (record, took, starts) = run(name, "snooze", 1).await;
        assert_eq!((record.status, record.attempt, starts), (TaskStatus::Success, 1, 2), "{name}");
        assert_about(took, Duration::from_secs(9), &name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_cancel_itself() {
    for name in NAMES {
        let (record, _, starts) = run(name, "cancel", 2).await;
        assert_eq!((record.status, starts), (TaskStatus::Cancelled, 1), "{name}");
        let error = record.last_error().unwrap();
        assert!(error.message.contains("not wanted") && error.kind == FailureKind::Cancelled, "{error:?}");
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
struct Classified(ErrorKind);

impl Classify for Classified {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

#[task(retry(max_attempts = 3, delay = "1s"))]
async fn classified(retryable: bool) -> Result<(), Classified> {
    Err(Classified(if retryable { ErrorKind::Unavailable } else { ErrorKind::Invalid }))
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_an_error_decides() {
    let app = virtual_app(&[classified::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    for (retryable, attempts) in [(true, 3), (false, 1)] {
        let handle = app.submit(classified { retryable }).await.unwrap();
        assert!(handle.result().await.is_err());
        assert_eq!(record(&app, handle.id()).await.attempt, attempts);
    }
}

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Address {
    lines: Vec<String>,
}

#[task(retry(max_attempts = 3, delay = "1s"))]
async fn posts(address: Address, #[inject] _context: TaskContext) {
    drop(address.lines);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_does_not_decode_fails_for_good() {
    let app = virtual_app(&[posts::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let id = TaskId::from_parts(Timestamp::from_micros(1), 0, 1);
    let params = serde_json::value::to_raw_value(&serde_json::json!({ "address": { "lines": ["a", 7] } })).unwrap();
    let mut task = NewTask::new(id, Name::new("posts"), Name::new("default"), params.into());
    task.max_attempts = 3;
    app.store().enqueue(vec![task]).await.unwrap();
    let _ = app.tasks().handle::<()>(id).result().await;
    let record = record(&app, id).await;
    assert_eq!((record.status, record.attempt), (TaskStatus::Failed, 1));
    let error = record.last_error().unwrap();
    assert_eq!(error.kind, FailureKind::Undecodable);
    assert!(error.message.contains("address.lines[1]"), "{}", error.message);
}
