//! Calls that nobody waits for to the end.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ddd_core::{
    Filter, TaskStatus, TaskStore,
    domain::Progress,
    ports::{
        AttemptEnd, ClaimRequest, Control, Declaration, Enqueued, Finish, Finished, Heartbeat, Held, ProgressReport,
        ScheduleCommand, StoreFuture, StoreSettings,
    },
};

use super::support::{options, server};
use crate::sqlite::support::{LEASE, QUEUE, claim, declare, enqueue, get, task, worker};

/// Polls a call so often, and drops it.
async fn poll_and_drop<T>(mut call: StoreFuture<T>, polls: usize) {
    for _ in 0..polls {
        let mut context = Context::from_waker(Waker::noop());
        if matches!(Pin::new(&mut call).poll(&mut context), Poll::Ready(_)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// With one connection, the next call works whatever became of the last one, and what was dropped is done or not, never half.
#[tokio::test]
async fn a_dropped_call_leaves_nothing_half_done() {
    let store = options().connections(1).listen(false).connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    for polls in 0..6_u64 {
        let (one, other) = (task(10 * polls), task(10 * polls + 1));
        let times = usize::try_from(polls).unwrap();
        poll_and_drop(store.enqueue(vec![one.clone(), other.clone()]), times).await;
        let again = store.enqueue(vec![one.clone(), other.clone()]).await.unwrap();
        assert!(matches!(again[0], Enqueued::Created(_) | Enqueued::AlreadyCreated));
        assert_eq!(std::mem::discriminant(&again[0]), std::mem::discriminant(&again[1]), "both or neither");
        let request = ClaimRequest::new(worker(1), [(QUEUE, 2)].into(), 2, LEASE, true);
        poll_and_drop(store.claim(request), times).await;
        // What a dropped claim has taken is held by nobody who knows: the next claim gets the rest.
        claim(&store, 1, 2).await;
        let records = store.get(vec![one.id, other.id]).await.unwrap();
        let held = records.iter().flatten().collect::<Vec<_>>();
        assert!(held.iter().all(|it| it.status == TaskStatus::Running && it.lease_until.is_some()), "{held:?}");
        let fence = held[0].fence;
        let claims = vec![Held { id: one.id, fence }, Held { id: other.id, fence: held[1].fence }];
        poll_and_drop(store.heartbeat(Heartbeat::new(worker(1), claims.clone(), LEASE)), times).await;
        let report = ProgressReport::new(one.id, fence, Progress::new(0.5, String::new()));
        poll_and_drop(store.progress(vec![report]), times).await;
        let end = || AttemptEnd::Success { result: None, ttl: LEASE };
        let finishes = || claims.iter().map(|it| Finish::new(it.id, it.fence, end())).collect::<Vec<_>>();
        poll_and_drop(store.finish(finishes()), times).await;
        for answer in store.finish(finishes()).await.unwrap() {
            assert!(matches!(answer, Finished::Applied(_) | Finished::AlreadyApplied), "{answer:?}");
        }
        poll_and_drop(store.control(Control::Retry { ids: vec![one.id] }), times).await;
        poll_and_drop(store.control(Control::Cancel { ids: vec![one.id], reason: String::new() }), times).await;
        poll_and_drop(store.reap(10), times).await;
        let declaration = Declaration::new(worker(1), String::new(), vec![QUEUE], Vec::new(), 1, LEASE);
        poll_and_drop(store.declare(declaration), times).await;
        declare(&store, 1).await;
        poll_and_drop(store.withdraw(worker(9)), times).await;
        poll_and_drop(store.get(vec![one.id]), times).await;
        poll_and_drop(store.list(Filter::all(), None, 10), times).await;
        poll_and_drop(store.positions(vec![one.id], 10), times).await;
        poll_and_drop(store.statistics(), times).await;
        poll_and_drop(store.queues(), times).await;
        poll_and_drop(store.workers(), times).await;
        poll_and_drop(store.schedules(ScheduleCommand::List(None)), times).await;
        poll_and_drop(store.configure(StoreSettings::default()), times).await;
        poll_and_drop(store.dedicated(), times).await;
        store.control(Control::Cancel { ids: vec![one.id], reason: String::new() }).await.unwrap();
        assert!(get(&store, one.id).await.unwrap().status.is_terminal());
    }
    assert!(matches!(enqueue(&store, task(1_000)).await, Enqueued::Created(_)));
}

/// A call of many statements, dropped after each of them: the next one does not find itself in what was left, and figures are those
/// of the rows.
#[tokio::test]
async fn a_call_that_is_dropped_in_its_transaction_leaves_it_to_nobody() {
    const ALL: u64 = 30;
    let store = options().connections(1).listen(false).connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    for number in 0..ALL {
        enqueue(&store, task(number)).await;
        let claimed = claim(&store, 1, 1).await;
        let error = ddd_core::AttemptError::new(ddd_core::FailureKind::Error, "no".to_owned());
        let finish = || vec![Finish::new(claimed[0].id, claimed[0].fence, AttemptEnd::Failed(error.clone()))];
        poll_and_drop(store.finish(finish()), usize::try_from(number).unwrap()).await;
        let answer = store.finish(finish()).await.unwrap().remove(0);
        assert!(matches!(answer, Finished::Applied(_) | Finished::AlreadyApplied), "{answer:?}");
    }
    let now = store.statistics().await.unwrap().now;
    assert_eq!((now.get(TaskStatus::Failed), now.total()), (ALL, ALL), "{now:?}");
}
