//! Where submissions are awaited: anywhere.

use std::{
    future::IntoFuture as _,
    thread,
    time::{Duration, Instant},
};

use ddd_core::{App, PostgresStore, Settings, Task as _, TaskStatus, task};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::support::server;
use crate::parked::block_on;

/// What does not happen in this time never does.
const PATIENCE: Duration = Duration::from_secs(30);

#[task("awaited_noted")]
async fn noted() {}

/// The first submission hangs on its way, so the others lose patience and set out by themselves.
#[tokio::test]
async fn submissions_go_on_where_there_is_no_runtime_and_where_it_goes() {
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(4).statement_timeout(PATIENCE);
    let store = options.connect(server().url()).await.unwrap();
    let mut settings = Settings::default();
    settings.store_timeout = PATIENCE;
    let builder = App::builder().settings(settings).definitions([noted::definition()]);
    let app = builder.store(store).submit_only().build().await.unwrap();
    app.submit(noted {}).await.unwrap();
    let mut conn = PgConnection::connect(server().url()).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(format!("LOCK TABLE {namespace}.task"))).execute(&mut *tx).await.unwrap();

    let submitter = || {
        let app = app.clone();
        move || app.submit(noted {}).into_future()
    };
    let first = tokio::spawn(submitter()());
    held(&namespace, 1).await;
    let (answer, second) = tokio::sync::oneshot::channel();
    // A thread of the runtime's own would have it at hand.
    thread::spawn({
        let submit = submitter();
        move || answer.send(block_on(submit()).map(drop))
    });
    held(&namespace, 2).await;
    // This one's runtime ends while its task is on the way, over a connection that is new: the server has not been told yet of what
    // would be stored.
    let third = tokio::task::spawn_blocking({
        let submit = submitter();
        let (namespace, url) = (namespace.clone(), server().url().to_owned());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _given_up = tokio::spawn(submit());
                held_on(&mut PgConnection::connect(&url).await.unwrap(), &namespace, 3).await;
            });
        }
    });
    third.await.unwrap();
    let fourth = app.submit(noted {}).into_future();

    tx.rollback().await.unwrap();
    first.await.unwrap().unwrap();
    fourth.await.unwrap();
    tokio::time::timeout(PATIENCE, second).await.unwrap().unwrap().unwrap();
    let began = Instant::now();
    while app.tasks().statistics().await.unwrap().now.get(TaskStatus::Pending) < 5 {
        assert!(began.elapsed() < PATIENCE, "a submission is lost");
        tokio::task::yield_now().await;
    }
}

/// Waits until so many statements wait for the lock.
async fn held(namespace: &str, count: i64) {
    held_on(&mut PgConnection::connect(server().url()).await.unwrap(), namespace, count).await;
}

async fn held_on(conn: &mut PgConnection, namespace: &str, count: i64) {
    let text =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '.task%'";
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(text).bind(namespace).fetch_one(&mut *conn).await.unwrap() < count {
        assert!(began.elapsed() < PATIENCE, "{count} statements never waited");
        tokio::task::yield_now().await;
    }
}
