//! awa with its queue storage as its own benchmarks set it up: no deadline, which is its short way, and rows by COPY.

use std::time::Duration;

use ::awa::{
    Client, InsertOpts, JobArgs, JobResult, QueueConfig, QueueStorage, QueueStorageConfig, migrations,
    model::insert::params_with,
};
use serde::{Deserialize, Serialize};
use sqlx_of_awa::{PgPool, postgres::PgPoolOptions};
use tokio::time::sleep;

use crate::protocol::{CONNECTIONS, Queue, SLOTS, bodies, body};

const QUEUE: &str = "bench";
const ENDED: &str = "SELECT (coalesce((SELECT sum(completed_count) FROM awa.receipt_completion_batches), 0) \
    + (SELECT count(*) FROM awa.done_entries) \
    + coalesce((SELECT sum(pruned_completed_count) FROM awa.queue_terminal_rollups), 0))::bigint";

#[derive(Serialize, Deserialize, JobArgs)]
struct Noop {}

/// It keeps what has ended until its rings turn, some seconds.
pub(crate) struct Awa {
    pool: PgPool,
    store: QueueStorage,
    running: Option<Client>,
}

impl Queue for Awa {
    async fn set_up(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.expect("a pool");
        migrations::run(&pool).await.expect("the tables are made");
        let store = QueueStorage::new(QueueStorageConfig::default()).expect("a store");
        // Otherwise tasks that are submitted before a worker has ever run go to its older tables.
        store.install(&pool).await.expect("the queue storage is active");
        Self { pool, store, running: None }
    }

    async fn submit(&self) {
        self.submit_many(1).await;
    }

    async fn submit_many(&self, tasks: usize) {
        let options = || InsertOpts { queue: QUEUE.into(), ..InsertOpts::default() };
        let jobs: Vec<_> = (0..tasks).map(|_| params_with(&Noop {}, options()).expect("a task")).collect();
        if tasks == 1 {
            self.store.enqueue_params_batch(&self.pool, &jobs).await.expect("the task is taken");
        } else {
            self.store.enqueue_params_copy(&self.pool, &jobs).await.expect("the tasks are taken");
        }
    }

    async fn start(&mut self) {
        let config = QueueConfig {
            max_workers: u32::try_from(SLOTS).expect("not so many"),
            poll_interval: Duration::from_millis(50),
            deadline_duration: Duration::ZERO,
            ..QueueConfig::default()
        };
        let client = Client::builder(self.pool.clone())
            .queue(QUEUE, config)
            .register::<Noop, _, _>(|_task, _context| async {
                body();
                Ok(JobResult::Completed)
            })
            .build()
            .expect("a client");
        client.start().await.expect("the worker starts");
        self.running = Some(client);
    }

    async fn ended(&mut self, tasks: usize) {
        bodies(tasks).await;
        let all = i64::try_from(tasks).expect("not so many");
        // Its own `queue_counts` counts what runs as well, and takes seconds for that.
        while sqlx_of_awa::query_scalar::<_, i64>(ENDED).fetch_one(&self.pool).await.expect("an answer") < all {
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(self) {
        if let Some(client) = self.running {
            client.shutdown(Duration::from_secs(5)).await;
        }
        self.pool.close().await;
    }
}
