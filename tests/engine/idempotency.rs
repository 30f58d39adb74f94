//! A submission that is said again is done once.

use std::time::Duration;

use ddd_core::{IdempotencyKey, SubmitError, Task, TaskStatus, domain::Fingerprint, task};

use crate::support::virtual_app;

#[task]
async fn charge(account: u32, cents: u32) -> Result<String, std::io::Error> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(format!("{cents} from {account}"))
}

#[task]
async fn refund(account: u32, cents: u32) {
    let _ = (account, cents);
}

async fn app() -> ddd_core::App {
    let app = virtual_app(&[charge::definition(), refund::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gives_the_same_task() {
    let app = app().await;
    let charge = || charge { account: 1, cents: 500 };
    let first = app.submit(charge()).idempotency_key("order-1").await.unwrap();
    assert!(!first.is_replayed());
    assert_eq!(first.submitted_as(), Some(TaskStatus::Pending));
    let again = app.submit(charge()).idempotency_key("order-1").await.unwrap();
    assert!(again.is_replayed() && !again.is_duplicate());
    assert_eq!((again.id(), again.submitted_as()), (first.id(), Some(TaskStatus::Pending)));
    assert_eq!(again.result().await.unwrap(), "500 from 1");
    let late = app.submit(charge()).idempotency_key("order-1").await.unwrap();
    assert_eq!(late.id(), first.id());
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 1);
    let other = app.submit(charge()).idempotency_key("order-2").await.unwrap();
    assert_ne!(other.id(), first.id());
}

#[tokio::test(start_paused = true)]
async fn the_same_key_for_something_else_is_refused() {
    let app = app().await;
    app.submit(charge { account: 1, cents: 500 }).idempotency_key("k").await.unwrap();
    let refused = app.submit(charge { account: 1, cents: 501 }).idempotency_key("k").await.unwrap_err();
    assert!(matches!(refused, SubmitError::KeyReused), "{refused:?}");
    let refused = app.submit(refund { account: 1, cents: 500 }).idempotency_key("k").await.unwrap_err();
    assert!(refused.to_string().contains("take a new key"), "{refused}");
    // Who says what the content is, decides what is another.
    let own = || IdempotencyKey::new("own").fingerprint(Fingerprint::of([b"the body".as_slice()]));
    let first = app.submit(charge { account: 1, cents: 500 }).idempotency_key(own()).await.unwrap();
    let again = app.submit(charge { account: 1, cents: 501 }).idempotency_key(own()).await.unwrap();
    assert_eq!(first.id(), again.id());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_after_its_time() {
    let app = app().await;
    let submit = |ttl: u64| {
        let key = IdempotencyKey::new("k").ttl(Duration::from_secs(ttl));
        app.submit(charge { account: 1, cents: 1 }).idempotency_key(key)
    };
    let first = submit(10).await.unwrap();
    tokio::time::sleep(Duration::from_millis(9_900)).await;
    assert_eq!(submit(10).await.unwrap().id(), first.id());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_ne!(submit(10).await.unwrap().id(), first.id());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_key_is_an_invalid_option() {
    let app = app().await;
    let refused = app.submit(charge { account: 1, cents: 1 }).idempotency_key("").await.unwrap_err();
    assert!(matches!(&refused, SubmitError::InvalidOption(reason) if reason.contains("empty")), "{refused:?}");
}
