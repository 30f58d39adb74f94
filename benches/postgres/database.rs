//! A fresh database for every sample, so that nobody works on what others left.

use std::sync::atomic::{AtomicU32, Ordering};

use ddd_benches::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime::{Builder, Runtime};

/// A database, gone with this value.
pub(crate) struct Database<'s> {
    server: &'s PostgresServer,
    name: String,
}

impl<'s> Database<'s> {
    /// An empty one.
    pub(crate) fn new(server: &'s PostgresServer) -> Self {
        Self::of(server, "template1")
    }

    /// One with the tables and rows of this one, to which nobody is connected.
    pub(crate) fn copy(&self) -> Self {
        Self::of(self.server, &self.name)
    }

    fn of(server: &'s PostgresServer, template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let it = Self { server, name };
        it.execute(format!("CREATE DATABASE {} TEMPLATE {template}", it.name));
        it
    }

    pub(crate) fn url(&self) -> String {
        let url = self.server.url();
        let base = url.rsplit_once('/').map_or(url, |it| it.0);
        format!("{base}/{}", self.name)
    }

    fn execute(&self, statement: String) {
        runtime().block_on(async {
            let mut conn = PgConnection::connect(self.server.url()).await.expect("the server answers");
            conn.execute(AssertSqlSafe(statement)).await.expect("the server does it");
        });
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // This waits for a checkpoint, so what one side has written is on the disk before the next one is measured.
        self.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
