//! Guards that only a server with several clients needs: each is taken away here by what somebody else does in the worst moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_core::{
    PostgresStore, TaskStatus, TaskStore,
    domain::{IdempotencyKey, Label, Quota},
    ports::{Enqueued, Finished, Heartbeat, Held, NewTask, QueueSettings, StoreSettings},
};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

use super::support::{pool, server};
use crate::sqlite::support::{LEASE, QUEUE, claim, declare, enqueue, get, succeed, task, worker};

/// Longer than anything here takes that waits for nobody, and shorter than what waits for a lock that is not given back.
const LIMIT: Duration = Duration::from_millis(1_500);

/// A store in a schema of its own whose time can be moved, and the schema's name.
async fn movable() -> (PostgresStore, String, Arc<AtomicI64>) {
    let (namespace, offset) = (server().fresh_namespace(), Arc::new(AtomicI64::new(0)));
    let options = PostgresStore::options().namespace(&namespace).connections(4).time_offset(offset.clone());
    (options.statement_timeout(LIMIT).connect(server().url()).await.unwrap(), namespace, offset)
}

/// Another process over the same schema.
async fn another(namespace: &str) -> PostgresStore {
    let options = PostgresStore::options().namespace(namespace).connections(4).migrate(false);
    options.connect(server().url()).await.unwrap()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap()
}

async fn run(conn: &mut Transaction<'_, Postgres>, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut **conn).await.unwrap();
}

/// Waits until a statement about this schema, or one with this word, waits for a lock.
async fn somebody_waits(pool: &PgPool, word: &str) {
    let began = Instant::now();
    let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%' \
                AND pid <> pg_backend_pid()";
    loop {
        let waiting: i64 = sqlx::query_scalar(text).bind(word).fetch_one(pool).await.unwrap();
        if waiting > 0 {
            return;
        }
        assert!(began.elapsed() < LIMIT, "nobody waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Somebody holds a row, as who looks at it by hand does: claims and heartbeats go on with the others.
#[tokio::test]
async fn a_row_that_somebody_holds_holds_up_no_other() {
    let (store, namespace, _) = movable().await;
    declare(&store, 1).await;
    for number in 0..4 {
        enqueue(&store, task(number)).await;
    }
    let pool = pool().await;
    let mut held = pool.begin().await.unwrap();
    let first = format!("SELECT FROM {namespace}.task WHERE id = '{}' FOR UPDATE", task(0).id);
    run(&mut held, first).await;
    let claimed = claim(&store, 1, 3).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [task(1).id, task(2).id, task(3).id]);
    held.rollback().await.unwrap();
    let mut held = pool.begin().await.unwrap();
    run(&mut held, format!("SELECT FROM {namespace}.task WHERE id = '{}' FOR UPDATE", task(1).id)).await;
    let claims = claimed.iter().map(|it| Held { id: it.id, fence: it.fence }).collect();
    let before = get(&store, task(2).id).await.unwrap().lease_until.unwrap();
    assert!(store.heartbeat(Heartbeat::new(worker(1), claims, LEASE)).await.unwrap().is_empty());
    assert!(get(&store, task(2).id).await.unwrap().lease_until.unwrap() > before, "renewed");
    held.rollback().await.unwrap();
}

/// So does a claim that looks at each task, as one from a limited queue does: who holds the row may be about to take it.
#[tokio::test]
async fn a_row_that_somebody_takes_is_not_taken_by_a_claim_that_counts() {
    let (store, namespace, _) = movable().await;
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().concurrency(10)));
    store.configure(settings).await.unwrap();
    declare(&store, 1).await;
    for number in 0..3 {
        enqueue(&store, task(number)).await;
    }
    let mut held = pool().await.begin().await.unwrap();
    run(&mut held, format!("SELECT FROM {namespace}.task WHERE id = '{}' FOR UPDATE", task(0).id)).await;
    let claimed = claim(&store, 1, 2).await;
    assert!(claimed.iter().all(|it| it.id != task(0).id), "{claimed:?}");
    held.rollback().await.unwrap();
    assert_eq!(claim(&store, 1, 3).await.len(), 3 - claimed.len());
}

/// A worker of an older deployment comes back: what it cannot read stays parked.
#[tokio::test]
async fn a_newer_version_stays_parked_when_an_older_worker_comes() {
    let (store, _, _) = movable().await;
    declare(&store, 1).await;
    let mut newer = task(1);
    newer.version = 2;
    let id = newer.id;
    enqueue(&store, newer).await;
    assert!(claim(&store, 1, 1).await.is_empty());
    assert_eq!(get(&store, id).await.unwrap().status, TaskStatus::Parked);
    declare(&store, 2).await;
    assert_eq!(get(&store, id).await.unwrap().status, TaskStatus::Parked);
}

/// Upkeep found a lease that had run out; before it has the row, the worker renews it.
#[tokio::test]
async fn a_lease_that_is_renewed_in_the_last_moment_holds() {
    let (store, namespace, offset) = movable().await;
    declare(&store, 1).await;
    let mut keyed = task(1);
    let mut label = Label::default();
    (label.concurrency_key, label.concurrency_limit) = (Some("task:k".to_owned()), 1);
    keyed.label = Some(Box::new(label));
    enqueue(&store, keyed).await;
    let claimed = claim(&store, 1, 1).await;
    offset.fetch_add(micros(LEASE) + 1_000_000, Ordering::SeqCst);
    let pool = pool().await;
    let mut held = pool.begin().await.unwrap();
    // Upkeep takes the lock of a key before the rows of its tasks.
    let name = "encode('permits:task:k'::bytea, 'hex')";
    run(&mut held, format!("SELECT pg_advisory_xact_lock(hashtextextended('{namespace}.' || {name}, 0))")).await;
    let reaping = tokio::spawn({
        let store = store.clone();
        async move { store.reap(10).await }
    });
    somebody_waits(&pool, &format!("'{namespace}.'")).await;
    let claims = vec![Held { id: claimed[0].id, fence: claimed[0].fence }];
    assert!(store.heartbeat(Heartbeat::new(worker(1), claims, LEASE)).await.unwrap().is_empty());
    held.rollback().await.unwrap();
    assert_eq!(reaping.await.unwrap().unwrap().recovered, 0);
    assert!(matches!(succeed(&store, &claimed[0]).await, Finished::Applied(TaskStatus::Success)));
}

/// Processes that claim from one limited queue at once count together.
#[tokio::test(flavor = "multi_thread")]
async fn racing_claims_never_overfill_a_limited_queue() {
    let (store, namespace, _) = movable().await;
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().concurrency(3)));
    store.configure(settings).await.unwrap();
    let mut processes = vec![store.clone()];
    for _ in 0..3 {
        processes.push(another(&namespace).await);
    }
    for number in 0..4 {
        declare(&store, number).await;
    }
    for number in 0..40 {
        enqueue(&store, task(number)).await;
    }
    let mut ran = 0;
    while ran < 40 {
        let claims = processes.iter().enumerate().map(|(number, store)| {
            let store = store.clone();
            tokio::spawn(async move { claim(&store, number as u128, 3).await })
        });
        let mut claimed = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            claimed.extend(claim.await.unwrap());
        }
        assert!((1..=3).contains(&claimed.len()), "{} run at once", claimed.len());
        ran += claimed.len();
        for it in &claimed {
            succeed(&store, it).await;
        }
    }
}

/// Processes that submit and end tasks of one key at once never let in more than its limit, and leave nobody waiting.
#[tokio::test(flavor = "multi_thread")]
async fn racing_tasks_of_a_key_never_exceed_its_limit() {
    let (store, namespace, _) = movable().await;
    let other = another(&namespace).await;
    declare(&store, 1).await;
    let of_key = |number| {
        let mut label = Label::default();
        (label.concurrency_key, label.concurrency_limit) = (Some("task:k".to_owned()), 2);
        let mut task = task(number);
        task.label = Some(Box::new(label));
        task
    };
    let (mut ended, mut next) = (0, 0);
    let pool = pool().await;
    while ended < 60 {
        let submits = (0..4).filter(|it| next + it < 60).map(|it| {
            let (store, task) = (if it % 2 == 0 { store.clone() } else { other.clone() }, of_key(next + it));
            tokio::spawn(async move {
                enqueue(&store, task).await;
            })
        });
        let submits = submits.collect::<Vec<_>>();
        next += submits.len() as u64;
        let ends = claim(&store, 1, 10).await.into_iter().map(|it| {
            let store = other.clone();
            tokio::spawn(async move {
                succeed(&store, &it).await;
            })
        });
        let ends = ends.collect::<Vec<_>>();
        ended += ends.len();
        for done in submits.into_iter().chain(ends) {
            done.await.unwrap();
        }
        let text = format!("SELECT count(*) FROM {namespace}.task WHERE status IN (0, 5)");
        let inside: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
        let left = i64::try_from(next).unwrap() - i64::try_from(ended).unwrap();
        assert_eq!(inside, left.min(2), "of {left} that are left");
    }
}

fn said(number: u64) -> NewTask {
    let mut task = task(number);
    task.idempotency = Some(Box::new(IdempotencyKey::new("once")));
    task
}

/// The same said at once to several processes is one task.
#[tokio::test(flavor = "multi_thread")]
async fn racing_submissions_under_one_idempotency_key_make_one_task() {
    let (store, namespace, offset) = movable().await;
    let mut processes = vec![store.clone()];
    for _ in 0..3 {
        processes.push(another(&namespace).await);
    }
    for round in 0..20_u64 {
        let calls = processes.iter().zip(4 * round..).map(|(store, number)| {
            let store = store.clone();
            tokio::spawn(async move { enqueue(&store, said(number)).await })
        });
        let mut created = 0;
        for call in calls.collect::<Vec<_>>() {
            created += u32::from(matches!(call.await.unwrap(), Enqueued::Created(_)));
        }
        assert!(created <= 1, "round {round}: {created} were created");
        let text = format!("DELETE FROM {namespace}.idempotency");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool().await).await.unwrap();
    }
    assert_eq!(store.statistics().await.unwrap().submitted, 20);
    drop(offset);
}

/// Processes that claim from a queue with a rate take no more than it together.
#[tokio::test(flavor = "multi_thread")]
async fn racing_claims_keep_to_a_rate() {
    let (store, namespace, _) = movable().await;
    let mut settings = StoreSettings::default();
    let hour = Duration::from_secs(3_600);
    settings.queues.push((QUEUE, QueueSettings::new().rate_limit(Quota::new(5, hour).unwrap())));
    store.configure(settings).await.unwrap();
    let mut processes = vec![store.clone()];
    for _ in 0..3 {
        processes.push(another(&namespace).await);
    }
    for number in 0..4 {
        declare(&store, number).await;
    }
    for number in 0..40 {
        enqueue(&store, task(number)).await;
    }
    let mut started = 0;
    for _ in 0..5 {
        let claims = processes.iter().enumerate().map(|(number, store)| {
            let store = store.clone();
            tokio::spawn(async move { claim(&store, number as u128, 4).await.len() })
        });
        for claim in claims.collect::<Vec<_>>() {
            started += claim.await.unwrap();
        }
    }
    assert_eq!(started, 5);
}
