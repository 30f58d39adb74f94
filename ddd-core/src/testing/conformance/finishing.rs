//! How attempts end.

use std::time::Duration;

use super::{
    kit::{HOUR, Kit, MINUTE, SECOND, With, error, failed, json, retry_after, success, timeout},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{FailureKind, Fence, TaskRecord, TaskStatus},
    ports::{AttemptEnd, Controlled, Finish, Finished},
};

/// A result is there until its time is over; the record stays.
pub async fn success_keeps_the_result_for_its_time(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    let end = AttemptEnd::Success { result: Some(json("[1,2]")), ttl: HOUR };
    kit.end(&claimed, end, TaskStatus::Success).await;
    let record = kit.get(id).await;
    assert_eq!(record.result.as_ref().map(|it| it.get()), Some("[1,2]"));
    assert!(record.finished_at.is_some() && record.lease_until.is_none() && record.errors.is_empty());
    assert_eq!(record.result_until.unwrap().since(record.finished_at.unwrap()), HOUR);
    kit.advance(HOUR + SECOND).await;
    let record = kit.get(id).await;
    assert!(record.result.is_none());
    assert_eq!(record.status, TaskStatus::Success);
    kit.reap().await;
    assert_eq!(kit.status(id).await, TaskStatus::Success);
}

/// The error is stored with run, attempt and time.
pub async fn failure_is_final_and_says_why(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, failed(), TaskStatus::Failed).await;
    let record = kit.get(id).await;
    let error = record.last_error().unwrap();
    assert_eq!((error.run, error.attempt, error.kind), (1, 1, FailureKind::Error));
    assert_eq!(error.message, "broken");
    assert_eq!(Some(error.at), record.finished_at);
    assert!(kit.claim(10).await.is_empty());
}

/// The task waits in `retrying` for its stored due time, keeps the error, and its next attempt has the next number.
pub async fn a_retry_waits_and_counts_the_next_attempt(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task().with(|it| it.max_attempts = 3)).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, retry_after(MINUTE), TaskStatus::Retrying).await;
    let record = kit.get(id).await;
    assert!(record.finished_at.is_none() && record.lease_until.is_none());
    assert_eq!(record.due.since(record.errors[0].at), MINUTE);
    assert!(kit.claim(10).await.is_empty());
    kit.advance(MINUTE).await;
    let claimed = kit.claim_one().await;
    assert_eq!((claimed.attempt, claimed.run, claimed.fence), (2, 1, Fence::new(2)));
    // Without a delay it is ready again at once.
    assert!(matches!(kit.finish(&claimed, retry_after(Duration::ZERO)).await, Finished::Applied(_)));
    let claimed = kit.claim_one().await;
    kit.end(&claimed, success(), TaskStatus::Success).await;
    let errors = kit.get(id).await.errors;
    assert_eq!(errors.iter().map(|it| it.attempt).collect::<Vec<_>>(), [1, 2]);
}

/// A snoozed attempt counts as if it had not been.
pub async fn a_snooze_burns_no_attempt(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, AttemptEnd::Snooze { delay: MINUTE }, TaskStatus::Delayed).await;
    let record = kit.get(id).await;
    assert_eq!((record.attempt, record.errors.len()), (0, 0));
    kit.advance(MINUTE).await;
    let claimed = kit.claim_one().await;
    assert_eq!((claimed.attempt, claimed.fence), (1, Fence::new(2)));
}

/// A task that is given back is first in line again, and its old claim is void.
pub async fn a_release_burns_no_attempt_and_keeps_the_rank(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.submit(kit.task()).await;
    let second = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, AttemptEnd::Release, TaskStatus::Pending).await;
    let record = kit.get(first).await;
    assert_eq!((record.attempt, record.crashes, record.started_at), (0, 0, None));
    assert!(record.fence > claimed.fence);
    assert_eq!(kit.finish(&claimed, success()).await, Finished::AlreadyApplied);
    let again = kit.claim(10).await;
    assert_eq!(again.iter().map(|it| it.id).collect::<Vec<_>>(), [first, second]);
    assert!(again[0].fence > record.fence);
    assert_eq!(again[0].attempt, 1);
}

/// Told twice, done once.
pub async fn a_second_report_is_already_applied(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let ends = [success(), failed(), retry_after(HOUR), timeout(false), AttemptEnd::Snooze { delay: HOUR }];
    for end in ends {
        let id = kit.submit(kit.task()).await;
        let claimed = kit.claim_one().await;
        let Finished::Applied(status) = kit.finish(&claimed, end.clone()).await else { panic!("{end:?} is applied") };
        let before = kit.transitions(id).len();
        assert_eq!(kit.finish(&claimed, end).await, Finished::AlreadyApplied);
        assert_eq!(kit.finish(&claimed, success()).await, Finished::AlreadyApplied);
        assert_eq!(kit.status(id).await, status);
        assert_eq!(kit.transitions(id).len(), before);
    }
}

/// A claim that never was, a claim of a task that is gone: nothing is written.
pub async fn a_report_under_another_fence_is_stale(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let mut claimed = kit.claim_one().await;
    claimed.fence = claimed.fence.next();
    assert_eq!(kit.finish(&claimed, success()).await, Finished::Stale);
    claimed.fence = Fence::default();
    assert_eq!(kit.finish(&claimed, success()).await, Finished::Stale);
    assert_eq!(kit.status(id).await, TaskStatus::Running);
    claimed.id = kit.task().id;
    assert_eq!(kit.finish(&claimed, success()).await, Finished::Stale);
    let queued = kit.submit(kit.task()).await;
    claimed.id = queued;
    assert_eq!(kit.finish(&claimed, success()).await, Finished::Stale);
    assert_eq!(kit.status(queued).await, TaskStatus::Pending);
}

/// A body that was stopped leaves nothing running.
pub async fn a_timeout_is_final(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, timeout(false), TaskStatus::Timeout).await;
    let record = kit.get(id).await;
    assert!(!record.still_running);
    assert_eq!(record.last_error().unwrap().kind, FailureKind::Timeout);
    assert_eq!(kit.retry(id).await, Controlled::Applied(TaskStatus::Pending));
}

/// The record says `still_running`, and no further run begins, until the body has returned.
pub async fn a_body_that_cannot_be_stopped_is_seen_until_it_returns(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    kit.end(&claimed, timeout(true), TaskStatus::Timeout).await;
    assert!(kit.get(id).await.still_running);
    assert_eq!(kit.retry(id).await, Controlled::Refused(TaskStatus::Timeout));
    let mut other = claimed.clone();
    other.fence = claimed.fence.next();
    assert_eq!(kit.finish(&other, AttemptEnd::Stopped).await, Finished::Stale);
    assert_eq!(kit.finish(&claimed, AttemptEnd::Stopped).await, Finished::Applied(TaskStatus::Timeout));
    assert!(!kit.get(id).await.still_running);
    assert_eq!(kit.finish(&claimed, AttemptEnd::Stopped).await, Finished::AlreadyApplied);
    assert_eq!(kit.retry(id).await, Controlled::Applied(TaskStatus::Pending));
}

/// An attempt that may be followed by another stays `running` while its body cannot be stopped.
pub async fn an_overdue_attempt_stays_running(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task().with(|it| it.max_attempts = 2)).await;
    let claimed = kit.claim_one().await;
    let overdue = || AttemptEnd::Overdue(error(FailureKind::Timeout, "too slow"));
    kit.end(&claimed, overdue(), TaskStatus::Running).await;
    let record = kit.get(id).await;
    assert!(record.still_running);
    assert_eq!(record.last_error().unwrap().kind, FailureKind::Timeout);
    assert_eq!(kit.finish(&claimed, overdue()).await, Finished::AlreadyApplied);
    assert!(kit.claim(10).await.is_empty());
    let end = AttemptEnd::Retry { error: error(FailureKind::Timeout, "too slow"), delay: MINUTE };
    kit.end(&claimed, end, TaskStatus::Retrying).await;
    let record = kit.get(id).await;
    assert!(!record.still_running);
    assert_eq!(record.errors.len(), 1, "one attempt has one error");
}

/// The text of an error is cut at the limit.
pub async fn errors_are_cut_to_their_limit(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.limits.error = 64).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    let end = AttemptEnd::Failed(error(FailureKind::Error, &"é".repeat(1_000)));
    kit.end(&claimed, end, TaskStatus::Failed).await;
    let message = kit.get(id).await.errors.remove(0).message;
    assert!(message.len() <= 64 && message.starts_with('é') && message.ends_with('…'), "{message}");
}

/// One answer for each, also where some of them no longer count.
pub async fn a_batch_of_ends_is_answered_in_order(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..3 {
        kit.submit(kit.task()).await;
    }
    let claimed = kit.claim(3).await;
    let end = |index: usize, end| Finish::new(claimed[index].id, claimed[index].fence, end);
    kit.store.finish(vec![end(1, success())]).await.unwrap();
    let stale = Finish::new(claimed[2].id, claimed[2].fence.next(), success());
    let ends = vec![end(0, success()), end(1, failed()), stale, end(2, failed()), end(2, success())];
    let expected = [
        Finished::Applied(TaskStatus::Success),
        Finished::AlreadyApplied,
        Finished::Stale,
        Finished::Applied(TaskStatus::Failed),
        Finished::AlreadyApplied,
    ];
    assert_eq!(kit.store.finish(ends).await.unwrap(), expected);
    assert!(kit.store.finish(Vec::new()).await.unwrap().is_empty());
}

/// A record keeps the newest errors, and no more than its bound.
pub async fn the_oldest_errors_give_way(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let most = u32::try_from(TaskRecord::MAX_ERRORS).unwrap();
    let id = kit.submit(kit.task().with(|it| it.max_attempts = most + 5)).await;
    for _ in 0..most + 3 {
        let claimed = kit.claim_one().await;
        kit.finish(&claimed, retry_after(Duration::ZERO)).await;
    }
    let attempts = kit.get(id).await.errors.iter().map(|it| it.attempt).collect::<Vec<_>>();
    assert_eq!(attempts, (4..=most + 3).collect::<Vec<_>>());
}

/// A result that is kept for no time is gone at once; that there was one stays known.
pub async fn a_result_without_time_is_not_kept(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let end = AttemptEnd::Success { result: Some(json("1")), ttl: Duration::ZERO };
    kit.end(&kit.claim_one().await, end, TaskStatus::Success).await;
    let record = kit.get(id).await;
    assert!(record.result.is_none() && record.result_until.is_some());
}
