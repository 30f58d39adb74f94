//! Unique keys, and keys that limit how many run.

use std::time::Duration;

use super::{
    kit::{HOUR, Kit, MINUTE, OTHER_QUEUE, SECOND, With, failed, retry_after, success, timeout},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Label, Priority, TaskStatus, Until},
    ports::{AttemptEnd, Control, Controlled, Due, Enqueued, Finished, NewTask},
};

fn unique(kit: &Kit, key: &str, until: Until) -> NewTask {
    let label = Label { unique_key: Some(format!("known:{key}")), ..Label::default() };
    kit.task().with(|it| {
        it.label = Some(Box::new(label));
        it.unique_until = Some(until);
    })
}

/// While the holder is queued or runs, the same key returns it; other keys do not.
pub async fn a_duplicate_returns_the_holder_until_it_ends(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(unique(&kit, "a", Until::Finished)).await;
    let duplicate = unique(&kit, "a", Until::Finished);
    let refused = duplicate.id;
    assert_eq!(kit.enqueue(duplicate).await, Enqueued::Duplicate(id));
    assert!(kit.find(refused).await.is_none());
    kit.submit(unique(&kit, "b", Until::Finished)).await;
    // A key without `unique_until` is but a word.
    kit.submit(unique(&kit, "a", Until::Finished).with(|it| it.unique_until = None)).await;
    let claimed = kit.claim_one().await;
    assert_eq!(kit.enqueue(unique(&kit, "a", Until::Finished)).await, Enqueued::Duplicate(id));
    kit.end(&claimed, retry_after(HOUR), TaskStatus::Retrying).await;
    assert_eq!(kit.enqueue(unique(&kit, "a", Until::Finished)).await, Enqueued::Duplicate(id));
    kit.cancel(id).await;
    let next = kit.submit(unique(&kit, "a", Until::Finished)).await;
    let claimed = kit.claim(10).await.into_iter().find(|it| it.id == next).unwrap();
    kit.end(&claimed, success(), TaskStatus::Success).await;
    kit.submit(unique(&kit, "a", Until::Finished)).await;
}

/// Two of one key in one call: the first holds it.
pub async fn a_duplicate_in_the_same_batch_is_seen(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let batch = vec![unique(&kit, "a", Until::Finished), unique(&kit, "a", Until::Finished)];
    let first = batch[0].id;
    let answers = kit.store.enqueue(batch).await.unwrap();
    assert_eq!(answers, [Enqueued::Created(TaskStatus::Pending), Enqueued::Duplicate(first)]);
}

/// A key held for a time is held for that time, whatever becomes of the task.
pub async fn a_key_for_a_time_outlives_the_task(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let until = Until::Elapsed(HOUR);
    let id = kit.submit(unique(&kit, "a", until)).await;
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    assert_eq!(kit.enqueue(unique(&kit, "a", until)).await, Enqueued::Duplicate(id));
    kit.advance(HOUR - MINUTE).await;
    kit.reap().await;
    assert_eq!(kit.enqueue(unique(&kit, "a", until)).await, Enqueued::Duplicate(id));
    kit.advance(MINUTE).await;
    let second = kit.submit(unique(&kit, "a", until)).await;
    kit.reap().await;
    assert_eq!(kit.enqueue(unique(&kit, "a", until)).await, Enqueued::Duplicate(second), "the new time counts");
    kit.advance(HOUR).await;
    kit.reap().await;
    kit.submit(unique(&kit, "a", until)).await;
}

/// A retried task takes its key again if that is free, and runs without it if not.
pub async fn a_key_never_blocks_a_retry(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.submit(unique(&kit, "a", Until::Finished)).await;
    kit.end(&kit.claim_one().await, failed(), TaskStatus::Failed).await;
    kit.retry(first).await;
    assert_eq!(kit.enqueue(unique(&kit, "a", Until::Finished)).await, Enqueued::Duplicate(first));
    kit.end(&kit.claim_one().await, failed(), TaskStatus::Failed).await;
    let second = kit.submit(unique(&kit, "a", Until::Finished)).await;
    assert_eq!(kit.retry(first).await, Controlled::Applied(TaskStatus::Pending));
    assert_eq!(kit.enqueue(unique(&kit, "a", Until::Finished)).await, Enqueued::Duplicate(second));
    // The end of the one without the key does not free the key of the other.
    let claimed = kit.claim(2).await;
    let ended = claimed.iter().find(|it| it.id == first).unwrap();
    kit.end(ended, success(), TaskStatus::Success).await;
    assert_eq!(kit.enqueue(unique(&kit, "a", Until::Finished)).await, Enqueued::Duplicate(second));
}

/// The rest is blocked, in all queues together; tasks of other keys are not.
pub async fn no_more_than_the_limit_is_ready_or_running(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.submit(kit.task_of_key("a", 2)).await;
    let second = kit.submit(kit.task_of_key("a", 2).with(|it| it.queue = OTHER_QUEUE)).await;
    let third = kit.submit(kit.task_of_key("a", 2)).await;
    let other = kit.submit(kit.task_of_key("b", 2)).await;
    assert_eq!(kit.status(third).await, TaskStatus::Blocked);
    let delayed = kit.submit(kit.task_of_key("a", 2).with(|it| it.due = Due::In(MINUTE))).await;
    let claimed = kit.claim(10).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [first, second, other]);
    kit.advance(MINUTE).await;
    assert!(kit.claim(10).await.is_empty());
    assert_eq!(kit.status(delayed).await, TaskStatus::Blocked, "due, but without a permit");
}

/// Each end lets in one, the one of the smallest rank.
pub async fn an_end_admits_the_next_by_rank(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.submit(kit.task_of_key("a", 1)).await;
    let low = kit.submit(kit.task_of_key("a", 1)).await;
    let high = kit.submit(kit.task_of_key("a", 1).with(|it| it.priority = Priority::clamped(5))).await;
    let claimed = kit.claim_one().await;
    kit.signals();
    kit.end(&claimed, success(), TaskStatus::Success).await;
    assert_eq!((kit.status(high).await, kit.status(low).await), (TaskStatus::Pending, TaskStatus::Blocked));
    assert!(!kit.signals().is_empty(), "workers are told");
    let claimed = kit.claim_one().await;
    assert_eq!(claimed.id, high);
    kit.end(&claimed, failed(), TaskStatus::Failed).await;
    assert_eq!(kit.claim_ids(10).await, [low]);
}

/// Cancelled, put off, snoozed, retrying: each lets in the next.
pub async fn whoever_stops_waiting_to_run_gives_its_permit_back(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(kit.submit(kit.task_of_key("a", 1).with(|it| it.max_attempts = 2)).await);
    }
    kit.cancel(ids[0]).await;
    assert_eq!(kit.status(ids[1]).await, TaskStatus::Pending);
    kit.control(Control::Reprioritise { ids: vec![ids[1]], priority: None, due: Some(Due::In(HOUR)) }).await;
    assert_eq!(kit.status(ids[2]).await, TaskStatus::Pending);
    kit.end(&kit.claim_one().await, AttemptEnd::Snooze { delay: HOUR }, TaskStatus::Delayed).await;
    assert_eq!(kit.status(ids[3]).await, TaskStatus::Pending);
    kit.end(&kit.claim_one().await, retry_after(HOUR), TaskStatus::Retrying).await;
    assert_eq!(kit.status(ids[4]).await, TaskStatus::Pending);
    // Without a delay the next one is let in too, and the retry stands behind it or waits for it.
    let claimed = kit.claim_one().await;
    kit.finish(&claimed, retry_after(Duration::ZERO)).await;
    assert_eq!(kit.claim(10).await.len(), 1);
    kit.advance(2 * HOUR).await;
    kit.reap().await;
    let queue = kit.store.queues().await.unwrap().remove(0);
    let counts = queue.counts;
    assert_eq!(counts.get(TaskStatus::Pending) + counts.get(TaskStatus::Running), 1);
}

/// A task that comes back from a dead worker is ready, and nobody slips in between.
pub async fn a_crash_keeps_the_permit(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.submit(kit.task_of_key("a", 1)).await;
    let second = kit.submit(kit.task_of_key("a", 1)).await;
    kit.claim_one().await;
    kit.lose_leases().await;
    let statuses = [kit.status(first).await, kit.status(second).await];
    let ready = statuses.iter().filter(|it| **it == TaskStatus::Pending).count();
    assert_eq!(ready, 1, "{statuses:?}");
    let claimed = kit.claim(10).await;
    assert_eq!(claimed.len(), 1);
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
    assert_eq!(kit.claim(10).await.len(), 1);
}

/// As long as a body that ran over its timeout runs on, its permit is taken.
pub async fn a_body_that_runs_on_keeps_the_permit(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.submit(kit.task_of_key("a", 1)).await;
    let second = kit.submit(kit.task_of_key("a", 1)).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, timeout(true), TaskStatus::Timeout).await;
    kit.advance(SECOND).await;
    assert_eq!(kit.status(second).await, TaskStatus::Blocked);
    assert_eq!(kit.finish(&claimed, AttemptEnd::Stopped).await, Finished::Applied(TaskStatus::Timeout));
    assert_eq!(kit.claim_ids(10).await, [second]);
}

/// A key is any text, and no two texts are one key.
pub async fn keys_are_any_text(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let long = "k".repeat(5_000);
    let texts = ["", " ", "a'b\"c", "a\0b", "a\0", "%", "_", "é", "e\u{301}", "😀", "A", "a", &long];
    for text in texts {
        kit.submit(unique(&kit, text, Until::Finished)).await;
    }
    for text in texts {
        let answer = kit.enqueue(unique(&kit, text, Until::Finished)).await;
        assert!(matches!(answer, Enqueued::Duplicate(_)), "{text:?}: {answer:?}");
    }
    for claimed in kit.claim(100).await {
        kit.end(&claimed, success(), TaskStatus::Success).await;
    }
    for text in texts {
        kit.submit(kit.task_of_key(text, 1)).await;
        let second = kit.submit(kit.task_of_key(text, 1)).await;
        assert_eq!(kit.status(second).await, TaskStatus::Blocked, "{text:?}");
    }
    assert_eq!(kit.claim(100).await.len(), texts.len());
}
