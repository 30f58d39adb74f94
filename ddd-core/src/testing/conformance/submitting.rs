//! How tasks get in.

use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use super::{
    kit::{HOUR, Kit, NAME, OTHER_QUEUE, SECOND, With, json, success},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Fence, Label, Name, Priority, TaskStatus, Timestamp},
    ports::{AttemptEnd, Due, Enqueued},
};

/// What has not happened by then never does.
const PATIENCE: Duration = Duration::from_secs(10);

/// The record shows all that was submitted, and nothing else has happened to it.
pub async fn a_task_is_stored_as_it_was_given(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let tags = vec![Name::new("red"), Name::new("blue")];
    let mut label = Label { tags, secrets: vec![Name::new("password")], ..Label::default() };
    label.origin.owner = Some("ann".to_owned());
    label.origin.request_id = Some("r-1".to_owned());
    let task = kit.task().with(|it| {
        it.version = 1;
        it.queue = OTHER_QUEUE;
        it.priority = Priority::clamped(7);
        it.params = json(r#"{"path":"a.txt","n":1}"#);
        it.max_attempts = 5;
        it.timeout = Duration::from_millis(1_500);
        it.label = Some(Box::new(label.clone()));
    });
    let id = kit.submit(task).await;
    let record = kit.get(id).await;
    assert_eq!(record.id, id);
    assert_eq!(record.name, NAME);
    assert_eq!(record.version, 1);
    assert_eq!(record.queue, OTHER_QUEUE);
    assert_eq!(record.priority, Priority::clamped(7));
    assert_eq!(record.params.get(), r#"{"path":"a.txt","n":1}"#);
    assert_eq!((record.max_attempts, record.timeout), (5, Duration::from_millis(1_500)));
    assert_eq!(record.label.as_deref(), Some(&label));
    assert_eq!((record.status, record.run, record.attempt, record.crashes), (TaskStatus::Pending, 1, 0, 0));
    assert_eq!(record.fence, Fence::default());
    assert_eq!(record.due, record.created_at);
    assert_eq!((record.started_at, record.finished_at, record.worker), (None, None, None));
    assert!(record.errors.is_empty() && record.result.is_none() && record.progress.is_none());
}

/// The same id again changes nothing, whatever has become of the task.
pub async fn a_repeated_submission_is_stored_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let task = kit.task();
    let id = kit.submit(task.clone()).await;
    assert_eq!(kit.enqueue(task.clone()).await, Enqueued::AlreadyCreated);
    let claimed = kit.claim(10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(kit.enqueue(task.clone()).await, Enqueued::AlreadyCreated);
    assert_eq!(kit.status(id).await, TaskStatus::Running);
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
    assert_eq!(kit.enqueue(task).await, Enqueued::AlreadyCreated);
    assert!(kit.claim(10).await.is_empty(), "it has ended");
    assert_eq!(kit.store.statistics().await.unwrap().submitted, 1);
}

/// A submission that was begun goes on without whoever began it, if the store says that it does.
pub async fn a_submission_goes_on_where_the_store_says_so(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    if !kit.store.goes_on() {
        return;
    }
    let task = kit.task();
    let mut begun = kit.store.enqueue(vec![task.clone()]);
    poll_fn(|cx| Poll::Ready(begun.as_mut().poll(cx).is_ready())).await;
    drop(begun);
    let since = Instant::now();
    while kit.find(task.id).await.is_none() {
        assert!(since.elapsed() < PATIENCE, "it was given up with its future");
        tokio::task::yield_now().await;
    }
}

/// One answer for each, also where one of them was there before.
pub async fn a_batch_is_answered_in_order(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.task();
    kit.submit(first.clone()).await;
    let answers = kit.store.enqueue(vec![kit.task(), first, kit.task_in(HOUR)]).await.unwrap();
    let expected =
        [Enqueued::Created(TaskStatus::Pending), Enqueued::AlreadyCreated, Enqueued::Created(TaskStatus::Delayed)];
    assert_eq!(answers, expected);
    assert!(kit.store.enqueue(Vec::new()).await.unwrap().is_empty());
}

/// A due time ahead is stored, and the status says so.
pub async fn a_task_in_the_future_is_delayed(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task_in(HOUR)).await;
    let record = kit.get(id).await;
    assert_eq!(record.status, TaskStatus::Delayed);
    assert_eq!(record.due.since(record.created_at), HOUR);
    let at = record.created_at.after(2 * HOUR);
    let id = kit.submit(kit.task().with(|it| it.due = Due::At(at))).await;
    assert_eq!(kit.get(id).await.due, at);
    assert_eq!(kit.status(id).await, TaskStatus::Delayed);
}

/// What should have run long ago runs now, before what came due later.
pub async fn a_time_in_the_past_is_due_at_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let now = kit.submit(kit.task()).await;
    let past = Timestamp::from_micros(kit.get(now).await.created_at.as_micros()).before(SECOND);
    let late = kit.submit(kit.task().with(|it| it.due = Due::At(past))).await;
    assert_eq!(kit.get(late).await.due, past);
    assert_eq!(kit.claim_ids(10).await, [late, now]);
}

/// What was submitted is not read and written anew: numbers, order, escapes and size stay.
pub async fn parameters_come_back_to_the_letter(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let long = format!(r#"{{"text":"{}"}}"#, "ä".repeat(300_000));
    let odd = r#"{"z":1.50,"a":12345678901234567890123,"e":1E+2,"s":"\u00e9\ud83d\ude00 '\" \u0000","z2":[ 1 ,2]}"#;
    for params in [odd, &long, "{}"] {
        let id = kit.submit(kit.task().with(|it| it.params = json(params))).await;
        assert_eq!(kit.get(id).await.params.get(), params);
        let claimed = kit.claim_one().await;
        assert_eq!(claimed.params.get(), params);
        kit.end(&claimed, AttemptEnd::Success { result: Some(json(params)), ttl: HOUR }, TaskStatus::Success).await;
        assert_eq!(kit.get(id).await.result.unwrap().get(), params);
    }
}
