//! Programs of two versions over one schema: what a later one adds to the tables disturbs none of before, and what it takes away
//! stops them with a word.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_core::{
    App, PostgresStore, Settings, StoreErrorKind, Task, TaskError, TaskStatus, TaskStore, task,
    testing::conformance::StoreUnderTest,
};
use sqlx::{AssertSqlSafe, PgPool};

use super::support::{pool, server};
use crate::sqlite::support::{claim, declare, enqueue, task as new_task};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a program of the next version may do to the tables: every table gets columns, at their end and with a default or empty;
/// there are more indexes and more tables. One step, in one transaction, as the store makes its own.
async fn bring_to_next_version(pool: &PgPool, namespace: &str) {
    let text = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1";
    let tables: Vec<String> = sqlx::query_scalar(text).bind(namespace).fetch_all(pool).await.unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    let mut step = String::from("BEGIN; SET LOCAL lock_timeout = 2000;");
    for table in tables {
        step += &format!(
            "ALTER TABLE {namespace}.{table} ADD COLUMN since INTEGER NOT NULL DEFAULT 7, ADD COLUMN region TEXT, \
             ADD COLUMN notes TEXT[] NOT NULL DEFAULT '{{}}';"
        );
    }
    step += &format!(
        "CREATE INDEX task_region ON {namespace}.task (region, rank) WHERE status = 0;\
         CREATE INDEX history_region ON {namespace}.history (region, finished_at);\
         CREATE TABLE {namespace}.region (name TEXT PRIMARY KEY, task UUID);\
         INSERT INTO {namespace}.migration (version, works_from) SELECT max(version) + 1, 1 FROM {namespace}.migration; COMMIT"
    );
    take(pool, step).await;
}

/// Executes a step. Who works goes first, as with the store's own steps.
async fn take(pool: &PgPool, step: String) {
    let began = Instant::now();
    loop {
        let mut conn = pool.acquire().await.unwrap();
        match sqlx::raw_sql(AssertSqlSafe(step.clone())).execute(&mut *conn).await {
            Ok(_) => return,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A store that has made its tables, used them, and then found them of a later version.
pub(crate) async fn on_tables_of_a_later_version() -> StoreUnderTest {
    let (namespace, offset) = (server().fresh_namespace(), Arc::new(AtomicI64::new(0)));
    let options = PostgresStore::options().namespace(&namespace).time_offset(offset.clone()).connections(3);
    let store = options.connect(server().url()).await.unwrap();
    store.statistics().await.unwrap();
    bring_to_next_version(&pool().await, &namespace).await;
    StoreUnderTest::new(Arc::new(store), move |duration: Duration| {
        offset.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
    })
}

/// Makes the tables as programs of version 1 did, by hand, from the beginning of what a store prints.
pub(super) async fn make_tables_of_version_1(namespace: &str) {
    let store = PostgresStore::options().namespace(namespace).listen(false).connect(server().url()).await.unwrap();
    let printed = store.migrations();
    let pool = pool().await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP SCHEMA {namespace} CASCADE"))).execute(&pool).await.unwrap();
    let noted = "VALUES (1, 1);";
    let first = printed.split_inclusive(noted).next().filter(|it| it.ends_with(noted)).unwrap().to_owned();
    sqlx::raw_sql(AssertSqlSafe(first + "COMMIT;")).execute(&pool).await.unwrap();
    assert_eq!(version(&pool, namespace).await, 1);
}

pub(super) async fn version(pool: &PgPool, namespace: &str) -> i32 {
    let text = format!("SELECT max(version) FROM {namespace}.migration");
    sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(pool).await.unwrap()
}

/// A store of today over tables of version 1, which nobody has brought further.
pub(crate) async fn on_tables_of_version_1() -> StoreUnderTest {
    let (namespace, offset) = (server().fresh_namespace(), Arc::new(AtomicI64::new(0)));
    make_tables_of_version_1(&namespace).await;
    let options = PostgresStore::options().namespace(&namespace).time_offset(offset.clone()).connections(3);
    let store = options.migrate(false).connect(server().url()).await.unwrap();
    StoreUnderTest::new(Arc::new(store), move |duration: Duration| {
        offset.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
    })
}

/// What stands in the catalogue about a namespace: columns and indexes.
async fn shape(pool: &PgPool, namespace: &str) -> Vec<String> {
    let text = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 UNION ALL SELECT concat_ws(' ', table_name, column_name, \
                data_type, column_default, is_nullable) FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1";
    let found: Vec<String> = sqlx::query_scalar(text).bind(namespace).fetch_all(pool).await.unwrap();
    found.iter().map(|it| it.replace(namespace, "ddd")).collect()
}

/// Tables of version 1 become those of today in three ways: by a program that starts, by its call, and by hand.
#[tokio::test]
async fn tables_of_version_1_become_those_of_today() {
    let pool = pool().await;
    let today = server().fresh_namespace();
    let options = |namespace: &str| PostgresStore::options().namespace(namespace).connections(1).listen(false);
    let store = options(&today).connect(server().url()).await.unwrap();
    let (version_today, shape_today) = (version(&pool, &today).await, shape(&pool, &today).await);
    assert!(version_today > 1 && store.migrations_since(u32::try_from(version_today).unwrap()).is_empty());
    for way in ["start", "call", "hand"] {
        let namespace = server().fresh_namespace();
        make_tables_of_version_1(&namespace).await;
        assert_ne!(shape(&pool, &namespace).await, shape_today);
        let before = options(&namespace).migrate(false).connect(server().url()).await.unwrap();
        enqueue(&before, new_task(1)).await;
        match way {
            "start" => drop(options(&namespace).connect(server().url()).await.unwrap()),
            "call" => before.migrate().await.unwrap(),
            _ => take(&pool, before.migrations_since(1)).await,
        }
        assert_eq!(version(&pool, &namespace).await, version_today, "{way}");
        assert_eq!(shape(&pool, &namespace).await, shape_today, "{way}");
        declare(&before, 1).await;
        assert_eq!(claim(&before, 1, 10).await.len(), 1, "{way}");
    }
}

static TRIES: AtomicU32 = AtomicU32::new(0);

/// Ends in the way that its number says.
#[task("of_the_version_before", retry(max_attempts = 2, delay = "1ms"), timeout = "30s")]
async fn various(number: u32) -> Result<u32, TaskError> {
    tokio::time::sleep(Duration::from_millis(u64::from(number % 7))).await;
    TRIES.fetch_add(1, Ordering::SeqCst);
    match number % 5 {
        0 => Err(TaskError::permanent("never")),
        1 => Err(TaskError::retry_after(Duration::from_millis(1)).because("not yet")),
        2 if TRIES.load(Ordering::SeqCst).is_multiple_of(3) => Err(TaskError::snooze(Duration::from_millis(5))),
        _ => Ok(number),
    }
}

#[task("of_the_version_before_in_line", concurrency(limit = 2, key = key), unique(by = number, until = finished))]
async fn in_line(number: u32, key: u32) {
    let _ = (number, key);
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// While a program of before submits and works, the tables are brought to the next version under it: no call fails, and all ends
/// as it should. So does it with one that starts afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn tables_may_become_newer_under_a_program_that_works() {
    let (namespace, pool) = (server().fresh_namespace(), pool().await);
    let store = PostgresStore::options().namespace(&namespace).connections(3);
    let store = store.connect(server().url()).await.unwrap();
    work_through(&namespace, store, async || bring_to_next_version(&pool, &namespace).await).await;
    let text = format!("SELECT count(*), count(*) FILTER (WHERE since = 7) FROM {namespace}.history");
    let (all, with_default): (i64, i64) = sqlx::query_as(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
    assert_eq!(all, with_default);
}

/// The same from version 1, by the store's own steps.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_version_1_may_become_those_of_today_under_a_program_that_works() {
    let (namespace, pool) = (server().fresh_namespace(), pool().await);
    make_tables_of_version_1(&namespace).await;
    let options = || PostgresStore::options().namespace(&namespace).connections(3);
    let store = options().migrate(false).connect(server().url()).await.unwrap();
    work_through(&namespace, store, async || {
        assert_eq!(version(&pool, &namespace).await, 1);
        drop(options().connect(server().url()).await.unwrap());
        assert!(version(&pool, &namespace).await > 1);
    })
    .await;
}

/// Submits and works, while `change` changes the tables in the middle of it.
async fn work_through(namespace: &str, store: PostgresStore, change: impl AsyncFn()) {
    let options = || PostgresStore::options().namespace(namespace).connections(3);
    // Each of the tests has tries of its own to wait for.
    let before = TRIES.load(Ordering::SeqCst);
    let mut settings = Settings::default();
    settings.heartbeat = Duration::from_millis(200);
    settings.poll_interval = Duration::from_millis(50);
    let definitions = [various::definition(), in_line::definition()];
    let app = App::builder().settings(settings.clone()).definitions(definitions).store(store).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut expected = BTreeMap::new();
    for number in 0..600_u32 {
        if number == 200 {
            // In the middle of it, with statements prepared on all connections.
            while TRIES.load(Ordering::SeqCst) < before + 50 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            change().await;
        }
        let ends = if number % 5 < 2 { TaskStatus::Failed } else { TaskStatus::Success };
        expected.insert(app.submit(various { number }).await.unwrap().id(), ends);
        if number % 4 == 0 {
            let handle = app.submit(in_line { number, key: number % 3 }).await.unwrap();
            expected.insert(handle.id(), TaskStatus::Success);
        }
    }
    tokio::time::timeout(PATIENCE, app.tasks().wait_idle()).await.unwrap().unwrap();
    // A new run of one that has ended goes back among those that wait.
    let failed = *expected.iter().find(|it| *it.1 == TaskStatus::Failed).unwrap().0;
    app.tasks().retry(failed).await.unwrap();
    tokio::time::timeout(PATIENCE, app.tasks().wait_idle()).await.unwrap().unwrap();
    let later = App::builder().settings(settings).definitions(definitions).submit_only();
    let later = later.store(options().connect(server().url()).await.unwrap()).build().await.unwrap();
    let handle = later.submit(various { number: 3 }).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 3);
    let records = app.store().get(expected.keys().copied().collect()).await.unwrap();
    for (record, (id, ends)) in records.iter().zip(&expected) {
        let record = record.as_ref().unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!(record.status, *ends, "{record:?}");
        assert!(record.crashes == 0 && record.attempt <= 2, "{record:?}");
    }
    let text = format!("SELECT count(*) FROM {namespace}.history");
    let all: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool().await).await.unwrap();
    assert_eq!(all, expected.len() as i64 + 1);
    app.shutdown(Duration::from_secs(5)).await;
}

/// Tables that become too new for a program while it runs: it stops writing to them with its next upkeep, and says why.
#[tokio::test]
async fn a_program_that_becomes_too_old_stops_and_says_so() {
    let namespace = server().fresh_namespace();
    let options = || PostgresStore::options().namespace(&namespace).connections(2);
    let store = options().connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, new_task(1)).await;
    let next = version(&pool().await, &namespace).await + 1;
    let apart = format!("INSERT INTO {namespace}.migration (version, works_from) VALUES ({next}, {next})");
    sqlx::raw_sql(AssertSqlSafe(apart)).execute(&pool().await).await.unwrap();
    let says_so = |error: &ddd_core::StoreError| {
        let text = std::error::Error::source(error).unwrap().to_string();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
        assert!(text.contains(&format!("version {next}, which this program is too old for")), "{text}");
    };
    says_so(&store.reap(10).await.unwrap_err());
    says_so(&store.enqueue(vec![new_task(2)]).await.unwrap_err());
    says_so(&store.clone().statistics().await.unwrap_err());
    says_so(&options().connect(server().url()).await.unwrap_err());
    says_so(&options().migrate(false).connect(server().url()).await.unwrap_err());
}

/// One makes the tables and takes long; the others wait for it as long as it takes, and fail only when it has gone wrong.
#[tokio::test]
async fn who_starts_while_another_one_migrates_waits_for_it() {
    const LIMIT: Duration = Duration::from_millis(300);
    let (namespace, pool) = (server().fresh_namespace(), pool().await);
    let mut first = pool.begin().await.unwrap();
    let lock = format!("SELECT pg_advisory_xact_lock(hashtextextended('{namespace}.migration', 0))");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *first).await.unwrap();
    let options = PostgresStore::options().namespace(&namespace).connections(1).statement_timeout(LIMIT);
    let second = tokio::spawn(async move { options.connect(server().url()).await });
    let began = Instant::now();
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid <> pg_backend_pid()";
    while began.elapsed() < 3 * LIMIT {
        let _: i64 = sqlx::query_scalar(waits).fetch_one(&pool).await.unwrap();
        assert!(!second.is_finished(), "it has not waited");
        tokio::time::sleep(LIMIT / 10).await;
    }
    first.rollback().await.unwrap();
    let store = tokio::time::timeout(PATIENCE, second).await.unwrap().unwrap().unwrap();
    declare(&store, 1).await;
    enqueue(&store, new_task(1)).await;
    assert_eq!(claim(&store, 1, 1).await.len(), 1);
}
