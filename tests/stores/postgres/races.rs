//! What others do in the same moment, brought about by hand: locks that a test holds, rows that it moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_core::{
    Filter, PostgresStore, StoreErrorKind, TaskStatus, TaskStore, Timestamp,
    domain::{Label, Progress},
    ports::{
        AttemptEnd, ClaimRequest, Control, Due, Enqueued, Finish, Finished, Heartbeat, Held, NewTask, ProgressReport,
    },
};
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    proxy::Proxy,
    support::{fresh, fresh_task, pool, server},
};
use crate::sqlite::support::{LEASE, QUEUE, claim, declare, enqueue, get, succeed, task, worker};

const LIMIT: Duration = Duration::from_millis(400);

async fn run(pool: &PgPool, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.unwrap();
}

/// Whether so many statements about this schema wait for locks, sooner or later.
async fn come_to_wait(pool: &PgPool, namespace: &str, wanted: i64) -> bool {
    let began = Instant::now();
    let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    while began.elapsed() < 20 * LIMIT {
        let waiting: i64 = sqlx::query_scalar(text).bind(format!("{namespace}.")).fetch_one(pool).await.unwrap();
        if waiting == wanted {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

fn of_key(number: u64, limit: u32) -> NewTask {
    let mut label = Label::default();
    (label.concurrency_key, label.concurrency_limit) = (Some("task:k".to_owned()), limit);
    let mut task = task(number);
    task.label = Some(Box::new(label));
    task
}

/// A worker declares itself while another process decides that nobody knows a task: the task is parked after the look for those
/// that are.
#[tokio::test]
async fn what_is_parked_while_its_worker_comes_is_found_by_upkeep() {
    let (store, namespace) = fresh().await;
    declare(&store, 1).await;
    enqueue(&store, task(1)).await;
    run(&pool().await, format!("UPDATE {namespace}.task SET status = 4")).await;
    assert!(claim(&store, 1, 1).await.is_empty());
    store.reap(10).await.unwrap();
    assert_eq!(claim(&store, 1, 1).await.len(), 1);
}

/// The answer to a submission is lost, and the store submits again while the task ends.
#[tokio::test]
async fn a_task_that_ends_while_it_is_submitted_again_does_not_run_again() {
    let proxy = Proxy::to(server().url()).await;
    let namespace = server().fresh_namespace();
    // What is submitted is one statement, which commits by itself although nobody hears its answer.
    let options = || PostgresStore::options().namespace(&namespace).connections(1);
    let (far, near) =
        (options().connect(&proxy.url()).await.unwrap(), options().connect(server().url()).await.unwrap());
    declare(&near, 1).await;
    // The statement is prepared from here on.
    enqueue(&far, fresh_task()).await;
    assert_eq!(claim(&near, 1, 1).await.len(), 1);
    let pool = pool().await;
    let mut held = pool.begin().await.unwrap();
    let lock = format!("LOCK TABLE {namespace}.tally IN SHARE MODE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    let mut new = fresh_task();
    // By the same statement: one that is due at once may take another.
    new.due = Due::At(Timestamp::from_micros(1));
    let id = new.id;
    let submitted = tokio::spawn(async move { enqueue(&far, new).await });
    assert!(come_to_wait(&pool, &namespace, 1).await);
    proxy.swallow(true);
    held.rollback().await.unwrap();
    while get(&near, id).await.is_none() {
        tokio::task::yield_now().await;
    }
    let mut end = pool.begin().await.unwrap();
    let text = format!(
        "WITH gone AS (DELETE FROM {namespace}.task WHERE status = 0 RETURNING *) \
         INSERT INTO {namespace}.history SELECT * FROM gone"
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *end).await.unwrap();
    proxy.swallow(false);
    proxy.cut();
    let answer = tokio::time::timeout(5 * LIMIT, submitted).await.unwrap();
    assert_eq!(answer.unwrap(), Enqueued::AlreadyCreated);
    end.commit().await.unwrap();
    assert!(claim(&near, 1, 1).await.is_empty());
}

/// A submission is repeated while its task ends: after the look for it, and before it is stored again.
#[tokio::test]
async fn a_task_that_ends_between_the_look_and_the_insertion_does_not_run_again() {
    let (store, namespace) = fresh().await;
    declare(&store, 1).await;
    let new = fresh_task();
    let (id, pool) = (new.id, pool().await);
    enqueue(&store, new.clone()).await;
    // The look finds nothing: all of it is somewhere else, for those who do not see what is not committed yet.
    let text =
        format!("CREATE TABLE {namespace}.aside AS SELECT * FROM {namespace}.task; DELETE FROM {namespace}.task");
    run(&pool, text).await;
    let mut end = pool.begin().await.unwrap();
    let text = format!(
        "INSERT INTO {namespace}.task SELECT * FROM {namespace}.aside; \
         INSERT INTO {namespace}.history SELECT * FROM {namespace}.task; DELETE FROM {namespace}.task"
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *end).await.unwrap();
    let again = tokio::spawn({
        let store = store.clone();
        async move { enqueue(&store, new).await }
    });
    assert!(come_to_wait(&pool, &namespace, 1).await, "the insertion waits for the row that was there");
    end.commit().await.unwrap();
    assert_eq!(again.await.unwrap(), Enqueued::AlreadyCreated);
    assert_eq!(get(&store, id).await.unwrap().status, TaskStatus::Pending, "as it stands in the history");
    assert!(claim(&store, 1, 1).await.is_empty());
}

/// If a task did run twice, its second end takes no other with it.
#[tokio::test]
async fn a_second_end_does_not_hold_up_the_ends_beside_it() {
    let (store, namespace) = fresh().await;
    declare(&store, 1).await;
    for number in 0..4 {
        enqueue(&store, task(number)).await;
    }
    let claimed = claim(&store, 1, 4).await;
    let text = format!("INSERT INTO {namespace}.history SELECT * FROM {namespace}.task ORDER BY id LIMIT 3");
    run(&pool().await, text).await;
    let ends = claimed.iter().enumerate().map(|(place, it)| {
        let success = AttemptEnd::Success { result: None, ttl: LEASE };
        let failure = AttemptEnd::Failed(ddd_core::AttemptError::new(ddd_core::FailureKind::Error, "no".to_owned()));
        Finish::new(it.id, it.fence, if place == 1 { failure } else { success })
    });
    let finished = store.finish(ends.collect()).await.unwrap();
    assert!(finished.iter().all(|it| matches!(it, Finished::Applied(_))), "{finished:?}");
    assert_eq!(get(&store, task(3).id).await.unwrap().status, TaskStatus::Success);
}

/// A machine loses power in the middle of a transaction: the server hears of it much later.
#[tokio::test]
async fn a_machine_that_vanishes_leaves_no_locks() {
    let proxy = Proxy::to(server().url()).await;
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false).statement_timeout(LIMIT);
    let store = options.connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, task(1)).await;
    let claimed = claim(&store, 1, 1).await;
    let pool = pool().await;
    let lock = format!("SELECT FROM {namespace}.task FOR UPDATE");
    let mut held = pool.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(lock.clone())).execute(&mut *held).await.unwrap();
    let report = ProgressReport::new(claimed[0].id, claimed[0].fence, Progress::new(0.5, String::new()));
    let call = tokio::spawn(async move { store.progress(vec![report]).await });
    assert!(come_to_wait(&pool, &namespace, 1).await);
    proxy.swallow(true);
    // Now the vanished one gets the lock.
    held.rollback().await.unwrap();
    assert!(call.await.unwrap().is_err());
    let mut next = pool.begin().await.unwrap();
    let lock = format!("SET LOCAL lock_timeout = {}; {lock}", 10 * LIMIT.as_millis());
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *next).await.unwrap();
}

/// A call that was given up ends at the server, too: by a limit of the connection; by one of each statement, where a pooler may stand
/// between; or by one of the role.
#[tokio::test]
async fn a_call_that_was_given_up_does_not_go_on_at_the_server() {
    let pool = pool().await;
    let role = format!("limited_{}", server().fresh_namespace());
    let text =
        format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'x'; ALTER ROLE {role} SET statement_timeout = 300");
    run(&pool, text).await;
    let own = PgConnectOptions::clone(&pool.connect_options());
    let of_role = own.clone().username(&role).password("x");
    for (way, listens, options) in [("own", true, own.clone()), ("each", false, own), ("role", false, of_role)] {
        let namespace = server().fresh_namespace();
        let store = PostgresStore::options().namespace(&namespace).connections(1).statement_timeout(LIMIT);
        let users = PgPoolOptions::new().connect_lazy_with(options);
        let store = store.listen(listens).over(users).await.unwrap();
        declare(&store, 1).await;
        enqueue(&store, task(1)).await;
        enqueue(&store, task(2)).await;
        let claimed = claim(&store, 1, 1).await;
        // Figures are appended by all that changes anything, and read by what counts.
        let mut held = pool.begin().await.unwrap();
        let lock = format!("LOCK TABLE {namespace}.tally, {namespace}.history IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
        let end = AttemptEnd::Success { result: None, ttl: LEASE };
        let error = store.finish(vec![Finish::new(claimed[0].id, claimed[0].fence, end)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(store.enqueue(vec![task(3)]).await.is_err());
        let request = ClaimRequest::new(worker(1), [(QUEUE, 1)].into(), 1, LEASE, true);
        assert!(store.claim(request).await.is_err());
        assert!(store.get(vec![task(1).id]).await.is_err());
        assert!(store.list(Filter::all(), None, 10).await.is_err());
        assert!(store.positions(vec![task(1).id], 10).await.is_err());
        assert!(come_to_wait(&pool, &namespace, 0).await, "nobody waits any more: {way}");
        held.rollback().await.unwrap();
        // With the only connection, which stands in no transaction.
        assert!(matches!(succeed(&store, &claimed[0]).await, Finished::Applied(_)));
        enqueue(&store, task(3)).await;
        assert_eq!(claim(&store, 1, 10).await.len(), 2);
    }
}

/// Adding up figures may take its time; what upkeep did before it stays done.
#[tokio::test]
async fn upkeep_that_cannot_add_up_has_pruned() {
    let (namespace, offset) = (server().fresh_namespace(), Arc::new(AtomicI64::new(0)));
    let options = PostgresStore::options().namespace(&namespace).connections(1).statement_timeout(50 * LIMIT);
    let store = options.time_offset(offset.clone()).connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, task(1)).await;
    let claimed = claim(&store, 1, 1).await;
    succeed(&store, &claimed[0]).await;
    offset.fetch_add(400 * 24 * 3_600 * 1_000_000, Ordering::SeqCst);
    let pool = pool().await;
    let many = format!(
        "INSERT INTO {namespace}.tally (queue, kind, priority, was, becomes, second, n) \
         SELECT 1, 1, 0, -1, 0, 0, 0 FROM generate_series(1, 120000)"
    );
    run(&pool, many).await;
    let mut held = pool.begin().await.unwrap();
    let lock = format!("SELECT FROM {namespace}.tally FOR UPDATE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    let upkeep = tokio::spawn({
        let store = store.clone();
        async move { store.reap(10).await }
    });
    assert!(come_to_wait(&pool, &namespace, 1).await);
    // What the server does by itself when the time of a statement is over.
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    sqlx::query(cancel).bind(format!("{namespace}.")).execute(&pool).await.unwrap();
    let error = upkeep.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(get(&store, task(1).id).await.is_none(), "pruned");
    held.rollback().await.unwrap();
    let before = store.statistics().await.unwrap();
    let mut calls = 1;
    while store.reap(10).await.unwrap().more {
        calls += 1;
    }
    assert!((2..10).contains(&calls), "in pieces: {calls}");
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {namespace}.tally")))
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(left < 500, "{left} figures are left");
    assert_eq!(store.statistics().await.unwrap().submitted, before.submitted);
}

/// One upkeep makes a task of a key due and takes back another one of it, whose permit is free then: who waited gets it.
#[tokio::test]
async fn a_permit_that_upkeep_frees_goes_to_who_waited() {
    let (namespace, offset) = (server().fresh_namespace(), Arc::new(AtomicI64::new(0)));
    let options = PostgresStore::options().namespace(&namespace).connections(1).time_offset(offset.clone());
    let store = options.connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    for number in 0..3 {
        enqueue(&store, of_key(number, 2)).await;
    }
    let mut later = of_key(3, 2);
    later.due = Due::In(LEASE / 2);
    enqueue(&store, later).await;
    let claimed = claim(&store, 1, 4).await;
    assert_eq!(claimed.len(), 2);
    let cancel = Control::Cancel { ids: vec![claimed[0].id], reason: "no more".into() };
    store.control(cancel).await.unwrap();
    offset.fetch_add(i64::try_from(LEASE.as_micros()).unwrap() - 1_000_000, Ordering::SeqCst);
    let held = vec![Held { id: claimed[1].id, fence: claimed[1].fence }];
    store.heartbeat(Heartbeat::new(worker(1), held, LEASE)).await.unwrap();
    offset.fetch_add(2_000_000, Ordering::SeqCst);
    store.reap(10).await.unwrap();
    assert_eq!(get(&store, claimed[0].id).await.unwrap().status, TaskStatus::Cancelled);
    assert_eq!(get(&store, of_key(2, 2).id).await.unwrap().status, TaskStatus::Pending, "it has the permit");
}
