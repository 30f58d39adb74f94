//! graphile_worker as in its own benchmark of throughput: local queue, completions in batches, a short poll.

use std::{sync::Arc, time::Duration};

use ::graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, Worker, WorkerContext, WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{task::JoinHandle, time::sleep};

use crate::protocol::{CONNECTIONS, Queue, SLOTS, bodies, body};

const SCHEMA: &str = "graphile_worker";

#[derive(Clone, Serialize, Deserialize)]
struct Noop {}

impl TaskHandler for Noop {
    const IDENTIFIER: &'static str = "noop";

    async fn run(self, _context: WorkerContext) -> impl IntoTaskHandlerResult {
        body();
        Ok::<(), String>(())
    }
}

/// It has no history: what has ended is deleted.
pub(crate) struct Graphile {
    pool: PgPool,
    utils: WorkerUtils,
    running: Option<(Arc<Worker>, JoinHandle<()>)>,
}

impl Queue for Graphile {
    async fn set_up(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.expect("a pool");
        let utils = WorkerUtils::new(pool.clone(), SCHEMA);
        utils.migrate().await.expect("the tables are made");
        Self { pool, utils, running: None }
    }

    async fn submit(&self) {
        self.utils.add_job(Noop {}, JobSpec::default()).await.expect("the task is taken");
    }

    async fn submit_many(&self, tasks: usize) {
        let spec = JobSpec::default();
        let jobs: Vec<_> = (0..tasks).map(|_| (Noop {}, &spec)).collect();
        self.utils.add_jobs::<Noop>(&jobs).await.expect("the tasks are taken");
    }

    async fn start(&mut self) {
        let options = WorkerOptions::default()
            .pg_pool(self.pool.clone())
            .schema(SCHEMA)
            .concurrency(SLOTS)
            .poll_interval(Duration::from_millis(5))
            .complete_job_batch_delay(Duration::from_millis(5))
            .local_queue(LocalQueueConfig::default().with_size(5_000))
            .define_job::<Noop>();
        let worker = Arc::new(options.init().await.expect("the worker starts"));
        let running = Arc::clone(&worker);
        let task = tokio::spawn(async move { running.run().await.expect("the worker runs") });
        self.running = Some((worker, task));
    }

    async fn ended(&mut self, tasks: usize) {
        bodies(tasks).await;
        let rest = "SELECT EXISTS (SELECT FROM graphile_worker._private_jobs)";
        while sqlx::query_scalar(rest).fetch_one(&self.pool).await.expect("an answer") {
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(self) {
        if let Some((worker, task)) = self.running {
            worker.request_shutdown();
            task.await.expect("the worker ends");
        }
        self.pool.close().await;
    }
}
