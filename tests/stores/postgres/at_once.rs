//! Two processes do the same at once: a lock that the test holds lets both come as far as they can.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use ddd_core::{
    PostgresStore, TaskId, TaskStatus, TaskStore, Transition,
    domain::{IdempotencyKey, Label, Until},
    ports::{Enqueued, NewTask, QueueSettings, Signal, SignalSink, StoreSettings},
};
use parking_lot::Mutex;
use sqlx::{AssertSqlSafe, PgPool};

use super::support::{pool, server};
use crate::sqlite::support::{QUEUE, claim, declare, enqueue, get, succeed, task};

const PATIENCE: Duration = Duration::from_secs(20);
/// Enough for a call.
const MOMENT: Duration = Duration::from_secs(1);

/// Two processes over one new schema, which is named.
async fn two() -> (PostgresStore, PostgresStore, String) {
    let namespace = server().fresh_namespace();
    let options = || PostgresStore::options().namespace(&namespace).connections(2);
    let one = options().connect(server().url()).await.unwrap();
    (one, options().connect(server().url()).await.unwrap(), namespace)
}

fn labelled(number: u64, change: impl FnOnce(&mut Label)) -> NewTask {
    let mut label = Label::default();
    change(&mut label);
    let mut task = task(number);
    task.label = Some(Box::new(label));
    task
}

/// Waits until so many statements about this schema wait for locks, or for so long; whether they came to it.
async fn come_to_wait(pool: &PgPool, namespace: &str, wanted: i64, within: Duration) -> bool {
    let began = Instant::now();
    // A lock of a key names the schema without a table.
    let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '.%'";
    while sqlx::query_scalar::<_, i64>(text).bind(namespace).fetch_one(pool).await.unwrap() < wanted {
        if began.elapsed() > within {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

/// Both submit while nobody may note figures, which is the last that a submission does.
async fn submit_at_once(one: NewTask, other: NewTask, settings: StoreSettings) -> (Vec<Enqueued>, Vec<TaskStatus>) {
    let (first, second, namespace) = two().await;
    first.configure(settings).await.unwrap();
    // Names have numbers by then, and statements are prepared.
    enqueue(&first, task(1_000)).await;
    let claimed = {
        declare(&first, 1).await;
        claim(&first, 1, 1).await
    };
    succeed(&first, &claimed[0]).await;
    let pool = pool().await;
    let mut held = pool.begin().await.unwrap();
    let lock = format!("LOCK TABLE {namespace}.tally IN SHARE MODE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    let ids = [one.id, other.id];
    let submit = |store: PostgresStore, task| tokio::spawn(async move { enqueue(&store, task).await });
    let mut submits = vec![submit(first.clone(), one)];
    assert!(come_to_wait(&pool, &namespace, 1, PATIENCE).await, "the first does not come to it");
    submits.push(submit(second, other));
    // The second waits for the same, or for the first; or it asks for the key again and again, which nobody sees.
    come_to_wait(&pool, &namespace, 2, MOMENT).await;
    held.rollback().await.unwrap();
    let mut answers = Vec::new();
    for submit in submits {
        answers.push(submit.await.unwrap());
    }
    let records = first.get(ids.to_vec()).await.unwrap();
    (answers, records.into_iter().flatten().map(|it| it.status).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_permit_is_taken_once() {
    let of_key =
        |number| labelled(number, |it| (it.concurrency_key, it.concurrency_limit) = (Some("task:k".to_owned()), 1));
    let (_, mut statuses) = submit_at_once(of_key(1), of_key(2), StoreSettings::default()).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [TaskStatus::Pending, TaskStatus::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_in_a_queue_is_taken_once() {
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(1)));
    let (answers, statuses) = submit_at_once(task(1), task(2), settings).await;
    assert_eq!(statuses, [TaskStatus::Pending], "{answers:?}");
    assert!(answers.iter().any(|it| matches!(it, Enqueued::Full { .. })), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unique_key_is_given_once() {
    let unique = |number| {
        let mut task = labelled(number, |it| it.unique_key = Some("task:a".to_owned()));
        task.unique_until = Some(Until::Finished);
        task
    };
    let (answers, statuses) = submit_at_once(unique(1), unique(2), StoreSettings::default()).await;
    assert_eq!(statuses, [TaskStatus::Pending], "{answers:?}");
    assert!(answers.iter().any(|it| matches!(it, Enqueued::Duplicate(_))), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_twice_is_done_once() {
    let said = |number| {
        let mut task = task(number);
        task.idempotency = Some(Box::new(IdempotencyKey::new("once")));
        task
    };
    let (answers, statuses) = submit_at_once(said(1), said(2), StoreSettings::default()).await;
    assert_eq!(statuses, [TaskStatus::Pending], "{answers:?}");
    assert!(answers.iter().any(|it| matches!(it, Enqueued::Replayed { .. })), "{answers:?}");
}

/// Whoever waits for a permit that nobody holds any more is let in by upkeep.
#[tokio::test]
async fn who_was_forgotten_is_let_in() {
    let (store, _, namespace) = two().await;
    declare(&store, 1).await;
    let of_key = labelled(1, |it| (it.concurrency_key, it.concurrency_limit) = (Some("task:k".to_owned()), 1));
    let id = of_key.id;
    enqueue(&store, of_key).await;
    let text = format!("UPDATE {namespace}.task SET status = 3, permit = false");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool().await).await.unwrap();
    assert!(claim(&store, 1, 1).await.is_empty());
    store.reap(10).await.unwrap();
    assert_eq!(get(&store, id).await.unwrap().status, TaskStatus::Pending);
}

#[derive(Default)]
struct Heard(Mutex<HashMap<TaskId, Vec<TaskStatus>>>);

impl SignalSink for Heard {
    fn record(&self, transition: &Transition) -> bool {
        self.0.lock().entry(transition.id).or_default().push(transition.to);
        true
    }

    fn signal(&self, _: Signal) {}
}

/// A process that submits, claims and ends at once hears of each task in order, whatever calls overtake each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_told_is_told_in_order() {
    const ALL: u64 = 600;
    let (store, _, _) = two().await;
    let heard = Arc::new(Heard::default());
    store.attach(Arc::downgrade(&heard) as Weak<dyn SignalSink>);
    declare(&store, 1).await;
    let submitting = tokio::spawn({
        let store = store.clone();
        async move {
            for from in (0..ALL).step_by(3) {
                store.enqueue((from..from + 3).map(task).collect()).await.unwrap();
            }
        }
    });
    let mut ended = 0;
    let mut ends = Vec::new();
    while ended < ALL {
        for it in claim(&store, 1, 20).await {
            ended += 1;
            let store = store.clone();
            ends.push(tokio::spawn(async move {
                succeed(&store, &it).await;
            }));
        }
    }
    submitting.await.unwrap();
    for end in ends {
        end.await.unwrap();
    }
    let heard = heard.0.lock();
    let own = (0..ALL).map(|it| heard.get(&task(it).id).cloned().unwrap_or_default()).collect::<Vec<_>>();
    let in_order = [TaskStatus::Pending, TaskStatus::Running, TaskStatus::Success];
    assert!(own.iter().all(|it| *it == in_order), "{:?}", own.iter().find(|it| **it != in_order));
}
