//! What a role needs: much to make the tables, little to work with them.

use ddd_core::{Filter, PostgresStore, StoreErrorKind, TaskStore, ports::Control};
use sqlx::AssertSqlSafe;

use super::{
    support::{fresh, pool, server},
    versions::{make_tables_of_version_1, version},
};
use crate::sqlite::support::{QUEUE, claim, declare, enqueue, succeed, task};

/// A role that may not log in for a while, as one whose password is being changed: what was done is not given up.
#[tokio::test]
async fn a_role_that_is_refused_for_a_while_is_no_lasting_trouble() {
    let (_, namespace) = fresh().await;
    let pool = pool().await;
    let role = format!("{namespace}_refused");
    let run = async |text: String| {
        sqlx::query(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    };
    run(format!("CREATE ROLE {role} LOGIN SUPERUSER")).await;
    let url = server().url().replace("postgres@", &format!("{role}@"));
    let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false);
    let store = options.connect(&url).await.unwrap();
    enqueue(&store, task(1)).await;
    run(format!("ALTER ROLE {role} NOLOGIN")).await;
    run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")).await;
    let error = store.statistics().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    run(format!("ALTER ROLE {role} LOGIN")).await;
    assert_eq!(store.statistics().await.unwrap().submitted, 1);
}

#[tokio::test]
async fn a_role_that_may_only_read_and_write_rows_is_enough() {
    let (_, namespace) = fresh().await;
    let url = url_of_a_worker(&namespace).await;
    let options = || PostgresStore::options().namespace(&namespace);
    let store = options().migrate(false).connect(&url).await.unwrap();
    declare(&store, 1).await;
    enqueue(&store, task(1)).await;
    let claimed = claim(&store, 1, 1).await;
    succeed(&store, &claimed[0]).await;
    store.reap(10).await.unwrap();
    store.control(Control::Pause { queue: QUEUE }).await.unwrap();
    store.statistics().await.unwrap();
    assert_eq!(store.list(Filter::all(), None, 10).await.unwrap().items.len(), 1);
    // With the tables there, asking for them takes no right to make them.
    options().connect(&url).await.unwrap();
    let other = PostgresStore::options().namespace(server().fresh_namespace()).connect(&url).await.unwrap_err();
    assert_eq!(other.kind(), StoreErrorKind::Misconfigured);
}

/// The URL of a role that may only read and write rows.
async fn url_of_a_worker(namespace: &str) -> String {
    let pool = pool().await;
    let role = format!("{namespace}_worker");
    for text in [
        format!("CREATE ROLE {role} LOGIN"),
        format!("GRANT USAGE ON SCHEMA {namespace} TO {role}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {namespace} TO {role}"),
    ] {
        sqlx::query(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    }
    server().url().replace("postgres@", &format!("{role}@"))
}

/// It may not bring the tables further, and need not.
#[tokio::test]
async fn such_a_role_works_with_older_tables_as_they_are() {
    let namespace = server().fresh_namespace();
    make_tables_of_version_1(&namespace).await;
    let url = url_of_a_worker(&namespace).await;
    let store = PostgresStore::options().namespace(&namespace).connect(&url).await.unwrap();
    enqueue(&store, task(1)).await;
    assert_eq!(version(&pool().await, &namespace).await, 1);
    // To whoever asks for it, it is told.
    assert_eq!(store.migrate().await.unwrap_err().kind(), StoreErrorKind::Misconfigured);
}
