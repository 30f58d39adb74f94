//! A connection that leads to another store than the application's; and what is told when none leads anywhere.

use std::error::Error as _;

use ddd_core::{
    App, Enlist, MemoryStore, PostgresStore, SqliteStore, StoreErrorKind, SubmitError, Task, TaskStatus, TaskStore,
    task,
};
use sqlx::AssertSqlSafe;

use super::support::{fresh, pool, server};
use crate::sqlite::{Folder, support::task as new_task};

#[task("elsewhere_noted")]
async fn noted() {}

async fn app(store: impl TaskStore) -> App {
    App::builder().definitions([noted::definition()]).store(store).submit_only().build().await.unwrap()
}

fn is_refused<T>(answer: Result<T, SubmitError>, words: &str) {
    let Err(SubmitError::OtherStore(error)) = answer else { panic!("it was not refused") };
    assert_eq!(error.kind(), StoreErrorKind::OtherStore);
    assert!(!error.is_transient());
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains(words), "{reason}");
}

#[tokio::test]
async fn a_connection_that_leads_elsewhere_is_refused() {
    let (store, namespace) = fresh().await;
    let folder = Folder::new();
    let path = folder.file();
    let (in_memory, in_file) = (app(MemoryStore::new()).await, app(SqliteStore::open(&path).unwrap()).await);
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    is_refused(
        in_memory.submit(noted {}).within(&mut tx).await,
        "of the kind `memory`, and this connection leads to `postgres`",
    );
    is_refused(in_memory.submit(noted {}).within(&mut *tx).await, "`memory`");
    is_refused(in_file.submit(noted {}).within(&mut store.on(&mut tx)).await, "`sqlite`");
    tx.commit().await.unwrap();
    let count = format!("SELECT count(*) FROM {namespace}.task");
    assert_eq!(sqlx::query_scalar::<_, i64>(AssertSqlSafe(count)).fetch_one(&pool).await.unwrap(), 0);

    let in_server = app(store).await;
    let file = rusqlite::Connection::open(&path).unwrap();
    is_refused(
        in_server.submit(noted {}).enlist(&file),
        "of the kind `postgres`, and this connection leads to `sqlite`",
    );
    is_refused(in_memory.submit(noted {}).enlist(&file), "`memory`");
    is_refused(in_file.submit(noted {}).within(&mut MemoryStore::new().begin()).await, "`sqlite`");
}

#[tokio::test]
async fn another_store_of_the_same_kind_is_refused() {
    let folder = Folder::new();
    let (one, other) = (folder.file().with_file_name("one.db"), folder.file().with_file_name("other.db"));
    let (in_one, _other) = (app(SqliteStore::open(&one).unwrap()).await, SqliteStore::open(&other).unwrap());
    let mut db = rusqlite::Connection::open(&other).unwrap();
    let words = "another store of the kind `sqlite`";
    is_refused(in_one.submit(noted {}).enlist(&db), words);
    is_refused(in_one.submit(noted {}).enlist(&db.transaction().unwrap()), words);
    is_refused(in_one.submit(noted {}).enlist(&rusqlite::Connection::open_in_memory().unwrap()), words);
    // The same file by another path is the same.
    let winding = one.parent().unwrap().join(".").join("one.db");
    in_one.submit(noted {}).enlist(&rusqlite::Connection::open(winding).unwrap()).unwrap();

    let store = MemoryStore::new();
    let in_memory = app(store.clone()).await;
    is_refused(in_memory.submit(noted {}).enlist(&MemoryStore::new().begin()), "another store of the kind `memory`");
    in_memory.submit(noted {}).enlist(&store.begin()).unwrap();
}

/// Of several namespaces, a task goes into that of its application.
#[tokio::test]
async fn a_connection_alone_leads_to_the_applications_own_tables() {
    let ((one, _), (other, _)) = (fresh().await, fresh().await);
    let (in_one, in_other) = (app(one.clone()).await, app(other.clone()).await);
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let handle = in_other.submit(noted {}).within(&mut tx).await.unwrap();
    is_refused(in_one.submit(noted {}).within(&mut other.on(&mut tx)).await, "another store of the kind `postgres`");
    in_one.submit(noted {}).within(&mut one.on(&mut tx)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(handle.record().await.unwrap().unwrap().status, TaskStatus::Pending);
    for store in [one, other] {
        assert_eq!(store.statistics().await.unwrap().submitted, 1);
    }
}

/// The same again in it is in vain.
#[tokio::test]
async fn an_aborted_transaction_is_told_and_is_no_passing_trouble() {
    let (store, _) = fresh().await;
    let mut tx = pool().await.begin().await.unwrap();
    sqlx::raw_sql("SELECT 1 / 0").execute(&mut *tx).await.unwrap_err();
    let error = store.on(&mut tx).enlist(vec![new_task(1)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Aborted);
    assert!(!error.is_transient());
    drop(tx);
}

#[tokio::test]
async fn a_role_that_is_not_there_is_told_at_once_as_a_wrong_setting() {
    let url = server().url().replace("postgres@", "nobody_of_this_name@");
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.source().unwrap().to_string().contains("nobody_of_this_name"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_address() {
    // A port that nobody listens to any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://me:hunter2@127.0.0.1:{port}/shop?statement_timeout_ms=800");
    let error = App::builder().definitions([noted::definition()]).store_url(&url).build().await.unwrap_err();
    let told = format!("{error:#}");
    let refused = format!("no connection to `127.0.0.1:{port}`: Connection refused");
    assert!(told.contains(&refused), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(format!("{error:?}"), told);
    // A server that takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://me@127.0.0.1:{port}/shop?sslmode=disable&statement_timeout_ms=800");
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let told = error.source().unwrap().to_string();
    assert!(told.contains(&format!("no connection to `127.0.0.1:{port}` within 800ms")), "{told}");
}

/// Another application's tables stand in another database, in the same namespace; and a copy of the database is another one.
#[tokio::test]
async fn a_transaction_in_another_database_is_refused() {
    let (store, namespace) = fresh().await;
    let in_server = app(store.clone()).await;
    let (others, copy) = (format!("{namespace}_others"), format!("{namespace}_copy"));
    let pool = pool().await;
    for text in [format!("CREATE DATABASE {others}"), format!("CREATE DATABASE {copy}")] {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    }
    let url = |name: &str| server().url().strip_suffix("postgres").unwrap().to_owned() + name;
    let token = format!("SELECT value FROM {namespace}.setting WHERE name = 'channel'");
    let token: i64 = sqlx::query_scalar(AssertSqlSafe(token)).fetch_one(&pool).await.unwrap();
    for (name, is_copy) in [(&others, false), (&copy, true)] {
        let other = PostgresStore::options().namespace(&namespace).connect(&url(name)).await.unwrap();
        let pool = sqlx::PgPool::connect(&url(name)).await.unwrap();
        if is_copy {
            let text = format!("UPDATE {namespace}.setting SET value = {token} WHERE name = 'channel'");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
        }
        let mut tx = pool.begin().await.unwrap();
        is_refused(in_server.submit(noted {}).within(&mut tx).await, &format!("other tables, in `{name}`"));
        is_refused(in_server.submit(noted {}).within(&mut store.on(&mut tx)).await, "other tables");
        tx.commit().await.unwrap();
        assert_eq!(other.statistics().await.unwrap().submitted, 0);
        pool.close().await;
    }
    let without = format!("{namespace}_without");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {without}"))).execute(&pool).await.unwrap();
    let empty = sqlx::PgPool::connect(&url(&without)).await.unwrap();
    let mut tx = empty.begin().await.unwrap();
    is_refused(in_server.submit(noted {}).within(&mut tx).await, "to where its tables are not");
    drop(tx);
    let mut tx = pool.begin().await.unwrap();
    in_server.submit(noted {}).within(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.statistics().await.unwrap().submitted, 1);
}
