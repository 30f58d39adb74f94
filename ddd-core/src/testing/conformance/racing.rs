//! Many who do the same thing at the same time.

use std::{future::Future, sync::Arc};

use super::{
    kit::{HOUR, Kit, LEASE, NAME, QUEUE, With, declaration, json, success, tick, worker},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Label, Name, TaskStatus, Until},
    ports::{
        AttemptEnd, Claimed, Control, Controlled, Enqueued, Finish, Finished, Heartbeat, Held, QueueSettings,
        ScheduleCommand, ScheduleRecord, Signal, TaskStore,
    },
};

const RACERS: usize = 32;

/// What each of `calls` answers, all made at the same time.
async fn all<T: Send + 'static>(calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let racers: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap());
    }
    answers
}

/// Many at once under one unique key make one task, and all are told of it.
pub async fn racing_submissions_of_one_unique_key_make_one_task(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let label = Label { unique_key: Some("known:a".to_owned()), ..Label::default() };
    let task = || {
        kit.task().with(|it| {
            it.label = Some(Box::new(label.clone()));
            it.unique_until = Some(Until::Finished);
        })
    };
    let tasks: Vec<_> = (0..RACERS).map(|_| task()).collect();
    let answers = all(tasks.into_iter().map(|task| {
        let store = kit.store.clone();
        async move { store.enqueue(vec![task]).await.unwrap().remove(0) }
    }))
    .await;
    let created = answers.iter().filter(|it| matches!(it, Enqueued::Created(_))).count();
    let id = kit.claim_one().await.id;
    let duplicates = answers.iter().filter(|it| **it == Enqueued::Duplicate(id)).count();
    assert_eq!((created, duplicates), (1, RACERS - 1));
    assert!(kit.claim(10).await.is_empty());
}

/// However many submit at once, no more wait than the queue takes, and nobody is told otherwise.
pub async fn racing_submissions_never_overfill_a_queue(store: StoreUnderTest) {
    const DEPTH: usize = 10;
    let kit = Kit::new(store).await;
    kit.configure_queue(QueueSettings::new().max_depth(DEPTH)).await;
    let tasks: Vec<_> = (0..RACERS).map(|_| kit.task()).collect();
    let answers = all(tasks.into_iter().map(|task| {
        let store = kit.store.clone();
        async move { store.enqueue(vec![task]).await.unwrap().remove(0) }
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| matches!(it, Enqueued::Created(_))).count(), DEPTH);
    assert_eq!(kit.claim(RACERS).await.len(), DEPTH);
}

fn finish(store: &Arc<dyn TaskStore>, claimed: &Claimed, end: AttemptEnd) -> impl Future<Output = Finished> + use<> {
    let answer = store.finish(vec![Finish::new(claimed.id, claimed.fence, end)]);
    async move { answer.await.unwrap().remove(0) }
}

/// An end that is told many times at once takes effect once.
pub async fn racing_ends_of_one_claim_are_applied_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    let answers = all((0..RACERS).map(|_| finish(&kit.store, &claimed, success()))).await;
    let applied = answers.iter().filter(|it| **it == Finished::Applied(TaskStatus::Success)).count();
    let again = answers.iter().filter(|it| **it == Finished::AlreadyApplied).count();
    assert_eq!((applied, again), (1, RACERS - 1));
    let ends = kit.transitions(id).into_iter().filter(|it| it.1.is_terminal()).count();
    assert_eq!(ends, 1, "one terminal transition");
}

/// The answers tell who won, and they agree with the record.
pub async fn a_cancellation_and_an_end_that_race_have_one_winner(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..16 {
        let id = kit.submit(kit.task()).await;
        let claimed = kit.claim_one().await;
        let cancelling = kit.store.control(Control::Cancel { ids: vec![id], reason: String::new() });
        let cancelling = tokio::spawn(async move { cancelling.await.unwrap().remove(0) });
        let ended = finish(&kit.store, &claimed, success()).await;
        let status = kit.status(id).await;
        assert_eq!(ended, Finished::Applied(status));
        match cancelling.await.unwrap() {
            Controlled::Requested { .. } => assert_eq!(status, TaskStatus::Cancelled),
            answer => assert_eq!((answer, status), (Controlled::Refused(status), TaskStatus::Success)),
        }
        let ends = kit.transitions(id).into_iter().filter(|it| it.1.is_terminal()).count();
        assert_eq!(ends, 1);
    }
}

/// Of many processes that fire one tick, one submits the task.
pub async fn racing_ticks_make_one_task(store: StoreUnderTest) {
    const NIGHTLY: Name = Name::new("nightly");
    let kit = Kit::new(store).await;
    let schedule = ScheduleRecord::new(NIGHTLY, NAME, json("{}"), "0 3 * * *".to_owned(), Some(tick(0)));
    kit.store.schedules(ScheduleCommand::Put(Box::new(schedule))).await.unwrap();
    for round in 0..5 {
        let commands: Vec<_> = (0..RACERS)
            .map(|_| {
                let task = Box::new(kit.task());
                ScheduleCommand::Fire { name: NIGHTLY, tick: tick(round), next: Some(tick(round + 1)), task }
            })
            .collect();
        let answers = all(commands.into_iter().map(|it| {
            let store = kit.store.clone();
            async move { store.schedules(it).await.unwrap().len() }
        }))
        .await;
        assert_eq!(answers.iter().sum::<usize>(), 1, "round {round}");
        assert_eq!(kit.claim(10).await.len(), 1, "round {round}");
    }
}

/// While one worker renews a lease and another takes back what ran out, no task has two holders.
pub async fn a_renewal_and_upkeep_that_race_leave_one_holder(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let other = worker(2);
    kit.store.declare(declaration(other, &[(NAME, 1)])).await.unwrap();
    for round in 0..8 {
        let id = kit.submit(kit.task()).await;
        let claimed = kit.claim_one().await;
        kit.advance_in_silence(LEASE);
        let held = vec![Held { id, fence: claimed.fence }];
        let (store, holder) = (kit.store.clone(), kit.worker);
        let renewing = tokio::spawn(async move { store.heartbeat(Heartbeat::new(holder, held, LEASE)).await.unwrap() });
        let reaped = kit.store.reap(10).await.unwrap();
        let lost = renewing.await.unwrap().contains(&Signal::Lost { id, fence: claimed.fence });
        let kept = reaped.recovered == 0;
        let ended = kit.finish(&claimed, AttemptEnd::Success { result: None, ttl: HOUR }).await;
        assert_eq!(kept, ended == Finished::Applied(TaskStatus::Success), "round {round}: {reaped:?}, {ended:?}");
        assert!(!(lost && kept), "round {round}: lost what nobody took");
        if !kept {
            assert_eq!(kit.claim_ids_of(QUEUE, 1).await, [id]);
            kit.control(Control::Cancel { ids: vec![id], reason: String::new() }).await;
            let again = kit.get(id).await;
            let answer = kit.store.finish(vec![Finish::new(id, again.fence, success())]).await.unwrap();
            assert_eq!(answer, [Finished::Applied(TaskStatus::Cancelled)]);
        }
        kit.heartbeat(&[]).await;
    }
}
