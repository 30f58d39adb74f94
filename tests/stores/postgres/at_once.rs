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
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::support::{pool, server};
use crate::sqlite::support::{QUEUE, claim, declare, enqueue, get, succeed, task};

const PATIENCE: Duration = Duration::from_secs(20);

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

/// Waits until so many statements about this schema wait for locks.
async fn wait_for(pool: &PgPool, namespace: &str, wanted: i64) {
    let began = Instant::now();
    // A lock of a key names the schema without a table.
    let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '.%'";
    while sqlx::query_scalar::<_, i64>(text).bind(namespace).fetch_one(pool).await.unwrap() < wanted {
        assert!(began.elapsed() < PATIENCE, "not {wanted} wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How far two submissions come that do the same, while nobody may note figures, which is the last that a submission does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meet {
    /// Both wait in the server.
    InTheServer,
    /// One waits there and holds the key. The other one, over connections of its own, asked for the key meanwhile and did not get
    /// it, so that it waits outside. Or both wait there, which is told by what they are answered.
    AtTheKey,
}

/// Waits until one of the connections of these applications waits for a lock, and another one ended a transaction since.
async fn wait_for_a_try(pool: &PgPool, names: &[String]) {
    let began = Instant::now();
    let text = "WITH all_of AS (SELECT * FROM pg_stat_activity WHERE application_name = ANY($1)), \
                waiting AS (SELECT * FROM all_of WHERE wait_event_type = 'Lock' AND state = 'active') \
                SELECT (SELECT count(*) FROM waiting) > 1 OR EXISTS (SELECT FROM waiting w JOIN all_of o \
                ON o.application_name <> w.application_name AND o.query = 'COMMIT' AND o.query_start > w.query_start)";
    while !sqlx::query_scalar::<_, bool>(text).bind(names).fetch_one(pool).await.unwrap() {
        assert!(began.elapsed() < PATIENCE, "nobody tried in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Two processes over one new schema, whose connections tell by name whose they are.
async fn two_named(namespace: &str) -> ([PostgresStore; 2], [String; 2]) {
    let names = ["one", "two"].map(|it| format!("{namespace}_{it}"));
    let mut stores = Vec::new();
    for name in &names {
        let of_name = PgConnectOptions::clone(&pool().await.connect_options()).application_name(name);
        let options = PostgresStore::options().namespace(namespace).connections(2);
        stores.push(options.over(PgPoolOptions::new().connect_lazy_with(of_name)).await.unwrap());
    }
    (stores.try_into().unwrap(), names)
}

/// Both submit while nobody may note figures.
async fn submit_at_once(
    one: NewTask,
    other: NewTask,
    settings: StoreSettings,
    meet: Meet,
) -> (Vec<Enqueued>, Vec<TaskStatus>) {
    let namespace = server().fresh_namespace();
    let ([first, second], names) = two_named(&namespace).await;
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
    let submits = [(first.clone(), one), (second, other)]
        .map(|(store, task)| tokio::spawn(async move { enqueue(&store, task).await }));
    match meet {
        Meet::InTheServer => wait_for(&pool, &namespace, 2).await,
        Meet::AtTheKey => wait_for_a_try(&pool, &names).await,
    }
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
    let (_, mut statuses) = submit_at_once(of_key(1), of_key(2), StoreSettings::default(), Meet::InTheServer).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [TaskStatus::Pending, TaskStatus::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_in_a_queue_is_taken_once() {
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(1)));
    let (answers, statuses) = submit_at_once(task(1), task(2), settings, Meet::InTheServer).await;
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
    let (answers, statuses) = submit_at_once(unique(1), unique(2), StoreSettings::default(), Meet::AtTheKey).await;
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
    let (answers, statuses) = submit_at_once(said(1), said(2), StoreSettings::default(), Meet::AtTheKey).await;
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
