//! What workers know, and what becomes of tasks that none of them knows.

use super::{
    kit::{Kit, LEASE, NAME, QUEUE, SECOND, With, declaration, worker},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Name, TaskStatus, WorkerId},
    ports::{ClaimRequest, Claims, Heartbeat, Signal},
};

const UNKNOWN: Name = Name::new("unknown");

async fn claim_as(kit: &Kit, worker: WorkerId) -> Claims {
    kit.store.claim(ClaimRequest::new(worker, [(QUEUE, 10)].into(), 10, LEASE, true)).await.unwrap()
}

/// It is parked, not lost and not failed; the declaration that fits brings it back, with no attempt counted.
pub async fn what_nobody_knows_is_parked_and_comes_back(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let unknown = kit.submit(kit.task().with(|it| it.name = UNKNOWN)).await;
    let known = kit.submit(kit.task()).await;
    assert_eq!(kit.claim_ids(10).await, [known], "what is unknown does not hold up the others");
    assert_eq!(kit.status(unknown).await, TaskStatus::Parked);
    kit.reap().await;
    assert_eq!(kit.status(unknown).await, TaskStatus::Parked);
    kit.signals();
    kit.store.declare(declaration(worker(2), &[(UNKNOWN, 1)])).await.unwrap();
    assert_eq!(kit.status(unknown).await, TaskStatus::Pending);
    assert!(kit.signals().iter().any(|it| matches!(it, Signal::Ready { .. })));
    let claims = claim_as(&kit, worker(2)).await;
    assert_eq!((claims.tasks[0].id, claims.tasks[0].attempt), (unknown, 1));
}

/// A task that another live worker knows stays ready for that one.
pub async fn what_another_worker_knows_is_left_to_it(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.store.declare(declaration(worker(2), &[(UNKNOWN, 1)])).await.unwrap();
    let mut theirs = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..3 {
        theirs.push(kit.submit(kit.task().with(|it| it.name = UNKNOWN)).await);
        ours.push(kit.submit(kit.task()).await);
    }
    assert_eq!(kit.claim_ids(10).await, ours);
    assert_eq!(kit.status(theirs[0]).await, TaskStatus::Pending);
    let claims = claim_as(&kit, worker(2)).await;
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), theirs, "in their order");
}

/// A worker runs all versions up to its own.
pub async fn newer_versions_are_not_handed_out(store: StoreUnderTest) {
    let kit = Kit::without_worker(store);
    kit.store.declare(declaration(kit.worker, &[(NAME, 2)])).await.unwrap();
    let newer = kit.submit(kit.task().with(|it| it.version = 3)).await;
    let same = kit.submit(kit.task().with(|it| it.version = 2)).await;
    let older = kit.submit(kit.task()).await;
    assert_eq!(kit.claim_ids(10).await, [same, older]);
    assert_eq!(kit.status(newer).await, TaskStatus::Parked);
    kit.store.declare(declaration(kit.worker, &[(NAME, 3)])).await.unwrap();
    assert_eq!(kit.claim_ids(10).await, [newer]);
}

/// A process that only submits finds its tasks ready, however long it takes until a worker comes.
pub async fn nothing_is_parked_while_no_worker_lives(store: StoreUnderTest) {
    let kit = Kit::without_worker(store);
    let id = kit.submit(kit.task()).await;
    kit.reap().await;
    assert_eq!(kit.status(id).await, TaskStatus::Pending);
    kit.store.declare(declaration(worker(2), &[(UNKNOWN, 1)])).await.unwrap();
    kit.advance_in_silence(LEASE + SECOND);
    kit.reap().await;
    assert_eq!(kit.status(id).await, TaskStatus::Pending, "the worker that did not know it is dead");
}

/// A task that nobody knows is seen even if nobody claims from its queue.
pub async fn upkeep_parks_what_nobody_knows(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let unserved = Name::new("unserved");
    let unknown = kit.submit(kit.task().with(|it| (it.name, it.queue) = (UNKNOWN, unserved))).await;
    let known = kit.submit(kit.task()).await;
    kit.reap().await;
    assert_eq!(kit.status(unknown).await, TaskStatus::Parked);
    assert_eq!(kit.status(known).await, TaskStatus::Pending);
}

/// What a worker knows was declared; who declared nothing knows nothing.
pub async fn an_undeclared_worker_gets_nothing(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    assert!(claim_as(&kit, worker(99)).await.tasks.is_empty());
    assert_eq!(kit.status(id).await, TaskStatus::Pending);
}

/// A worker is listed from its declaration until it withdraws or its signs of life stop.
pub async fn living_workers_are_listed(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.store.declare(declaration(worker(2), &[(NAME, 1)])).await.unwrap();
    kit.submit(kit.task()).await;
    kit.claim_one().await;
    let mut workers = kit.store.workers().await.unwrap();
    workers.sort_by_key(|it| it.id);
    let expected = declaration(kit.worker, &[(NAME, 1)]);
    assert_eq!(workers.iter().map(|it| (it.id, it.running)).collect::<Vec<_>>(), [(worker(1), 1), (worker(2), 0)]);
    assert_eq!((&workers[0].host, &workers[0].queues), (&expected.host, &expected.queues));
    assert_eq!((&workers[0].known, workers[0].slots), (&expected.known, expected.slots));
    kit.store.withdraw(worker(2)).await.unwrap();
    let listed = async || kit.store.workers().await.unwrap().iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(listed().await, [worker(1)]);
    kit.advance_in_silence(LEASE - SECOND);
    kit.store.heartbeat(Heartbeat::new(kit.worker, Vec::new(), LEASE)).await.unwrap();
    kit.advance_in_silence(LEASE - SECOND);
    assert_eq!(listed().await, [worker(1)]);
    kit.advance_in_silence(2 * SECOND);
    assert!(listed().await.is_empty());
}
