//! riverqueue with a pause between fetches of 5 ms instead of its own 100, which is what holds it back. With 1 ms, the least that
//! it allows, fetches become small under load.

use std::time::Duration;

use ::riverqueue::{
    BoxError, Client, Job, JobArgs, QueueConfig, RunHandle, WorkContext, WorkOutcome, Workers,
    migrate::PostgresMigrator,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::time::sleep;

use crate::protocol::{CONNECTIONS, Queue, SLOTS, bodies, body};

#[derive(Clone, Debug, Serialize, Deserialize, JobArgs)]
#[river(kind = "noop")]
struct Noop {}

async fn noop(_context: WorkContext, _job: Job<Noop>) -> Result<WorkOutcome, BoxError> {
    body();
    Ok(WorkOutcome::Complete)
}

/// It keeps what has ended for a day.
pub(crate) struct River {
    pool: PgPool,
    client: Client,
    running: Option<RunHandle>,
}

impl Queue for River {
    async fn set_up(url: &str) -> Self {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.expect("a pool");
        PostgresMigrator::new(pool.clone()).migrate_up().await.expect("the tables are made");
        let mut workers = Workers::new();
        workers.add_fn(noop).expect("the worker is known");
        let client = Client::builder(pool.clone())
            .workers(workers)
            .fetch_cooldown(Duration::from_millis(5))
            .queue("default", QueueConfig::new(SLOTS).with_fetch_poll_interval(Duration::from_millis(5)))
            .build()
            .expect("a client");
        Self { pool, client, running: None }
    }

    async fn submit(&self) {
        self.client.insert(Noop {}).await.expect("the task is taken");
    }

    async fn submit_many(&self, tasks: usize) {
        self.client.insert_many((0..tasks).map(|_| Noop {})).await.expect("the tasks are taken");
    }

    async fn start(&mut self) {
        let mut running = self.client.start().expect("the worker starts");
        running.wait_ready().await.expect("it is ready");
        self.running = Some(running);
    }

    async fn ended(&mut self, tasks: usize) {
        bodies(tasks).await;
        let rest = "SELECT EXISTS (SELECT FROM river_job WHERE state <> 'completed')";
        while sqlx::query_scalar(rest).fetch_one(&self.pool).await.expect("an answer") {
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(self) {
        if let Some(mut running) = self.running {
            running.stop().await.expect("the worker ends");
        }
        self.pool.close().await;
    }
}
