//! Bounds on what one task may store.

use std::time::Duration;

use ddd_core::{ResultError, Settings, SubmitError, Task, TaskContext, TaskStatus, domain::FailureKind, task};

use crate::support::{record, virtual_app};

const MIB: usize = 1 << 20;

#[task]
async fn takes(text: String) -> Result<usize, String> {
    Ok(text.len())
}

#[task(retry(max_attempts = 3, delay = "1s"))]
async fn yields(bytes: usize) -> Result<String, String> {
    Ok("x".repeat(bytes))
}

/// Fails with a text of characters of three bytes, after some of one.
#[task]
async fn explains(before: usize) -> Result<(), String> {
    Err("x".repeat(before) + &"€".repeat(10_000))
}

#[task]
async fn babbles(before: usize, #[inject] context: TaskContext) {
    context.progress(0.5, "x".repeat(before) + &"€".repeat(10_000));
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn app(settings: Settings) -> ddd_core::App {
    let definitions = [takes::definition(), yields::definition(), explains::definition(), babbles::definition()];
    let app = virtual_app(&definitions).settings(settings).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

#[tokio::test(start_paused = true)]
async fn parameters_are_bounded_at_submission() {
    let app = app(Settings::default()).await;
    let around = r#"{"text":""}"#.len();
    let fits = takes { text: "x".repeat(MIB - around) };
    assert_eq!(app.submit(fits).await.unwrap().result().await.unwrap(), MIB - around);
    match app.submit(takes { text: "x".repeat(MIB - around + 1) }).await {
        Err(SubmitError::TooLarge { size, limit, .. }) => assert_eq!((size, limit), (MIB + 1, MIB)),
        other => panic!("{other:?}"),
    }
    let named = app.submit_named("takes", serde_json::json!({ "text": "x".repeat(MIB) })).await;
    assert!(matches!(named, Err(SubmitError::TooLarge { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_too_large_fails_the_task() {
    let app = app(Settings::default()).await;
    assert_eq!(app.submit(yields { bytes: MIB - 2 }).await.unwrap().result().await.unwrap().len(), MIB - 2);
    let handle = app.submit(yields { bytes: MIB - 1 }).await.unwrap();
    let Err(ResultError::Failed(error)) = handle.result().await else { panic!("it is too large") };
    assert_eq!(error.kind, FailureKind::Result);
    assert_eq!(error.message, "the result has 1048577 bytes of JSON; at most 1048576 are stored");
    let record = record(&app, handle.id()).await;
    assert_eq!((record.status, record.attempt), (TaskStatus::Failed, 1), "another attempt would yield the same");
}

#[tokio::test(start_paused = true)]
async fn long_texts_are_cut_at_the_edge_of_a_character() {
    let app = app(Settings::default()).await;
    for before in 0..3 {
        let handle = app.submit(explains { before }).await.unwrap();
        assert!(handle.result().await.is_err());
        let message = record(&app, handle.id()).await.last_error().unwrap().message.clone();
        assert!(message.ends_with("€…") && (4_094..=4_096).contains(&message.len()), "{} bytes", message.len());
        let handle = app.submit(babbles { before }).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let message = record(&app, handle.id()).await.progress.unwrap().message;
        assert!(message.ends_with("€…") && (1_022..=1_024).contains(&message.len()), "{} bytes", message.len());
    }
}

#[tokio::test(start_paused = true)]
async fn the_bounds_are_settings() {
    let mut settings = Settings::default();
    let limits = &mut settings.store.limits;
    (limits.params, limits.result, limits.error) = (100, 50, 20);
    let app = app(settings).await;
    assert!(app.submit(takes { text: "x".repeat(100) }).await.is_err());
    assert!(app.submit(yields { bytes: 49 }).await.unwrap().result().await.is_err());
    let handle = app.submit(explains { before: 100 }).await.unwrap();
    assert!(handle.result().await.is_err());
    assert_eq!(record(&app, handle.id()).await.last_error().unwrap().message, format!("{}…", "x".repeat(17)));
}
