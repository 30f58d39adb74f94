//! What happens when workers die or are away.

use super::{
    kit::{Kit, LEASE, SECOND, error, success, timeout},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{FailureKind, TaskStatus},
    ports::{AttemptEnd, Controlled, Finished, Signal},
};

/// The task is ready again, its attempt not counted, its crash counted and noted.
pub async fn a_lost_lease_gives_the_task_back_without_an_attempt(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    assert_eq!(kit.reap().await.recovered, 0);
    let reaped = kit.lose_leases().await;
    assert_eq!((reaped.recovered, reaped.ended.len()), (1, 0));
    let record = kit.get(id).await;
    assert_eq!((record.status, record.attempt, record.crashes), (TaskStatus::Pending, 0, 1));
    assert_eq!((record.lease_until, record.started_at), (None, None));
    assert_eq!(record.last_error().unwrap().kind, FailureKind::Crash);
    let again = kit.claim_one().await;
    assert!(again.fence > claimed.fence);
    assert_eq!(again.attempt, 1);
}

/// A worker that gives signs of life, and does not name what it was handed, never learned of it: nobody died.
pub async fn a_claim_whose_answer_was_lost_is_no_crash(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    for round in 1..=4 {
        let lost = kit.claim_one().await;
        assert_eq!(lost.attempt, 1, "round {round}");
        kit.advance(LEASE / 2).await;
        kit.advance(LEASE / 2 + SECOND).await;
        let reaped = kit.reap().await;
        assert_eq!((reaped.recovered, reaped.ended.len()), (1, 0));
        let record = kit.get(id).await;
        assert_eq!((record.status, record.attempt, record.crashes), (TaskStatus::Pending, 0, 0));
        assert!(record.errors.is_empty());
    }
    // What it did name before it fell silent was running when it died, whatever it claimed later.
    let held = kit.claim_one().await;
    kit.advance_in_silence(LEASE / 2);
    kit.heartbeat(&[&held]).await;
    kit.submit(kit.task()).await;
    kit.advance_in_silence(LEASE / 2);
    kit.claim_one().await;
    kit.advance_in_silence(LEASE / 2 + SECOND);
    assert_eq!(kit.reap().await.recovered, 1);
    assert_eq!(kit.get(id).await.crashes, 1);
}

/// A worker that gives signs of life keeps what it names, and only that.
pub async fn a_heartbeat_keeps_the_lease(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.submit(kit.task()).await;
    let dropped = kit.submit(kit.task()).await;
    let claimed = kit.claim(2).await;
    for _ in 0..4 {
        kit.advance(LEASE / 2).await;
        assert!(kit.heartbeat(&[&claimed[0]]).await.is_empty());
    }
    assert_eq!(kit.reap().await.recovered, 1);
    assert_eq!(kit.status(claimed[0].id).await, TaskStatus::Running);
    assert_eq!(kit.status(dropped).await, TaskStatus::Pending);
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
}

/// Cancelled or lost: the answer to a heartbeat says so.
pub async fn a_heartbeat_tells_what_was_lost(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..3 {
        kit.submit(kit.task()).await;
    }
    let claimed = kit.claim(3).await;
    kit.advance(LEASE - SECOND).await;
    kit.heartbeat(&[&claimed[1], &claimed[2]]).await;
    kit.advance(2 * SECOND).await;
    kit.reap().await;
    assert_eq!(kit.cancel(claimed[1].id).await, Controlled::Requested { fence: claimed[1].fence });
    kit.end(&claimed[2], success(), TaskStatus::Success).await;
    let signals = kit.heartbeat(&[&claimed[0], &claimed[1], &claimed[2]]).await;
    let lost = Signal::Lost { id: claimed[0].id, fence: claimed[0].fence };
    let cancel = Signal::Cancel { id: claimed[1].id, fence: claimed[1].fence };
    assert_eq!(signals, [lost, cancel], "what ended in order is neither lost nor cancelled");
}

/// Of two workers that believe they run a task, only the later one counts.
pub async fn a_worker_that_was_away_cannot_write(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let old = kit.claim_one().await;
    kit.lose_leases().await;
    assert_eq!(kit.finish(&old, success()).await, Finished::Stale);
    assert_eq!(kit.status(id).await, TaskStatus::Pending);
    let new = kit.claim_one().await;
    assert_eq!(kit.finish(&old, success()).await, Finished::Stale);
    assert_eq!(kit.finish(&old, AttemptEnd::Release).await, Finished::Stale);
    assert_eq!(kit.heartbeat(&[&old]).await, [Signal::Lost { id, fence: old.fence }]);
    assert_eq!(kit.status(id).await, TaskStatus::Running);
    kit.end(&new, success(), TaskStatus::Success).await;
}

/// A task that kills its workers ends, and says why.
pub async fn many_crashes_fail_the_task(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    for crash in 1..=3 {
        kit.claim_one().await;
        let reaped = kit.lose_leases().await;
        let ended = if crash == 3 { vec![(id, TaskStatus::Failed)] } else { Vec::new() };
        assert_eq!(reaped.ended, ended);
    }
    let record = kit.get(id).await;
    assert_eq!((record.status, record.crashes), (TaskStatus::Failed, 3));
    let error = record.last_error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (FailureKind::Crash, "its worker died 3 times while running it"));
    assert!(kit.claim(10).await.is_empty());
    // A new run starts with a clean slate.
    kit.retry(id).await;
    assert_eq!(kit.get(id).await.crashes, 0);
}

/// Only a worker that runs nothing gets it, and nothing with it; the busy one is told.
pub async fn a_task_that_killed_two_workers_runs_alone(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    for _ in 0..2 {
        assert!(!kit.claims(1).await.alone);
        kit.lose_leases().await;
    }
    let next = kit.submit(kit.task()).await;
    let mut busy = kit.request(10);
    busy.idle = false;
    let claims = kit.store.claim(busy).await.unwrap();
    assert!(claims.tasks.iter().all(|it| it.id != id), "not beside others");
    assert!(claims.alone_waiting && !claims.alone);
    for claimed in &claims.tasks {
        kit.end(claimed, AttemptEnd::Release, TaskStatus::Pending).await;
    }
    let claims = kit.claims(10).await;
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
    assert!(claims.alone);
    kit.end(&claims.tasks[0], success(), TaskStatus::Success).await;
    let claims = kit.claims(10).await;
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), [next]);
    assert!(!claims.alone && !claims.alone_waiting);
}

/// Nobody starts it again.
pub async fn a_cancelled_task_whose_worker_died_is_cancelled(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    kit.claim_one().await;
    kit.cancel(id).await;
    let reaped = kit.lose_leases().await;
    assert_eq!(reaped.ended, [(id, TaskStatus::Cancelled)]);
    assert_eq!(kit.status(id).await, TaskStatus::Cancelled);
}

/// What ran on after a timeout ended with its worker at the latest.
pub async fn a_body_that_died_with_its_worker_is_no_longer_running(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let ended = kit.submit(kit.task()).await;
    let overdue = kit.submit(kit.task()).await;
    let claimed = kit.claim(2).await;
    kit.end(&claimed[0], timeout(true), TaskStatus::Timeout).await;
    let end = AttemptEnd::Overdue(error(FailureKind::Timeout, "too slow"));
    kit.end(&claimed[1], end, TaskStatus::Running).await;
    kit.advance(LEASE - SECOND).await;
    kit.heartbeat(&[&claimed[0], &claimed[1]]).await;
    kit.advance_in_silence(2 * SECOND);
    kit.reap().await;
    assert!(kit.get(ended).await.still_running && kit.get(overdue).await.still_running);
    kit.lose_leases().await;
    let record = kit.get(ended).await;
    assert_eq!((record.status, record.still_running), (TaskStatus::Timeout, false));
    let record = kit.get(overdue).await;
    assert_eq!((record.status, record.still_running, record.crashes), (TaskStatus::Pending, false, 1));
    assert_eq!(kit.retry(ended).await, Controlled::Applied(TaskStatus::Pending));
}

/// Upkeep takes back no more than it is asked to, and says that there is more.
pub async fn one_reap_is_bounded(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..5 {
        kit.submit(kit.task()).await;
    }
    kit.claim(5).await;
    kit.advance(LEASE + SECOND).await;
    let reaped = kit.store.reap(2).await.unwrap();
    assert_eq!((reaped.recovered, reaped.more), (2, true));
    let reaped = kit.store.reap(10).await.unwrap();
    assert_eq!((reaped.recovered, reaped.more), (3, false));
}

/// Long work ahead of them hides no dead: one look finds them all.
pub async fn the_dead_are_found_behind_many_that_live(store: StoreUnderTest) {
    const LIVING: usize = 300;
    let kit = Kit::new(store).await;
    let tasks = std::iter::repeat_with(|| kit.task()).take(LIVING + 3).collect::<Vec<_>>();
    kit.store.enqueue(tasks).await.unwrap();
    let claimed = kit.claim(LIVING + 3).await;
    kit.advance_in_silence(LEASE - SECOND);
    kit.heartbeat(&claimed[..LIVING].iter().collect::<Vec<_>>()).await;
    kit.advance_in_silence(2 * SECOND);
    assert_eq!(kit.store.reap(10).await.unwrap().recovered, 3);
    for it in &claimed[LIVING..] {
        assert_eq!(kit.status(it.id).await, TaskStatus::Pending);
    }
    assert_eq!(kit.status(claimed[0].id).await, TaskStatus::Running);
}
