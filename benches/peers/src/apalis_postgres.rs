//! apalis-postgres with large batches and its listener; bodies run in place, which is faster for ones that do nothing than to
//! spawn each.

use std::time::Duration;

use ::apalis_postgres::{Config, PgTask, PostgresStorage, queries::push_tasks};
use apalis::prelude::{BackendExt, Strategy, TaskBuilder, WorkerBuilder, WorkerBuilderExt};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{task::JoinHandle, time::sleep};

use crate::protocol::{CONNECTIONS, Queue, SLOTS, bodies, body};

const QUEUE: &str = "bench";
const BATCH: usize = 1_000;

async fn noop((): ()) {
    body();
}

/// It keeps what has ended until it is pruned by hand, with its result.
pub(crate) struct Apalis {
    pool: PgPool,
    running: Option<JoinHandle<()>>,
}

impl Queue for Apalis {
    async fn set_up(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.expect("a pool");
        PostgresStorage::setup(&pool).await.expect("the tables are made");
        Self { pool, running: None }
    }

    async fn submit(&self) {
        self.submit_many(1).await;
    }

    async fn submit_many(&self, tasks: usize) {
        let args = || serde_json::to_vec(&()).expect("JSON");
        let tasks: Vec<PgTask> = (0..tasks).map(|_| TaskBuilder::new(args()).build()).collect();
        let mut conn = self.pool.acquire().await.expect("a connection");
        // One statement, committed by itself: a sink would begin and commit around it.
        push_tasks(&mut *conn, QUEUE, tasks).await.expect("the tasks are taken");
    }

    async fn start(&mut self) {
        let config = Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false);
        let storage = PostgresStorage::<()>::new(&self.pool)
            .with_config(config)
            .with_pubsub()
            .poll_with_strategy(Strategy::new().interval(Duration::from_millis(100)));
        let worker = WorkerBuilder::new("bench").backend(storage).concurrency(SLOTS).build(noop);
        self.running = Some(tokio::spawn(async move { worker.run().await.expect("the worker runs") }));
    }

    async fn ended(&mut self, tasks: usize) {
        bodies(tasks).await;
        let rest = "SELECT EXISTS (SELECT FROM apalis.jobs WHERE status <> 'Done')";
        while sqlx::query_scalar(rest).fetch_one(&self.pool).await.expect("an answer") {
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(self) {
        if let Some(running) = self.running {
            running.abort();
            // It is cut off, and must not meet the closed pool.
            let _ = running.await;
        }
        self.pool.close().await;
    }
}
