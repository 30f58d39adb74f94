//! Idempotency keys: a submission that is said again is done once.

use std::time::Duration;

use super::{
    kit::{HOUR, Kit, MINUTE, SECOND, With, success},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Fingerprint, IdempotencyKey, Label, TaskId, TaskStatus, Until},
    ports::{Control, Controlled, Due, Enqueued, NewTask, QueueSettings},
};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn key(key: &str, content: &str) -> IdempotencyKey {
    IdempotencyKey::new(key).scope("ann").fingerprint(Fingerprint::of([content.as_bytes()]))
}

fn task(kit: &Kit, key: IdempotencyKey) -> NewTask {
    kit.task().with(|it| it.idempotency = Some(Box::new(key)))
}

const fn replayed(id: TaskId, status: TaskStatus) -> Enqueued {
    Enqueued::Replayed { id, status }
}

/// The same again is answered as the first time, whatever has become of the task.
pub async fn a_submission_said_again_is_done_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = task(&kit, key("a", "x"));
    let id = kit.submit(first.clone()).await;
    let again = task(&kit, key("a", "x"));
    let refused = again.id;
    assert_eq!(kit.enqueue(again).await, replayed(id, TaskStatus::Pending));
    assert!(kit.find(refused).await.is_none());
    assert_eq!(kit.enqueue(first).await, Enqueued::AlreadyCreated, "the very same call");
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(id, TaskStatus::Pending));
    assert_eq!(kit.store.statistics().await.unwrap().submitted, 1);
}

/// The answer tells the status that the first answer told.
pub async fn the_first_answer_is_what_is_repeated(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let later = task(&kit, key("a", "x")).with(|it| it.due = Due::In(SECOND));
    let id = kit.submit(later).await;
    kit.advance(2 * SECOND).await;
    kit.claim_one().await;
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(id, TaskStatus::Delayed));
}

/// A key of another content, and one of another scope.
pub async fn a_key_stands_for_one_content_in_its_scope(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(task(&kit, key("a", "x"))).await;
    let other = task(&kit, key("a", "y"));
    let refused = other.id;
    assert_eq!(kit.enqueue(other).await, Enqueued::KeyReused);
    assert!(kit.find(refused).await.is_none());
    kit.submit(task(&kit, key("b", "x"))).await;
    kit.submit(task(&kit, key("a", "x").scope("bob"))).await;
    kit.submit(kit.task()).await;
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(id, TaskStatus::Pending));
}

/// Two of one key in one call: the second is the first said again.
pub async fn a_key_twice_in_a_batch_is_done_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let batch = vec![task(&kit, key("a", "x")), task(&kit, key("a", "x")), task(&kit, key("a", "y"))];
    let first = batch[0].id;
    let answers = kit.store.enqueue(batch).await.unwrap();
    let created = Enqueued::Created(TaskStatus::Pending);
    assert_eq!(answers, [created, replayed(first, TaskStatus::Pending), Enqueued::KeyReused]);
}

/// A key is kept although the task's record is gone, and dropped after its time.
pub async fn a_key_is_kept_for_its_time_and_no_longer(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(task(&kit, key("a", "x"))).await;
    let short = kit.submit(task(&kit, key("b", "x").ttl(HOUR))).await;
    for claimed in kit.claim(2).await {
        kit.end(&claimed, success(), TaskStatus::Success).await;
    }
    let deleted = kit.control(Control::Delete { ids: vec![id] }).await;
    assert!(matches!(deleted, Controlled::Applied(_)), "{deleted:?}");
    assert!(kit.find(id).await.is_none());
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(id, TaskStatus::Pending));
    // A clock that goes by itself goes on while this test does; it may do so for a minute.
    let margin = if kit.store.clock().is_some() { SECOND } else { MINUTE };
    kit.advance(HOUR - margin).await;
    kit.reap().await;
    assert_eq!(kit.enqueue(task(&kit, key("b", "x"))).await, replayed(short, TaskStatus::Pending));
    kit.advance(margin).await;
    kit.submit(task(&kit, key("b", "y"))).await;
    kit.advance(DAY - HOUR - margin).await;
    kit.reap().await;
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(id, TaskStatus::Pending));
    kit.advance(margin).await;
    kit.reap().await;
    kit.submit(task(&kit, key("a", "y"))).await;
    let second = kit.enqueue(task(&kit, key("b", "y"))).await;
    assert!(matches!(second, Enqueued::Replayed { .. }), "taken anew, for its own time: {second:?}");
}

/// What was refused for want of room may be said again.
pub async fn a_full_queue_keeps_no_key(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(1)).await;
    let first = kit.submit(task(&kit, key("a", "x"))).await;
    let full = kit.enqueue(task(&kit, key("b", "x"))).await;
    assert!(matches!(full, Enqueued::Full { .. }), "{full:?}");
    assert_eq!(kit.enqueue(task(&kit, key("a", "x"))).await, replayed(first, TaskStatus::Pending), "needs no room");
    kit.cancel(first).await;
    kit.submit(task(&kit, key("b", "x"))).await;
}

/// A submission that found the holder of its unique key is answered so again, though that has ended.
pub async fn a_duplicate_said_again_is_the_same_task(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let unique = || {
        let label = Label { unique_key: Some("known:u".to_owned()), ..Label::default() };
        kit.task().with(|it| {
            it.label = Some(Box::new(label));
            it.unique_until = Some(Until::Finished);
        })
    };
    let holder = kit.submit(unique()).await;
    let keyed = || unique().with(|it| it.idempotency = Some(Box::new(key("a", "x"))));
    assert_eq!(kit.enqueue(keyed()).await, Enqueued::Duplicate(holder));
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    assert_eq!(kit.enqueue(keyed()).await, replayed(holder, TaskStatus::Pending));
}

/// Many at once under one key make one task.
pub async fn racing_submissions_of_one_key_make_one_task(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let tasks: Vec<_> = (0..100).map(|_| task(&kit, key("a", "x"))).collect();
    let call = |task: NewTask| {
        let store = kit.store.clone();
        tokio::spawn(async move { store.enqueue(vec![task]).await })
    };
    let calls: Vec<_> = tasks.into_iter().map(call).collect();
    let mut created = 0;
    for call in calls {
        match call.await.unwrap().unwrap()[..] {
            [Enqueued::Created(_)] => created += 1,
            [Enqueued::Replayed { .. }] => {}
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!((created, kit.claim(10).await.len()), (1, 1));
}
