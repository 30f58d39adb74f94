//! The row that the store writes for a task, into the store's own table with all its indexes, by a bare statement: what a task
//! that is tracked as ours are costs, without figures and without a look at its queue.

use std::sync::{Mutex, PoisonError};

use ddd_core::PostgresStore;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::protocol::{CONNECTIONS, Queue};

const INSERT: &str = "INSERT INTO ddd.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, label, params) \
    VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Bare statements over connections of its own; nothing runs.
pub(crate) struct RawRows {
    idle: Mutex<Vec<PgConnection>>,
}

impl RawRows {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for RawRows {
    async fn set_up(url: &str) -> Self {
        drop(PostgresStore::options().connect(url).await.expect("the tables are made"));
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(PgConnection::connect(url).await.expect("the server answers"));
        }
        Self { idle: Mutex::new(idle) }
    }

    async fn submit(&self) {
        let mut conn = self.idle().pop().expect("there are as many connections as submitters");
        let now = 1_700_000_000_000_000_i64;
        sqlx::query(INSERT)
            .bind(Uuid::now_v7())
            .bind(0_i16)
            .bind(1_i32)
            .bind(1_i32)
            .bind(1_i32)
            .bind(now)
            .bind(now)
            .bind(300_000_000_i64)
            .bind(now)
            .bind(None::<&str>)
            .bind("{}")
            .execute(&mut conn)
            .await
            .expect("stored");
        self.idle().push(conn);
    }

    async fn submit_many(&self, _tasks: usize) {
        unreachable!("it only submits single tasks");
    }

    async fn start(&mut self) {
        unreachable!("it only submits");
    }

    async fn ended(&mut self, _tasks: usize) {}

    async fn stop(self) {}
}
