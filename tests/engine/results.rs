//! How long results are kept.

use std::time::Duration;

use ddd_core::{App, ResultError, Settings, Task, TaskHandle, TaskOverrides, TaskStatus, task};

use crate::support::{record, virtual_app};

#[task]
async fn number(value: u32) -> Result<Option<u32>, String> {
    Ok(Some(value))
}

async fn app(results: usize) -> App {
    let mut settings = Settings::default();
    settings.store.results_max = results;
    let app = virtual_app(&[number::definition()]).settings(settings).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

/// Runs a task to its end, without a look at its result.
async fn ended(app: &App, value: u32) -> TaskHandle<Option<u32>> {
    let handle = app.submit(number { value }).await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    handle
}

async fn is_expired(app: &App, handle: &TaskHandle<Option<u32>>) -> bool {
    let other: TaskHandle<Option<u32>> = app.tasks().handle(handle.id());
    assert_eq!(record(app, handle.id()).await.status, TaskStatus::Success);
    match other.result().await {
        Ok(_) => false,
        Err(ResultError::Expired) => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_result_goes_first_but_a_live_handle_has_seen_it() {
    let app = app(2).await;
    let first = ended(&app, 1).await;
    let second = ended(&app, 2).await;
    assert_eq!(app.tasks().handle::<Option<u32>>(first.id()).result().await.unwrap(), Some(1));
    let third = ended(&app, 3).await;
    assert!(is_expired(&app, &second).await, "the first was used later");
    assert!(!is_expired(&app, &first).await && !is_expired(&app, &third).await);
    assert_eq!(second.result().await.unwrap(), Some(2), "its own handle keeps it");
}

#[tokio::test(start_paused = true)]
async fn a_result_expires() {
    let overrides = TaskOverrides::new().result_ttl(Duration::from_secs(600));
    let app = virtual_app(&[number::definition()]).override_task("number", overrides).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = ended(&app, 1).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert!(!is_expired(&app, &handle).await);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(is_expired(&app, &handle).await);
    assert_eq!(handle.result().await.unwrap(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_not_kept_at_all_is_expired_and_not_empty() {
    let none_kept = app(0).await;
    let handle = ended(&none_kept, 1).await;
    assert!(is_expired(&none_kept, &handle).await);
    let overrides = TaskOverrides::new().result_ttl(Duration::ZERO);
    let builder = virtual_app(&[number::definition()]).override_task("number", overrides);
    let no_time = builder.build().await.unwrap();
    no_time.start_workers().await.unwrap();
    let handle = ended(&no_time, 1).await;
    assert!(is_expired(&no_time, &handle).await);
}
