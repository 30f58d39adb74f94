use std::time::Duration;

use sqlx::{pool::PoolConnection, postgres::Postgres};
use tokio::time::Instant;

/// A connection of the pool between two batches: the pool would first ask the server whether it lives.
#[derive(Debug)]
pub(super) struct Rested {
    conn: Option<PoolConnection<Postgres>>,
    /// How many batches went over it.
    batches: u32,
    since: Instant,
}

impl Rested {
    pub(super) fn new(conn: PoolConnection<Postgres>, batches: u32) -> Self {
        Self { conn: Some(conn), batches, since: Instant::now() }
    }

    pub(super) fn is_old(&self, age: Duration) -> bool {
        self.since.elapsed() >= age
    }

    /// The connection, and how many batches went over it.
    pub(super) fn wake(mut self) -> (Option<PoolConnection<Postgres>>, u32) {
        (self.conn.take(), self.batches)
    }
}

impl Drop for Rested {
    /// Where nobody is left to give it back, there may be no runtime either, which the pool would want to.
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            drop(conn.detach());
        }
    }
}
