//! The same writes with bare statements: what any queue on this server must spend.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use uuid::Uuid;

use super::protocol::{CONNECTIONS, Queue, body};

/// So many rows are claimed at once, and end at once.
const BATCH: i64 = 100;
const TABLES: &str = "CREATE TABLE IF NOT EXISTS task (id UUID PRIMARY KEY, status SMALLINT NOT NULL, attempt INTEGER NOT NULL, \
    fence BIGINT NOT NULL, due BIGINT NOT NULL, lease_until BIGINT, name TEXT NOT NULL, params TEXT NOT NULL); \
    CREATE INDEX IF NOT EXISTS task_ready ON task (due, id) WHERE status = 0; \
    CREATE INDEX IF NOT EXISTS task_lease ON task (lease_until) WHERE lease_until IS NOT NULL; \
    CREATE TABLE IF NOT EXISTS history (id UUID PRIMARY KEY, attempt INTEGER NOT NULL, name TEXT NOT NULL, params TEXT NOT NULL, \
    result TEXT, finished_at BIGINT NOT NULL)";
const INSERT: &str = "INSERT INTO task VALUES ($1, 0, 0, 0, 1, NULL, 'noop', '{}')";
const INSERT_MANY: &str = "INSERT INTO task SELECT id, 0, 0, 0, 1, NULL, 'noop', '{}' FROM unnest($1::uuid[]) id";
const CLAIM: &str = "WITH chosen AS MATERIALIZED (SELECT id FROM task WHERE status = 0 ORDER BY due, id LIMIT $1 \
    FOR UPDATE SKIP LOCKED) UPDATE task t SET status = 5, attempt = attempt + 1, fence = fence + 1, lease_until = 1 \
    FROM chosen c WHERE t.id = c.id RETURNING t.id, t.fence, t.params";
const FINISH: &str = "WITH gone AS (DELETE FROM task t USING unnest($1::uuid[], $2::bigint[], $3::text[]) f(id, fence, result) \
    WHERE t.id = ANY($1) AND t.id = f.id AND t.fence = f.fence AND t.status = 5 RETURNING t.*, f.result) \
    INSERT INTO history SELECT id, attempt, name, params, result, 1 FROM gone";

/// What the submitters tell the workers, and these those who wait for the end.
#[derive(Default)]
struct Shared {
    submitted: Notify,
    ended: AtomicUsize,
    progress: Notify,
}

/// Bare statements over connections of its own, of which so many claim and end: with a second one, one works while the other's
/// commit is synced.
pub(crate) struct Raw<const WORKERS: usize> {
    url: String,
    idle: Mutex<Vec<PgConnection>>,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the server answers")
}

impl<const WORKERS: usize> Raw<WORKERS> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> PgConnection {
        self.idle().pop().expect("there are as many connections as submitters")
    }
}

impl<const WORKERS: usize> Queue for Raw<WORKERS> {
    async fn set_up(url: &str) -> Self {
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(connect(url).await);
        }
        idle[0].execute(TABLES).await.expect("the tables are made");
        Self { url: url.to_owned(), idle: Mutex::new(idle), shared: Arc::default(), workers: Vec::new() }
    }

    async fn submit(&self) {
        let mut conn = self.take();
        sqlx::query(INSERT).bind(Uuid::now_v7()).execute(&mut conn).await.expect("stored");
        self.idle().push(conn);
        self.shared.submitted.notify_one();
    }

    async fn submit_many(&self, tasks: usize) {
        let ids: Vec<_> = std::iter::repeat_with(Uuid::now_v7).take(tasks).collect();
        let mut conn = self.take();
        sqlx::query(INSERT_MANY).bind(ids).execute(&mut conn).await.expect("stored");
        self.idle().push(conn);
        self.shared.submitted.notify_one();
    }

    async fn start(&mut self) {
        for _ in 0..WORKERS {
            let conn = connect(&self.url).await;
            self.workers.push(tokio::spawn(work(conn, Arc::clone(&self.shared))));
        }
    }

    async fn ended(&mut self, tasks: usize) {
        while self.shared.ended.load(Ordering::Acquire) < tasks {
            self.shared.progress.notified().await;
        }
    }

    async fn stop(self) {
        for it in self.workers {
            it.abort();
        }
    }
}

/// Claims with attempt, fence and lease, and ends under the fence with a result, without end.
async fn work(mut conn: PgConnection, shared: Arc<Shared>) {
    loop {
        let claimed: Vec<(Uuid, i64, String)> =
            sqlx::query_as(CLAIM).bind(BATCH).fetch_all(&mut conn).await.expect("claimed");
        if claimed.is_empty() {
            let _ = timeout(Duration::from_millis(20), shared.submitted.notified()).await;
            continue;
        }
        claimed.iter().for_each(|_| body());
        let ended = sqlx::query(FINISH)
            .bind(claimed.iter().map(|it| it.0).collect::<Vec<_>>())
            .bind(claimed.iter().map(|it| it.1).collect::<Vec<_>>())
            .bind(vec!["null"; claimed.len()])
            .execute(&mut conn)
            .await
            .expect("ended");
        shared.ended.fetch_add(usize::try_from(ended.rows_affected()).unwrap_or_default(), Ordering::AcqRel);
        shared.progress.notify_one();
    }
}

/// A row is committed, and that is all: a task that starts before it has been stored is lost by a crash.
pub(crate) struct RawCommit(Raw<0>);

impl Queue for RawCommit {
    async fn set_up(url: &str) -> Self {
        Self(Raw::set_up(url).await)
    }

    async fn submit(&self) {
        self.0.submit().await;
        body();
    }

    async fn submit_many(&self, tasks: usize) {
        self.0.submit_many(tasks).await;
    }

    async fn start(&mut self) {}

    async fn ended(&mut self, _tasks: usize) {}

    async fn stop(self) {
        self.0.stop().await;
    }
}
