//! What users do to tasks.

use super::{
    kit::{HOUR, Kit, MINUTE, With, error, failed, json, retry_after, success},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{FailureKind, Fence, Priority, TaskId, TaskStatus},
    ports::{AttemptEnd, Control, Controlled, Due, Finished, Signal},
};

/// A queued task is cancelled at once, whatever it waits for, and says why.
pub async fn every_queued_status_is_cancelled_at_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let retrying = kit.submit(kit.task().with(|it| it.max_attempts = 2)).await;
    kit.end(&kit.claim_one().await, retry_after(HOUR), TaskStatus::Retrying).await;
    let parked = kit.submit(kit.task().with(|it| it.version = 9)).await;
    assert!(kit.claim(10).await.is_empty());
    let pending = kit.submit(kit.task_of_key("k", 1)).await;
    let blocked = kit.submit(kit.task_of_key("k", 1)).await;
    let delayed = kit.submit(kit.task_in(HOUR)).await;
    let all = [
        (pending, TaskStatus::Pending),
        (blocked, TaskStatus::Blocked),
        (delayed, TaskStatus::Delayed),
        (retrying, TaskStatus::Retrying),
        (parked, TaskStatus::Parked),
    ];
    for (id, status) in all {
        assert_eq!(kit.status(id).await, status);
    }
    // The blocked one first: the end of the other would let it in.
    for id in [blocked, pending, delayed, retrying, parked] {
        assert_eq!(kit.cancel(id).await, Controlled::Applied(TaskStatus::Cancelled));
        let record = kit.get(id).await;
        assert_eq!(record.status, TaskStatus::Cancelled);
        assert!(record.finished_at.is_some());
        let error = record.last_error().unwrap();
        assert_eq!((error.kind, error.message.as_str()), (FailureKind::Cancelled, "not wanted"));
    }
    kit.advance(2 * HOUR).await;
    assert!(kit.claim(10).await.is_empty());
}

/// The worker is told; the record shows the request until the body has ended.
pub async fn a_running_task_is_cancelled_by_its_worker(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.signals();
    assert_eq!(kit.cancel(id).await, Controlled::Requested { fence: claimed.fence });
    assert_eq!(kit.cancel(id).await, Controlled::Requested { fence: claimed.fence });
    let told = Signal::Cancel { id, fence: claimed.fence };
    assert_eq!(kit.heartbeat(&[&claimed]).await, [told]);
    let record = kit.get(id).await;
    assert!(record.cancel_requested);
    assert_eq!(record.status, TaskStatus::Running);
    let end = AttemptEnd::Cancelled(error(FailureKind::Cancelled, "the body was dropped"));
    kit.end(&claimed, end, TaskStatus::Cancelled).await;
    let record = kit.get(id).await;
    assert_eq!(record.errors.len(), 1);
    assert_eq!(record.errors[0].message, "not wanted", "the reason stays");
}

/// Whatever its body reports, it ends as cancelled.
pub async fn a_cancelled_task_never_succeeds_nor_returns(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let ends = [
        AttemptEnd::Success { result: Some(json("1")), ttl: HOUR },
        failed(),
        retry_after(MINUTE),
        AttemptEnd::Snooze { delay: MINUTE },
        AttemptEnd::Release,
        AttemptEnd::Timeout { error: error(FailureKind::Timeout, "too slow"), still_running: false },
    ];
    for end in ends {
        let id = kit.submit(kit.task().with(|it| it.max_attempts = 5)).await;
        let claimed = kit.claim_one().await;
        kit.cancel(id).await;
        assert_eq!(kit.finish(&claimed, end.clone()).await, Finished::Applied(TaskStatus::Cancelled), "{end:?}");
        let record = kit.get(id).await;
        assert_eq!(record.status, TaskStatus::Cancelled);
        assert!(record.result.is_none() && record.finished_at.is_some());
    }
    kit.advance(HOUR).await;
    assert!(kit.claim(10).await.is_empty());
}

/// The answer tells who won.
pub async fn finished_tasks_are_not_cancelled(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    assert_eq!(kit.cancel(id).await, Controlled::Refused(TaskStatus::Success));
    assert_eq!(kit.cancel(kit.task().id).await, Controlled::Unknown);
    let ids = vec![id, kit.submit(kit.task()).await, kit.task().id];
    let answers = kit.store.control(Control::Cancel { ids, reason: String::new() }).await.unwrap();
    let expected =
        [Controlled::Refused(TaskStatus::Success), Controlled::Applied(TaskStatus::Cancelled), Controlled::Unknown];
    assert_eq!(answers, expected);
}

/// The same id, the next run, attempts from 1 again, a higher fence, and nothing left of the last result.
pub async fn a_retry_begins_a_new_run(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task().with(|it| it.max_attempts = 2)).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, failed(), TaskStatus::Failed).await;
    assert_eq!(kit.retry(id).await, Controlled::Applied(TaskStatus::Pending));
    let record = kit.get(id).await;
    assert_eq!((record.status, record.run, record.attempt), (TaskStatus::Pending, 2, 0));
    assert_eq!((record.started_at, record.finished_at), (None, None));
    assert_eq!(record.errors.len(), 1, "what happened before stays in the record");
    let again = kit.claim_one().await;
    assert_eq!((again.run, again.attempt, again.fence), (2, 1, Fence::new(2)));
    assert!(!matches!(kit.finish(&claimed, success()).await, Finished::Applied(_)), "the last run is over");
    let end = AttemptEnd::Success { result: Some(json("1")), ttl: HOUR };
    kit.end(&again, end, TaskStatus::Success).await;
    kit.retry(id).await;
    let record = kit.get(id).await;
    assert!(record.result.is_none() && record.result_until.is_none());
    assert_eq!(record.run, 3);
    // A cancelled run does not cancel the next one.
    let claimed = kit.claim_one().await;
    kit.cancel(id).await;
    kit.end(&claimed, success(), TaskStatus::Cancelled).await;
    kit.retry(id).await;
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
}

/// What is queued or runs is refused.
pub async fn only_finished_tasks_are_retried(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    assert_eq!(kit.retry(id).await, Controlled::Refused(TaskStatus::Pending));
    kit.claim_one().await;
    assert_eq!(kit.retry(id).await, Controlled::Refused(TaskStatus::Running));
    let delayed = kit.submit(kit.task_in(HOUR)).await;
    assert_eq!(kit.retry(delayed).await, Controlled::Refused(TaskStatus::Delayed));
    assert_eq!(kit.retry(kit.task().id).await, Controlled::Unknown);
    assert_eq!(kit.get(id).await.run, 1);
}

async fn reprioritise(kit: &Kit, id: TaskId, level: Option<i8>, due: Option<Due>) -> Controlled {
    let priority = level.map(Priority::clamped);
    kit.control(Control::Reprioritise { ids: vec![id], priority, due }).await
}

/// A task that becomes more urgent overtakes the others, and the other way round.
pub async fn another_priority_changes_the_order(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(kit.submit(kit.task()).await);
    }
    assert_eq!(reprioritise(&kit, ids[2], Some(5), None).await, Controlled::Applied(TaskStatus::Pending));
    reprioritise(&kit, ids[0], Some(-5), None).await;
    // There and back again: its place is the old one.
    reprioritise(&kit, ids[1], Some(9), None).await;
    reprioritise(&kit, ids[1], Some(0), None).await;
    assert_eq!(kit.get(ids[2]).await.priority, Priority::clamped(5));
    assert_eq!(kit.claim_ids(10).await, [ids[2], ids[1], ids[3], ids[0]]);
}

/// A due time moves a task between `pending` and `delayed`.
pub async fn another_due_time_puts_off_and_brings_forward(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let ready = kit.submit(kit.task()).await;
    let late = kit.submit(kit.task_in(HOUR)).await;
    let put_off = reprioritise(&kit, ready, None, Some(Due::In(HOUR))).await;
    assert_eq!(put_off, Controlled::Applied(TaskStatus::Delayed));
    assert_eq!(reprioritise(&kit, late, None, Some(Due::Now)).await, Controlled::Applied(TaskStatus::Pending));
    assert_eq!(kit.claim_ids(10).await, [late]);
    assert_eq!(
        reprioritise(&kit, ready, Some(3), Some(Due::In(2 * HOUR))).await,
        Controlled::Applied(TaskStatus::Delayed)
    );
    kit.advance(HOUR + MINUTE).await;
    assert!(kit.claim(10).await.is_empty());
    kit.advance(HOUR).await;
    assert_eq!(kit.claim_ids(10).await, [ready]);
}

/// What runs or has ended keeps its priority.
pub async fn only_queued_tasks_are_reprioritised(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    assert_eq!(reprioritise(&kit, id, Some(5), None).await, Controlled::Refused(TaskStatus::Running));
    kit.end(&claimed, success(), TaskStatus::Success).await;
    assert_eq!(reprioritise(&kit, id, Some(5), None).await, Controlled::Refused(TaskStatus::Success));
    assert_eq!(kit.get(id).await.priority, Priority::default());
    assert_eq!(reprioritise(&kit, kit.task().id, Some(5), None).await, Controlled::Unknown);
}

/// A record is dropped only when its run is over.
pub async fn only_finished_tasks_are_deleted(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let delete = async || kit.control(Control::Delete { ids: vec![id] }).await;
    assert_eq!(delete().await, Controlled::Refused(TaskStatus::Pending));
    let claimed = kit.claim_one().await;
    assert_eq!(delete().await, Controlled::Refused(TaskStatus::Running));
    kit.end(&claimed, success(), TaskStatus::Success).await;
    assert_eq!(delete().await, Controlled::Applied(TaskStatus::Success));
    assert!(kit.find(id).await.is_none());
    assert_eq!(delete().await, Controlled::Unknown);
}
