//! Tasks that exist if and only if the user's transaction commits.

use std::sync::Arc;

use ddd_core::{App, MemoryStore, QueueSettings, SubmitError, TaskStatus, testing};

use crate::support::{builder, echo, nap, pass, secs, shared_memory, status};

async fn application(settings: QueueSettings) -> (App, MemoryStore) {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, store) = shared_memory(&clock);
    let app = builder().queue("narrow", settings).clock(clock).shared_store(store).build().await.unwrap();
    app.start_workers().await.unwrap();
    (app, memory)
}

async fn submitted(app: &App) -> u64 {
    app.tasks().statistics().await.unwrap().submitted
}

#[tokio::test(start_paused = true)]
async fn a_task_exists_if_the_transaction_commits() {
    let (app, memory) = application(QueueSettings::new()).await;
    let mut transaction = memory.begin();
    let one = app.submit(echo { text: "one".into() }).within(&mut transaction).await.unwrap();
    let two = app.submit(echo { text: "two".into() }).tags(["t"]).enlist(&transaction).unwrap();
    let many = app.submit_named("nap", serde_json::json!({ "millis": 5 })).enlist(&transaction).unwrap();
    pass(secs(60)).await;
    assert_eq!(submitted(&app).await, 0, "before the commit there is nothing");
    assert!(one.record().await.unwrap().is_none());
    transaction.commit().unwrap();
    assert_eq!((one.result().await.unwrap(), two.result().await.unwrap()), ("one".to_owned(), "two".to_owned()));
    many.result().await.unwrap();
    assert_eq!(two.record().await.unwrap().unwrap().tags().len(), 1);
    assert_eq!(submitted(&app).await, 3);
}

#[tokio::test(start_paused = true)]
async fn and_does_not_if_it_does_not() {
    let (app, memory) = application(QueueSettings::new()).await;
    let mut transaction = memory.begin();
    let handle = app.submit(echo { text: "never".into() }).unique_key("k").within(&mut transaction).await.unwrap();
    drop(transaction);
    pass(secs(60)).await;
    assert_eq!(submitted(&app).await, 0);
    assert!(handle.record().await.unwrap().is_none());
    let again = app.submit(echo { text: "now".into() }).unique_key("k").await.unwrap();
    assert!(!again.is_duplicate(), "its key was never taken");
    // What is refused is refused before the transaction.
    let transaction = memory.begin();
    let error = app.submit_named("echo", serde_json::json!({ "text": 1 })).enlist(&transaction).unwrap_err();
    assert!(matches!(error, SubmitError::InvalidParams { .. }));
    transaction.commit().unwrap();
    assert_eq!(submitted(&app).await, 1);
}

#[tokio::test(start_paused = true)]
async fn keys_and_depths_hold_within_it() {
    let (app, memory) = application(QueueSettings::new().max_depth(2)).await;
    app.tasks().pause("narrow").await.unwrap();
    let there = app.submit(nap { millis: 0 }).unique_key("k").delay(secs(60)).await.unwrap();
    let transaction = memory.begin();
    let duplicate = app.submit(nap { millis: 0 }).unique_key("k").enlist(&transaction).unwrap();
    assert!(duplicate.is_duplicate());
    assert_eq!(duplicate.id(), there.id());
    let first = app.submit(nap { millis: 0 }).unique_key("new").queue("narrow").enlist(&transaction).unwrap();
    let twin = app.submit(nap { millis: 0 }).unique_key("new").queue("narrow").enlist(&transaction).unwrap();
    assert_eq!((twin.is_duplicate(), twin.id()), (true, first.id()));
    app.submit(nap { millis: 0 }).queue("narrow").enlist(&transaction).unwrap();
    let full = app.submit(nap { millis: 0 }).queue("narrow").enlist(&transaction).unwrap_err();
    assert!(matches!(full, SubmitError::QueueFull { .. }), "{full}");
    transaction.commit().unwrap();
    assert_eq!(submitted(&app).await, 3);
    assert_eq!(status(&first).await, TaskStatus::Pending);

    // What others took meanwhile fails the commit as a whole.
    let transaction = memory.begin();
    app.submit(echo { text: "beside".into() }).enlist(&transaction).unwrap();
    app.submit(echo { text: "mine".into() }).unique_key("contested").enlist(&transaction).unwrap();
    app.submit(echo { text: "theirs".into() }).unique_key("contested").delay(secs(60)).await.unwrap();
    assert!(transaction.commit().unwrap_err().is_transient());
    assert_eq!(submitted(&app).await, 4);
}
