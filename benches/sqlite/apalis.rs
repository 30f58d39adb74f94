//! apalis-sqlite, set up as its README does, with our synchronous setting and our batch.

use ::apalis::prelude::{Event, Task, TaskBuilder, WorkerBuilder, WorkerBuilderExt, WorkerError};
use apalis_sqlite::{Config, SqliteStorage, queries::push_tasks};
use futures_util::{Stream, StreamExt, future::BoxFuture};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::runtime::Builder;

use super::file::Folder;

const QUEUE: &str = "bench";

async fn noop((): ()) {}

/// Submits so many tasks in batches while they run, and waits until each has succeeded; tasks per second.
pub(crate) fn end_to_end(tasks: usize, batch: usize) -> f64 {
    let folder = Folder::new();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // Its own `setup` would switch syncs off on one of the connections.
        let options = SqliteConnectOptions::new()
            .filename(folder.file())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.expect("a pool");
        SqliteStorage::migrations().run(&pool).await.expect("the tables are made");
        let storage: SqliteStorage<()> =
            SqliteStorage::new(&pool).with_config(Config::default().queue(QUEUE).batch_size(batch));
        // In place, which is faster for bodies that do nothing than to spawn each.
        let worker = WorkerBuilder::new("bench").backend(storage).concurrency(128).build(noop);
        let began = std::time::Instant::now();
        let running: BoxFuture<'static, ()> = Box::pin(run(worker.stream(), tasks));
        let running = tokio::spawn(running);
        for first in (0..tasks).step_by(batch) {
            let args = || serde_json::to_vec(&()).expect("JSON");
            let batch: Vec<Task<Vec<u8>>> =
                (first..(first + batch).min(tasks)).map(|_| TaskBuilder::new(args()).build()).collect();
            let mut transaction = pool.begin().await.expect("it begins");
            push_tasks(&mut *transaction, QUEUE, &batch).await.expect("the tasks are taken");
            transaction.commit().await.expect("it commits");
        }
        running.await.expect("every task succeeded");
        tasks as f64 / began.elapsed().as_secs_f64()
    })
}

/// What `Worker::run` does, until so many tasks have succeeded.
async fn run(events: impl Stream<Item = Result<Event, WorkerError>>, tasks: usize) {
    let mut events = std::pin::pin!(events);
    let mut succeeded = 0;
    while succeeded < tasks {
        match events.next().await {
            Some(Ok(Event::Success(_))) => succeeded += 1,
            Some(Ok(_)) => {}
            other => panic!("after {succeeded} of {tasks} tasks: {other:?}"),
        }
    }
}
