use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use ddd_benches::PostgresServer;
use ddd_core::{PostgresOptions, PostgresStore, TaskId, Timestamp, ports::NewTask};
use sqlx::PgPool;

use crate::sqlite::support::task;

pub(crate) fn server() -> &'static PostgresServer {
    PostgresServer::shared().unwrap_or_else(|it| panic!("{it}"))
}

/// Of a schema of its own.
pub(crate) fn options() -> PostgresOptions {
    PostgresStore::options().namespace(server().fresh_namespace())
}

/// A store in a schema of its own, and the schema's name.
pub(crate) async fn fresh() -> (PostgresStore, String) {
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(2);
    (options.connect(server().url()).await.unwrap(), namespace)
}

/// A user's own pool.
pub(crate) async fn pool() -> PgPool {
    sqlx::postgres::PgPoolOptions::new().max_connections(4).connect(server().url()).await.unwrap()
}

/// A task with an id that was made just now, as those of applications are.
pub(crate) fn fresh_task() -> NewTask {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // After the store of the test, which may have been set up in this millisecond.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() + 1_000;
    let at = Timestamp::from_micros(i64::try_from(now).unwrap());
    let mut task = task(0);
    task.id = TaskId::from_parts(at, 0, NUMBER.fetch_add(1, Ordering::Relaxed));
    task
}
