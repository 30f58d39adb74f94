//! Servers that crash, connections that end or hang: nothing is lost, and the store goes on.

use std::time::{Duration, Instant};

use ddd_core::{PostgresStore, StoreErrorKind, TaskStatus, TaskStore, ports::Enqueued};

use super::{
    proxy::Proxy,
    support::{fresh, options, pool, server},
};
use crate::sqlite::support::{NAME, QUEUE, claim, declare, enqueue, get, succeed, task as new_task};

/// A call over a way that swallows everything fails within its time, and takes no place in the pool with it.
#[tokio::test]
async fn a_swallowed_call_fails_within_its_time() {
    const LIMIT: Duration = Duration::from_millis(400);
    let proxy = Proxy::to(server().url()).await;
    let store = options().connections(1).statement_timeout(LIMIT).listen(false).connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    for number in 0..3 {
        enqueue(&store, new_task(number)).await;
        proxy.swallow(true);
        let began = Instant::now();
        let error = store.enqueue(vec![new_task(100 + number)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(began.elapsed() < 5 * LIMIT, "{:?}", began.elapsed());
        proxy.swallow(false);
        proxy.cut();
        // With the only place in the pool.
        assert!(get(&store, new_task(number).id).await.is_some());
    }
}

/// Waits until nothing passes any more: the connection lies in the pool.
async fn come_to_rest(proxy: &Proxy) {
    let mut passed = 0;
    while std::mem::replace(&mut passed, proxy.passed()) != proxy.passed() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The other end of the only connection loses power: nothing comes back on it any more, not even its end. The call fails within its
/// time, and its place in the pool is free for the next one, over a new connection.
#[tokio::test]
async fn a_connection_that_is_silent_for_ever_takes_no_place_with_it() {
    const LIMIT: Duration = Duration::from_millis(1_500);
    let proxy = Proxy::to(server().url()).await;
    let store = options().connections(1).statement_timeout(LIMIT).listen(false).connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    for number in 0..3 {
        enqueue(&store, new_task(number)).await;
        // Else the call would wait for a connection that never comes back to the pool, and not over one that is silent.
        come_to_rest(&proxy).await;
        proxy.abandon();
        let began = Instant::now();
        let error = store.statistics().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(began.elapsed() < 3 * LIMIT, "{:?}", began.elapsed());
        assert!(get(&store, new_task(number).id).await.is_some());
    }
}

/// A slow way is slow, and one that is too slow fails within the time of a call; then all is as before.
#[tokio::test]
async fn a_way_that_is_too_slow_fails_within_its_time() {
    const LIMIT: Duration = Duration::from_millis(1_500);
    let proxy = Proxy::to(server().url()).await;
    let store = options().connections(1).statement_timeout(LIMIT).listen(false).connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, new_task(1)).await;
    proxy.delay(LIMIT / 75);
    assert_eq!(claim(&store, 1, 1).await.len(), 1, "slow is not gone");
    for number in 2..4 {
        proxy.delay(2 * LIMIT);
        let began = Instant::now();
        let error = store.enqueue(vec![new_task(number)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(began.elapsed() < 3 * LIMIT, "{:?}", began.elapsed());
        proxy.delay(Duration::ZERO);
        // With the only place in the pool.
        assert!(get(&store, new_task(1).id).await.is_some());
    }
}

/// Connections that were cut while nobody used them are replaced without a word.
#[tokio::test]
async fn a_broken_connection_is_replaced() {
    let proxy = Proxy::to(server().url()).await;
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false);
    let store = options.connect(&proxy.url()).await.unwrap();
    let pool = pool().await;
    let text = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || $1 || '.%' AND pid <> pg_backend_pid()";
    // Once the connection lies in the pool, and until the server has seen its end: so the next call surely meets a broken one.
    let cut = async || {
        let began = Instant::now();
        come_to_rest(&proxy).await;
        proxy.cut();
        while sqlx::query_scalar::<_, i64>(text).bind(&namespace).fetch_one(&pool).await.unwrap() > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "the connection lives");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    declare(&store, 1).await;
    for number in 0..20 {
        cut().await;
        enqueue(&store, new_task(number)).await;
        let claimed = claim(&store, 1, 1).await;
        assert_eq!(claimed.len(), 1);
        cut().await;
        succeed(&store, &claimed[0]).await;
        assert_eq!(get(&store, new_task(number).id).await.unwrap().status, TaskStatus::Success);
    }
}

/// A user who drops `begin` half-way leaves an open transaction in the user's pool. No acknowledged task may be lost in it.
#[tokio::test]
async fn a_transaction_that_was_left_open_swallows_no_task() {
    let users = pool().await;
    let namespace = server().fresh_namespace();
    let store = PostgresStore::options().namespace(namespace).over(users.clone()).await.unwrap();
    for number in 0..20 {
        for polls in 1..4 {
            let mut begin = Box::pin(users.begin());
            for _ in 0..polls {
                let waker = std::task::Waker::noop();
                if begin.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(begin);
        }
        enqueue(&store, new_task(number)).await;
    }
    let other = fresh_view(&store).await;
    for number in 0..20 {
        assert!(get(&other, new_task(number).id).await.is_some(), "task {number} was acknowledged");
    }
}

/// The same store over other connections.
async fn fresh_view(store: &PostgresStore) -> PostgresStore {
    let script = store.migrations();
    let namespace = script.split("CREATE SCHEMA IF NOT EXISTS ").nth(1).unwrap().split(';').next().unwrap();
    PostgresStore::options().namespace(namespace).migrate(false).connect(server().url()).await.unwrap()
}

/// Many processes that start together make the tables once.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_start_together_make_the_tables_once() {
    for _ in 0..5 {
        let namespace = server().fresh_namespace();
        let start = |_| {
            let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false);
            tokio::spawn(async move { options.connect(server().url()).await.map(drop) })
        };
        for started in (0..8).map(start).collect::<Vec<_>>() {
            started.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn tables_that_are_missing_or_too_new_are_named() {
    let error = options().migrate(false).connect(server().url()).await.unwrap_err();
    let text = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(text.contains("run the migrations"), "{text}");
    let (_, namespace) = fresh().await;
    let newer = format!("INSERT INTO {namespace}.migration VALUES (7, 1)");
    sqlx::query(sqlx::AssertSqlSafe(newer)).execute(&pool().await).await.unwrap();
    let again = || PostgresStore::options().namespace(&namespace).connect(server().url());
    let store = again().await.unwrap();
    store.migrate().await.unwrap();
    let apart = format!("UPDATE {namespace}.migration SET works_from = 7 WHERE version = 7");
    sqlx::query(sqlx::AssertSqlSafe(apart)).execute(&pool().await).await.unwrap();
    let error = again().await.unwrap_err();
    let text = std::error::Error::source(&error).unwrap().to_string();
    assert!(text.contains("too old"), "{text}");
}

/// A server that lost its last commits has lost names with them, and gives their numbers to others. Who was there before stores
/// nothing under them.
#[tokio::test]
async fn names_that_the_server_has_lost_are_numbered_anew() {
    let proxy = Proxy::to(server().url()).await;
    let (beside, namespace) = fresh().await;
    let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false);
    let store = options.connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, new_task(1)).await;
    let pool = pool().await;
    let lost = format!(
        "TRUNCATE {namespace}.task, {namespace}.tally; \
         UPDATE {namespace}.kind SET name = 'other'; UPDATE {namespace}.queue SET name = 'others'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(lost)).execute(&pool).await.unwrap();
    come_to_rest(&proxy).await;
    proxy.cut();
    assert_eq!(enqueue(&store, new_task(2)).await, Enqueued::Created(TaskStatus::Pending));
    let record = get(&beside, new_task(2).id).await.unwrap();
    assert_eq!((record.name, record.queue), (NAME, QUEUE));
    assert_eq!(claim(&store, 1, 10).await.len(), 1);
}
