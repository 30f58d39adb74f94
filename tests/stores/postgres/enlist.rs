//! Submission inside the user's own transaction.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_core::{
    Enlist, TaskId, TaskStatus, TaskStore, Transition,
    domain::{IdempotencyKey, Label, Until},
    ports::{Enqueued, NewTask, QueueSettings, Signal, SignalSink, StoreSettings},
};
use sqlx::AssertSqlSafe;

use super::support::{fresh, pool};
use crate::sqlite::support::{QUEUE, claim, declare, enqueue, get, succeed, task};

const PATIENCE: Duration = Duration::from_secs(60);

fn labelled(number: u64, change: impl FnOnce(&mut Label)) -> NewTask {
    let mut label = Label::default();
    change(&mut label);
    let mut task = task(number);
    task.label = Some(Box::new(label));
    task
}

fn unique(number: u64) -> NewTask {
    let mut task = labelled(number, |it| it.unique_key = Some("task:a".to_owned()));
    task.unique_until = Some(Until::Finished);
    task
}

#[tokio::test]
async fn a_task_exists_if_and_only_if_its_transaction_commits() {
    let (store, _) = fresh().await;
    declare(&store, 1).await;
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let answers = store.on(&mut tx).enlist(vec![task(0), task(1)]).await.unwrap();
    assert_eq!(answers, [Enqueued::Created(TaskStatus::Pending), Enqueued::Created(TaskStatus::Pending)]);
    assert!(get(&store, task(0).id).await.is_none(), "nothing is seen before the commit");
    drop(tx);
    assert!(get(&store, task(0).id).await.is_none(), "dropped is rolled back");
    let mut tx = pool.begin().await.unwrap();
    store.on(&mut tx).enlist(vec![task(2)]).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = claim(&store, 1, 10).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [task(2).id]);
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.submitted, statistics.now.total()), (1, 1), "what was rolled back is not counted");
}

#[tokio::test]
async fn what_stands_against_a_task_is_seen_in_the_transaction() {
    let (store, _) = fresh().await;
    declare(&store, 1).await;
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(3)));
    store.configure(settings).await.unwrap();
    let holder = unique(0).id;
    enqueue(&store, unique(0)).await;
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let mut said = task(2);
    said.idempotency = Some(Box::new(IdempotencyKey::new("once")));
    let mut again = task(3);
    again.idempotency = Some(Box::new(IdempotencyKey::new("once")));
    let tasks = vec![unique(1), said.clone(), again, task(0), task(4), task(5)];
    let answers = store.on(&mut tx).enlist(tasks).await.unwrap();
    assert_eq!(answers[0], Enqueued::Duplicate(holder));
    assert_eq!(answers[2], Enqueued::Replayed { id: said.id, status: TaskStatus::Pending });
    assert_eq!(answers[3], Enqueued::AlreadyCreated);
    assert!(matches!(answers[5], Enqueued::Full { .. }), "{answers:?}");
    tx.commit().await.unwrap();
    assert_eq!(store.statistics().await.unwrap().now.total(), 3);
}

/// A key's permit is taken by the store: a user's transaction that takes its time holds up nobody.
#[tokio::test]
async fn an_open_transaction_holds_up_no_other_task_of_the_key() {
    let (store, _) = fresh().await;
    declare(&store, 1).await;
    let of_key =
        |number| labelled(number, |it| (it.concurrency_key, it.concurrency_limit) = (Some("task:k".to_owned()), 1));
    enqueue(&store, of_key(0)).await;
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    store.on(&mut tx).enlist(vec![of_key(1), of_key(2)]).await.unwrap();
    let first = claim(&store, 1, 10).await;
    succeed(&store, &first[0]).await;
    enqueue(&store, of_key(3)).await;
    let second = claim(&store, 1, 10).await;
    assert_eq!(second.iter().map(|it| it.id).collect::<Vec<_>>(), [of_key(3).id]);
    tx.commit().await.unwrap();
    assert!(claim(&store, 1, 10).await.is_empty(), "one at a time");
    succeed(&store, &second[0]).await;
    let third = claim(&store, 1, 10).await;
    assert_eq!(third.iter().map(|it| it.id).collect::<Vec<_>>(), [of_key(1).id]);
}

/// Without a transaction each call is one of its own: of many at once, one gets the unique key.
#[tokio::test(flavor = "multi_thread")]
async fn outside_of_a_transaction_a_key_is_given_once() {
    let (store, namespace) = fresh().await;
    let pool = pool().await;
    for round in 0..20 {
        let submit = |number| {
            let (store, pool) = (store.clone(), pool.clone());
            tokio::spawn(async move {
                let mut conn = pool.acquire().await.unwrap();
                store.on(&mut conn).enlist(vec![unique(number)]).await.unwrap().remove(0)
            })
        };
        let mut created = 0;
        for submitted in (10 * round..10 * round + 4).map(submit).collect::<Vec<_>>() {
            created += u32::from(matches!(submitted.await.unwrap(), Enqueued::Created(_)));
        }
        assert_eq!(created, 1, "round {round}");
        let text = format!("DELETE FROM {namespace}.task; DELETE FROM {namespace}.unique_key");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    }
}

/// What wakes workers is a hint: more queues than a notice can name do not undo the transaction.
#[tokio::test]
async fn a_transaction_may_fill_very_many_queues() {
    let (store, _) = fresh().await;
    let tasks = (0..300).map(|number| {
        let mut task = task(number);
        task.queue = format!("queue-with-a-very-long-name-so-that-all-fill-a-notice-{number}").into();
        task
    });
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    store.on(&mut tx).enlist(tasks.collect()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.statistics().await.unwrap().submitted, 300);
}

#[derive(Default)]
struct Woken(AtomicBool);

impl SignalSink for Woken {
    fn record(&self, _: &Transition) -> bool {
        false
    }

    fn signal(&self, signal: Signal) {
        self.0.fetch_or(matches!(signal, Signal::Ready { .. }), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_commit_wakes_and_nothing_before_it() {
    let (store, _) = fresh().await;
    let woken = Arc::new(Woken::default());
    store.attach(Arc::downgrade(&woken) as Weak<dyn SignalSink>);
    let pool = pool().await;
    // Listening begins in the background: who asks until it is heard knows that it does.
    let began = Instant::now();
    let mut number = 0;
    while !woken.0.swap(false, Ordering::SeqCst) {
        let mut tx = pool.begin().await.unwrap();
        store.on(&mut tx).enlist(vec![task(number)]).await.unwrap();
        number += 1;
        tx.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < PATIENCE, "nobody hears of commits");
    }
    let mut tx = pool.begin().await.unwrap();
    store.on(&mut tx).enlist(vec![task(1_000)]).await.unwrap();
    sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
    woken.0.store(false, Ordering::SeqCst);
    tx.commit().await.unwrap();
    let committed = Instant::now();
    while !woken.0.load(Ordering::SeqCst) {
        assert!(committed.elapsed() < PATIENCE, "the commit wakes nobody");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Of a thousand transactions, each with a row of the user's and a task, exactly those that commit have a task that runs, and no
/// task runs before its row is seen.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_transactions_exactly_the_committed_have_tasks() {
    const ALL: u64 = 1_000;
    let (store, namespace) = fresh().await;
    declare(&store, 1).await;
    let pool = pool().await;
    let orders = format!("{namespace}.orders");
    sqlx::query(AssertSqlSafe(format!("CREATE TABLE {orders} (id UUID PRIMARY KEY)"))).execute(&pool).await.unwrap();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let open = Arc::new(AtomicUsize::new(4));
    let writers = (0..4_u64).map(|writer| {
        let (store, pool, orders, open) = (store.clone(), pool.clone(), orders.clone(), open.clone());
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed ^ writer);
            let mut committed = BTreeSet::new();
            for number in (0..ALL).filter(|it| it % 4 == writer) {
                let task = task(number);
                let mut tx = pool.begin().await.unwrap();
                store.on(&mut tx).enlist(vec![task.clone()]).await.unwrap();
                let insert = sqlx::query(AssertSqlSafe(format!("INSERT INTO {orders} VALUES ($1)")));
                insert.bind(task.id.as_uuid()).execute(&mut *tx).await.unwrap();
                if random.bool() {
                    tx.commit().await.unwrap();
                    committed.insert(task.id);
                } else {
                    tx.rollback().await.unwrap();
                }
            }
            open.fetch_sub(1, Ordering::SeqCst);
            committed
        })
    });
    let writers = writers.collect::<Vec<_>>();
    let mut ran = BTreeSet::<TaskId>::new();
    loop {
        let is_last = open.load(Ordering::SeqCst) == 0;
        let claimed = claim(&store, 1, 50).await;
        for it in &claimed {
            let find = sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS (SELECT FROM {orders} WHERE id = $1)")));
            let is_seen: bool = find.bind(it.id.as_uuid()).fetch_one(&pool).await.unwrap();
            assert!(is_seen, "{} runs before its commit is seen", it.id);
            succeed(&store, it).await;
            assert!(ran.insert(it.id), "{} ran twice", it.id);
        }
        if is_last && claimed.is_empty() {
            break;
        }
    }
    let mut committed = BTreeSet::new();
    for writer in writers {
        committed.extend(writer.await.unwrap());
    }
    assert_eq!(ran, committed);
    assert!(committed.len() > 400 && committed.len() < 600, "{} were committed", committed.len());
}
