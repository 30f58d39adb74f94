//! How tasks are handed out.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    kit::{HOUR, Kit, LEASE, MINUTE, NAME, OTHER_QUEUE, QUEUE, SECOND, With, declaration, json, worker},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Fence, Priority, RankStep, TaskStatus},
    ports::{ClaimRequest, Due},
};

/// Tasks of one priority start in the order of their submission, in one batch or many.
pub async fn equals_come_first_in_first_out(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(kit.submit(kit.task()).await);
    }
    let batch = vec![kit.task(), kit.task(), kit.task()];
    ids.extend(batch.iter().map(|it| it.id));
    kit.store.enqueue(batch).await.unwrap();
    let mut claimed = kit.claim_ids(2).await;
    claimed.extend(kit.claim_ids(10).await);
    assert_eq!(claimed, ids);
}

/// The larger priority starts first.
pub async fn higher_priorities_come_first(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut expected = Vec::new();
    for level in [0, -10, 10, 3, -3, 9] {
        expected.push((-level, kit.submit(kit.task_of_priority(level)).await));
    }
    expected.sort_unstable();
    // Also by a claim that has no room for all.
    let mut claimed = kit.claim_ids(2).await;
    claimed.extend(kit.claim_ids(10).await);
    assert_eq!(claimed, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

/// A task overtakes one of the next higher priority when it is a step older, and not before.
pub async fn age_overtakes_priority_by_the_step(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.rank_step = RankStep::new(10 * MINUTE)).await;
    let first = kit.submit(kit.task_of_priority(0)).await;
    kit.advance(9 * MINUTE).await;
    let second = kit.submit(kit.task_of_priority(1)).await;
    kit.advance(2 * MINUTE).await;
    let third = kit.submit(kit.task_of_priority(1)).await;
    assert_eq!(kit.claim_ids(10).await, [second, first, third]);
}

/// A task that becomes due among others stands where its due time and priority put it.
pub async fn a_late_promotion_takes_its_place_by_rank(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let later = kit.submit(kit.task_in(2 * SECOND)).await;
    let early = kit.submit(kit.task_in(SECOND).with(|it| it.priority = Priority::clamped(-1))).await;
    let urgent = kit.submit(kit.task_in(SECOND).with(|it| it.priority = Priority::clamped(1))).await;
    let now = kit.submit(kit.task()).await;
    kit.advance(5 * SECOND).await;
    let last = kit.submit(kit.task()).await;
    assert_eq!(kit.claim_ids(10).await, [urgent, now, later, last, early]);
}

/// All that the body and its context can ask for comes with the claim; the record shows who holds it and how long.
pub async fn a_claim_tells_what_the_worker_needs(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let task = kit.task().with(|it| {
        it.params = json(r#"{"n":1}"#);
        it.max_attempts = 3;
        it.timeout = MINUTE;
        it.priority = Priority::clamped(2);
    });
    kit.submit(task.clone()).await;
    let claimed = kit.claim_one().await;
    let record = kit.get(task.id).await;
    assert_eq!((claimed.id, &claimed.name, claimed.version, &claimed.queue), (task.id, &NAME, 1, &QUEUE));
    assert_eq!(claimed.params.get(), r#"{"n":1}"#);
    assert_eq!((claimed.priority, claimed.timeout), (Priority::clamped(2), MINUTE));
    assert_eq!((claimed.run, claimed.attempt, claimed.max_attempts), (1, 1, 3));
    assert_eq!((claimed.fence, record.fence), (Fence::new(1), Fence::new(1)));
    assert_eq!((claimed.due, claimed.created_at), (record.due, record.created_at));
    assert_eq!((record.status, record.attempt), (TaskStatus::Running, 1));
    assert_eq!((record.worker, record.started_at), (Some(kit.worker), Some(claimed.started_at)));
    let lease = record.lease_until.unwrap().since(claimed.started_at);
    assert_eq!(lease, LEASE);
}

/// What runs is not handed out again.
pub async fn a_task_is_handed_out_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.submit(kit.task()).await;
    assert_eq!(kit.claim(10).await.len(), 1);
    assert!(kit.claim(10).await.is_empty());
}

/// Many workers that claim at the same time get each task once.
pub async fn racing_workers_never_share_a_task(store: StoreUnderTest) {
    const TASKS: usize = 200;
    let kit = Kit::new(store).await;
    let tasks = std::iter::repeat_with(|| kit.task()).take(TASKS).collect::<Vec<_>>();
    kit.store.enqueue(tasks).await.unwrap();
    let mut racers = Vec::new();
    for number in 10..18 {
        let store = kit.store.clone();
        racers.push(tokio::spawn(async move {
            let worker = worker(number);
            store.declare(declaration(worker, &[(NAME, 1)])).await.unwrap();
            let mut ids = Vec::new();
            loop {
                let request = ClaimRequest::new(worker, [(QUEUE, 7)].into(), 7, LEASE, ids.is_empty());
                let claims = store.claim(request).await.unwrap();
                if claims.tasks.is_empty() {
                    return ids;
                }
                ids.extend(claims.tasks.iter().map(|it| it.id));
                tokio::task::yield_now().await;
            }
        }));
    }
    let mut all = Vec::new();
    for racer in racers {
        all.extend(racer.await.unwrap());
    }
    assert_eq!(all.len(), TASKS);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), TASKS);
}

/// Nothing starts before its time.
pub async fn a_delayed_task_waits_until_it_is_due(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task_in(HOUR)).await;
    assert!(kit.claim(10).await.is_empty());
    kit.advance(HOUR - MINUTE).await;
    assert!(kit.claim(10).await.is_empty());
    assert_eq!(kit.status(id).await, TaskStatus::Delayed);
    kit.advance(MINUTE).await;
    assert_eq!(kit.claim_ids(10).await, [id]);
    let far = kit.submit(kit.task_in(Duration::MAX)).await;
    assert!(kit.claim(10).await.is_empty());
    assert_eq!(kit.status(far).await, TaskStatus::Delayed);
}

/// A worker learns how long it may sleep.
pub async fn the_next_due_time_is_told(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    assert_eq!(kit.claims(10).await.next_in, None);
    kit.submit(kit.task_in(HOUR)).await;
    kit.submit(kit.task_in(MINUTE)).await;
    let next_in = kit.claims(10).await.next_in.expect("a due time is known");
    assert!(next_in <= MINUTE && next_in > MINUTE - 10 * SECOND, "{next_in:?}");
    let at = kit.get(kit.submit(kit.task()).await).await.created_at;
    kit.submit(kit.task().with(|it| it.due = Due::At(at.after(30 * SECOND)))).await;
    let next_in = kit.claims(10).await.next_in.expect("a due time is known");
    assert!(next_in <= 30 * SECOND, "{next_in:?}");
}

/// A worker gets nothing from a queue that it does not serve.
pub async fn only_the_queues_asked_for_are_served(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let other = kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    let mine = kit.submit(kit.task()).await;
    let request = ClaimRequest::new(kit.worker, [(QUEUE, 10)].into(), 10, LEASE, true);
    let claims = kit.store.claim(request).await.unwrap();
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), [mine]);
    assert_eq!(kit.status(other).await, TaskStatus::Pending);
    assert_eq!(kit.claim_ids(10).await, [other]);
}

/// The numbers in the request hold, for each queue and for all.
pub async fn no_queue_gives_more_than_it_is_asked_for(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..4 {
        kit.submit(kit.task()).await;
        kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    }
    let claim = async |queues: Arc<[_]>, max| {
        let request = ClaimRequest::new(kit.worker, queues, max, LEASE, true);
        let claims = kit.store.claim(request).await.unwrap();
        let count = |queue| claims.tasks.iter().filter(|it| it.queue == queue).count();
        (count(QUEUE), count(OTHER_QUEUE))
    };
    assert_eq!(claim([(QUEUE, 1), (OTHER_QUEUE, 3)].into(), 10).await, (1, 3));
    assert_eq!(claim([(QUEUE, 3), (OTHER_QUEUE, 3)].into(), 2).await, (2, 0));
    assert_eq!(claim([(QUEUE, 0), (OTHER_QUEUE, 5)].into(), 10).await, (0, 1));
    assert_eq!(claim([(QUEUE, 5)].into(), 0).await, (0, 0));
}

/// With a strict step no age overtakes a priority.
pub async fn a_strict_step_is_never_overtaken(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.rank_step = RankStep::STRICT).await;
    let low = kit.submit(kit.task_of_priority(-1)).await;
    kit.advance(1_000 * HOUR).await;
    let normal = kit.submit(kit.task()).await;
    let high = kit.submit(kit.task_of_priority(10)).await;
    assert_eq!(kit.claim_ids(10).await, [high, normal, low]);
}
