//! A unique task is there once.

use std::time::Duration;

use ddd_core::{Task, TaskContext, TaskStatus, task};

use crate::support::{record, virtual_app};

#[task(unique(by = account))]
async fn close(account: u32, note: String) -> Result<String, String> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(format!("{account}: {note}"))
}

#[task(unique(by = account, for = "1h"))]
async fn remind(account: u32) {
    let _ = account;
}

#[task(unique, retry(max_attempts = 2, delay = "10s", jitter = false))]
async fn retried(number: u32, #[inject] context: TaskContext) -> Result<u32, String> {
    if context.attempt() == 1 { Err("once more".to_owned()) } else { Ok(number) }
}

#[task]
async fn plain(number: u32) {
    let _ = number;
}

async fn app() -> ddd_core::App {
    let definitions = [close::definition(), remind::definition(), retried::definition(), plain::definition()];
    let app = virtual_app(&definitions).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

fn closing(account: u32, note: &str) -> close {
    close { account, note: note.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_the_task_that_is_there_until_it_ends() {
    let app = app().await;
    let first = app.submit(closing(1, "first")).await.unwrap();
    let second = app.submit(closing(1, "second")).await.unwrap();
    let other = app.submit(closing(2, "other")).await.unwrap();
    assert_eq!((first.is_duplicate(), second.is_duplicate(), other.is_duplicate()), (false, true, false));
    assert_eq!(first.id(), second.id());
    assert_eq!(second.result().await.unwrap(), "1: first");
    let third = app.submit(closing(1, "third")).await.unwrap();
    assert!(!third.is_duplicate());
    assert_eq!(third.result().await.unwrap(), "1: third");
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_may_outlive_its_task() {
    let app = app().await;
    let first = app.submit(remind { account: 1 }).await.unwrap();
    first.result().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3_590)).await;
    let second = app.submit(remind { account: 1 }).await.unwrap();
    assert_eq!((second.is_duplicate(), second.id()), (true, first.id()));
    second.result().await.unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(!app.submit(remind { account: 1 }).await.unwrap().is_duplicate());
}

#[tokio::test(start_paused = true)]
async fn uniqueness_never_blocks_a_retry() {
    let app = app().await;
    let first = app.submit(retried { number: 7 }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(first.status().await.unwrap(), Some(TaskStatus::Retrying));
    assert!(app.submit(retried { number: 7 }).await.unwrap().is_duplicate(), "it still waits");
    assert_eq!(first.result().await.unwrap(), 7);
    // By hand, while another one holds the key.
    let second = app.submit(retried { number: 7 }).await.unwrap();
    assert!(!second.is_duplicate());
    app.tasks().retry(first.id()).await.unwrap();
    assert_eq!(second.result().await.unwrap(), 7);
    app.tasks().wait_idle().await.unwrap();
    let again = record(&app, first.id()).await;
    assert_eq!((again.run, again.status), (2, TaskStatus::Success));
}

#[tokio::test(start_paused = true)]
async fn a_submission_may_bring_its_own_key() {
    let app = app().await;
    let first = app.submit(plain { number: 1 }).unique_key("k").await.unwrap();
    assert!(app.submit(plain { number: 2 }).unique_key("k").await.unwrap().is_duplicate());
    assert!(!app.submit(plain { number: 2 }).unique_key("l").await.unwrap().is_duplicate());
    app.tasks().cancel(first.id(), "").await.unwrap();
    let many = app.submit_many([retried { number: 1 }, retried { number: 1 }]).await.unwrap();
    let many: Vec<_> = many.into_iter().map(Result::unwrap).collect();
    assert_eq!(many[0].id(), many[1].id());
    assert!(!app.submit(plain { number: 3 }).unique_key("k").await.unwrap().is_duplicate(), "it was cancelled");
}
