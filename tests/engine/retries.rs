//! Retries: stored, not slept; bounded; each attempt's error kept.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::{ResultError, Task, TaskContext, TaskStatus, domain::FailureKind, ports::Controlled, task};
use tokio::time::Instant;

use crate::support::{assert_about, record, virtual_app};

#[derive(Clone, Default)]
struct Starts(Arc<Mutex<Vec<(u32, Instant)>>>);

impl Starts {
    fn note(&self, context: &TaskContext) {
        self.0.lock().unwrap().push((context.attempt(), Instant::now()));
    }

    /// The pauses between starts.
    fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().windows(2).map(|it| it[1].1 - it[0].1).collect()
    }

    fn attempts(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(|it| it.0).collect()
    }
}

#[task(retry(max_attempts = 5, delay = "10s", backoff = 2, max_delay = "60s"))]
async fn fails(#[inject] starts: Starts, #[inject] context: TaskContext) -> Result<(), String> {
    starts.note(&context);
    Err(format!("failure {}", context.attempt()))
}

#[task(retry(max_attempts = 5, delay = "10s", backoff = 2, max_delay = "60s", jitter = false))]
async fn fails_evenly(#[inject] starts: Starts, #[inject] context: TaskContext) -> Result<(), String> {
    starts.note(&context);
    Err("again".to_owned())
}

#[task]
async fn nothing() {}

const BOUNDS: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_secs(20), Duration::from_secs(40), Duration::from_secs(60)];

#[tokio::test(start_paused = true)]
async fn the_backoff_is_drawn_from_zero_to_its_bound() {
    let mut parts = Vec::new();
    for _ in 0..25 {
        let starts = Starts::default();
        let app = virtual_app(&[fails::definition()]).provide(starts.clone()).build().await.unwrap();
        app.start_workers().await.unwrap();
        let handle = app.submit(fails {}).await.unwrap();
        let Err(ResultError::Failed(error)) = handle.result().await else { panic!("it fails") };
        assert_eq!(error.message, "failure 5");
        assert_eq!(starts.attempts(), [1, 2, 3, 4, 5]);
        for (pause, bound) in starts.pauses().into_iter().zip(BOUNDS) {
            assert!(pause <= bound + Duration::from_millis(20), "{pause:?} over {bound:?}");
            parts.push(pause.as_secs_f64() / bound.as_secs_f64());
        }
        let record = record(&app, handle.id()).await;
        let errors: Vec<_> = record.errors.iter().map(|it| (it.run, it.attempt, it.message.clone(), it.kind)).collect();
        let wanted: Vec<_> = (1..=5).map(|it| (1, it, format!("failure {it}"), FailureKind::Error)).collect();
        assert_eq!(errors, wanted);
    }
    // Of 100 even draws, fewer than 20 in a half has a probability below 1e-9.
    let low = parts.iter().filter(|it| **it < 0.5).count();
    assert!((20..=80).contains(&low), "{low} of {} draws in the lower half", parts.len());
}

#[tokio::test(start_paused = true)]
async fn the_slot_is_free_while_a_retry_waits() {
    let starts = Starts::default();
    let app = virtual_app(&[fails_evenly::definition(), nothing::definition()])
        .provide(starts.clone())
        .slots(1)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(fails_evenly {}).await.unwrap();
    let mut transitions = app.tasks().transitions();
    while transitions.next().await.unwrap().to != TaskStatus::Retrying {}
    let began = Instant::now();
    app.submit(nothing {}).await.unwrap().result().await.unwrap();
    assert_about(began.elapsed(), Duration::ZERO, &"another task");
    assert_eq!(handle.status().await.unwrap(), Some(TaskStatus::Retrying));
    assert!(handle.result().await.is_err());
    for (pause, bound) in starts.pauses().into_iter().zip(BOUNDS) {
        assert_about(pause, bound, &"the pause");
    }
    assert_eq!(starts.attempts().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_submission_decides_how_many_attempts_there_are() {
    let starts = Starts::default();
    let app = virtual_app(&[fails::definition()]).provide(starts.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    assert!(app.submit(fails {}).max_attempts(2).await.unwrap().result().await.is_err());
    assert_eq!(starts.attempts(), [1, 2]);
    assert!(app.submit(fails {}).max_attempts(0).await.is_err(), "there is no task without an attempt");
}

#[task(timeout = "1s", retry(max_attempts = 2, delay = "1s"))]
async fn slow_at_first(#[inject] context: TaskContext) -> Result<u32, String> {
    if context.attempt() == 1 {
        std::future::pending::<()>().await;
    }
    Ok(context.attempt())
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_retried() {
    let app = virtual_app(&[slow_at_first::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(slow_at_first {}).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 2);
    let record = record(&app, handle.id()).await;
    let errors: Vec<_> = record.errors.iter().map(|it| (it.attempt, it.kind)).collect();
    assert_eq!(errors, [(1, FailureKind::Timeout)]);
}

/// Fails in its first run, twice; succeeds in its second.
#[task(retry(max_attempts = 2, delay = "1s"))]
async fn second_run_succeeds(#[inject] context: TaskContext) -> Result<(u32, u32), String> {
    if context.run() == 1 { Err("first run".to_owned()) } else { Ok((context.run(), context.attempt())) }
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_finished_task_is_a_new_run() {
    let app = virtual_app(&[second_run_succeeds::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(second_run_succeeds {}).await.unwrap();
    assert!(handle.result().await.is_err());
    let first = record(&app, handle.id()).await;
    assert_eq!((first.run, first.attempt), (1, 2));
    app.tasks().pause("default").await.unwrap();
    assert!(matches!(app.tasks().retry(handle.id()).await.unwrap(), Controlled::Applied(TaskStatus::Pending)));
    assert_eq!(app.tasks().retry(handle.id()).await.unwrap(), Controlled::Refused(TaskStatus::Pending));
    // The handle waits for the run that is now; it does not spin, or time would stand still.
    let waiting = tokio::time::timeout(Duration::from_secs(60), handle.result()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    app.tasks().resume("default").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (2, 1));
    let second = record(&app, handle.id()).await;
    assert_eq!((second.run, second.attempt, second.status), (2, 1, TaskStatus::Success));
    assert!(second.fence > first.fence);
    let runs: Vec<_> = second.errors.iter().map(|it| (it.run, it.attempt)).collect();
    assert_eq!(runs, [(1, 1), (1, 2)], "the errors of the first run are kept");
}
