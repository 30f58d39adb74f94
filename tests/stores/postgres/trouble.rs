//! Servers that crash, connections that end or hang: nothing is lost, and the store goes on.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{App, PostgresStore, Settings, StoreErrorKind, TaskStatus, TaskStore, task};
use sqlx::PgPool;

use super::{
    proxy::Proxy,
    support::{fresh, options, pool, server},
};
use crate::sqlite::support::{claim, declare, enqueue, get, succeed, task as new_task};

static RAN: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());

#[task("postgres_trouble")]
async fn note(number: u32) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    *RAN.lock().unwrap().entry(number).or_default() += 1;
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.slots = 16;
    settings.lease = Duration::from_secs(3);
    settings.heartbeat = Duration::from_millis(500);
    settings.store_timeout = Duration::from_secs(5);
    settings.poll_interval = Duration::from_millis(200);
    settings
}

fn is_nightly() -> bool {
    std::env::var_os("DDD_NIGHTLY").is_some()
}

/// Tasks are submitted and run while the server crashes and connections are cut again and again.
#[tokio::test(flavor = "multi_thread")]
async fn crashes_and_cuts_lose_nothing() {
    let (tasks, cuts, crashes) = if is_nightly() { (5_000_u32, 100, 8) } else { (600, 12, 2) };
    let server = PostgresServer::start(true).unwrap_or_else(|it| panic!("{it}"));
    let proxy = Proxy::to(server.url()).await;
    let store = PostgresStore::options().connections(4).connect(&proxy.url()).await.unwrap();
    let app = App::builder().settings(settings()).store(store.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    let submitter = app.clone();
    let submitting = tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        for from in (0..tasks).step_by(20) {
            let numbers = from..(from + 20).min(tasks);
            loop {
                match submitter.submit_many(numbers.clone().map(|number| note { number })).await {
                    Ok(answers) => break acknowledged.extend(answers.into_iter().map(|it| it.unwrap().id())),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        acknowledged
    });
    let mut crashed_at = Instant::now();
    for number in 0..cuts {
        tokio::time::sleep(Duration::from_millis(60)).await;
        proxy.cut();
        if number % (cuts / crashes) == cuts / crashes - 1 {
            let own = &server;
            tokio::task::block_in_place(|| own.crash_and_restart()).unwrap();
            crashed_at = Instant::now();
        }
    }
    let acknowledged = submitting.await.unwrap();
    while resumed(&app).await.is_none() {
        assert!(crashed_at.elapsed() < Duration::from_secs(60), "the store does not come back");
    }
    println!("answers again {:?} after the last crash", crashed_at.elapsed());
    let began = Instant::now();
    loop {
        let now = app.tasks().statistics().await.unwrap().now;
        if now.queued() + now.get(TaskStatus::Running) == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not all has ended: {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let records = store.get(acknowledged.clone()).await.unwrap();
    for (id, record) in acknowledged.iter().zip(&records) {
        let record = record.as_ref().unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
        assert_eq!(record.status, TaskStatus::Success, "{record:?}");
    }
    let ran = RAN.lock().unwrap().clone();
    assert!((0..tasks).all(|it| ran.contains_key(&it)), "every task ran");
    assert!(app.workers_alive().await, "the worker lives");
    nothing_is_left_open(server.url()).await;
    app.shutdown(Duration::from_secs(5)).await;
}

trait Alive {
    async fn workers_alive(&self) -> bool;
}

impl Alive for App {
    async fn workers_alive(&self) -> bool {
        !self.tasks().workers().await.unwrap().is_empty()
    }
}

async fn resumed(app: &App) -> Option<()> {
    app.tasks().queues().await.ok().map(drop)
}

/// No connection stands in the middle of a transaction.
async fn nothing_is_left_open(url: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let began = Instant::now();
    loop {
        let text = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                    AND state_change < now() - interval '1 second'";
        let open: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        if open == 0 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{open} transactions stand open");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

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

/// Connections that the server has ended are replaced without a word.
#[tokio::test]
async fn a_broken_connection_is_replaced() {
    let proxy = Proxy::to(server().url()).await;
    let store = options().connections(1).listen(false).connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    for number in 0..20 {
        proxy.cut();
        enqueue(&store, new_task(number)).await;
        let claimed = claim(&store, 1, 1).await;
        assert_eq!(claimed.len(), 1);
        proxy.cut();
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
