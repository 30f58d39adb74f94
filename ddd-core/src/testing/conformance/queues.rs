//! Bounds, pauses and rates of queues.

use super::{
    kit::{HOUR, Kit, MINUTE, NAME, OTHER_QUEUE, QUEUE, SECOND, With, retry_after, success},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Quota, TaskStatus},
    ports::{AttemptEnd, Control, Enqueued, Finished, QueueSettings, QueueState, Signal},
};

async fn queue(kit: &Kit) -> QueueState {
    let queues = kit.store.queues().await.unwrap();
    queues.into_iter().find(|it| it.name == QUEUE).expect("the queue is known")
}

fn is_full(answer: &Enqueued) -> bool {
    matches!(answer, Enqueued::Full { retry_after } if !retry_after.is_zero())
}

/// Whatever its tasks wait for, they count; what runs does not.
pub async fn a_full_queue_refuses_with_a_hint(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(3)).await;
    kit.submit(kit.task()).await;
    kit.submit(kit.task_in(HOUR)).await;
    let repeated = kit.task_of_key("a", 1);
    kit.submit(repeated.clone()).await;
    let refused = kit.task();
    let answer = kit.enqueue(refused.clone()).await;
    assert!(is_full(&answer), "{answer:?}");
    assert!(kit.find(refused.id).await.is_none());
    assert_eq!(kit.enqueue(repeated).await, Enqueued::AlreadyCreated);
    kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    kit.claim(1).await;
    kit.submit(refused).await;
    assert!(is_full(&kit.enqueue(kit.task()).await));
}

/// A batch fills the queue and no more.
pub async fn a_batch_does_not_overfill_a_queue(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(5)).await;
    let batch = std::iter::repeat_with(|| kit.task()).take(8).collect();
    let answers = kit.store.enqueue(batch).await.unwrap();
    assert_eq!(answers.iter().filter(|it| matches!(it, Enqueued::Created(_))).count(), 5);
    assert!(answers[5..].iter().all(is_full));
    assert_eq!(queue(&kit).await.counts.queued(), 5);
}

/// Nothing that was accepted is lost because others took its place.
pub async fn what_was_accepted_may_come_back_to_a_full_queue(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(1)).await;
    let first = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    let second = kit.submit(kit.task()).await;
    kit.end(&claimed, AttemptEnd::Release, TaskStatus::Pending).await;
    assert_eq!(kit.claim_ids(10).await, [first, second]);
}

/// A paused queue takes tasks and gives none; the others go on.
pub async fn a_paused_queue_hands_out_nothing(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    assert!(kit.store.control(Control::Pause { queue: QUEUE }).await.unwrap().is_empty());
    let id = kit.submit(kit.task()).await;
    let other = kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    assert_eq!(kit.claim_ids(10).await, [other]);
    assert!(queue(&kit).await.paused);
    kit.signals();
    assert!(kit.store.control(Control::Resume { queue: QUEUE }).await.unwrap().is_empty());
    assert!(kit.signals().iter().any(|it| matches!(it, Signal::Ready { queue, .. } if *queue == QUEUE)));
    assert!(!queue(&kit).await.paused);
    assert_eq!(kit.claim_ids(10).await, [id]);
}

/// The bound holds over all workers; an end makes room, and says so.
pub async fn no_more_run_than_the_queue_allows(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().concurrency(2)).await;
    for _ in 0..5 {
        kit.submit(kit.task()).await;
    }
    let claimed = kit.claim(10).await;
    assert_eq!(claimed.len(), 2);
    assert!(kit.claim(10).await.is_empty());
    kit.signals();
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
    assert!(kit.signals().iter().any(|it| matches!(it, Signal::Ready { .. })), "a sleeping worker is told");
    assert_eq!(kit.claim(10).await.len(), 1);
    kit.configure_queue(QueueSettings::new().concurrency(4)).await;
    assert_eq!(kit.claim(10).await.len(), 2);
    assert_eq!(queue(&kit).await.counts.get(TaskStatus::Running), 4);
}

/// Over the rate, tasks stay ready, no attempt begins, and the worker learns when to come back.
pub async fn a_rate_limit_lets_tasks_wait_without_an_attempt(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let quota = Quota::new(2, HOUR).unwrap();
    kit.configure_queue(QueueSettings::new().rate_limit(quota)).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(kit.submit(kit.task()).await);
    }
    let other = kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    let claims = kit.claims(10).await;
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[0], ids[1], other]);
    let next_in = claims.next_in.expect("the rate tells when");
    assert!(next_in > 29 * MINUTE && next_in <= 30 * MINUTE, "{next_in:?}");
    let record = kit.get(ids[2]).await;
    assert_eq!((record.status, record.attempt), (TaskStatus::Pending, 0));
    kit.advance(30 * MINUTE + SECOND).await;
    assert_eq!(kit.claim_ids(10).await, [ids[2]]);
}

/// The state of a queue shows its settings, its tasks by status, and since when the oldest waits.
pub async fn queues_tell_their_state(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let settings = QueueSettings::new().max_depth(100).concurrency_per_worker(3);
    kit.configure_queue(settings).await;
    assert_eq!(queue(&kit).await.oldest_due, None);
    let first = kit.submit(kit.task()).await;
    kit.submit(kit.task_of_priority(5)).await;
    kit.submit(kit.task_in(HOUR)).await;
    let state = queue(&kit).await;
    assert_eq!((state.name, state.settings), (QUEUE, settings));
    assert_eq!((state.counts.get(TaskStatus::Pending), state.counts.get(TaskStatus::Delayed)), (2, 1));
    assert_eq!(state.oldest_due, Some(kit.get(first).await.due));
    let claimed = kit.claim(2).await;
    assert_eq!(queue(&kit).await.oldest_due, None);
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
    assert!(matches!(kit.finish(&claimed[1], retry_after(HOUR)).await, Finished::Applied(TaskStatus::Retrying)));
    let counts = queue(&kit).await.counts;
    assert_eq!((counts.get(TaskStatus::Success), counts.queued(), counts.total()), (1, 2, 3));
    assert_eq!(kit.get(first).await.name, NAME);
}

/// A later call for one queue leaves the others as they were.
pub async fn settings_of_other_queues_stay(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(1)).await;
    kit.configure(|it| it.queues.push((OTHER_QUEUE, QueueSettings::new().max_depth(2)))).await;
    kit.submit(kit.task()).await;
    assert!(is_full(&kit.enqueue(kit.task()).await));
    kit.configure_queue(QueueSettings::new()).await;
    kit.submit(kit.task()).await;
}
