//! The same writes with bare statements: what any queue on this server must spend.

use std::time::{Duration, Instant};

use ddd_benches::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

use super::ours::runtime;

async fn connect(server: &PostgresServer) -> PgConnection {
    PgConnection::connect(server.url()).await.expect("the server answers")
}

/// A table for tasks, and one for what has ended.
async fn tables(server: &PostgresServer) -> (String, PgConnection) {
    let schema = server.fresh_namespace();
    let mut conn = connect(server).await;
    let text = format!(
        "CREATE SCHEMA {schema}; \
         CREATE TABLE {schema}.task (id UUID PRIMARY KEY, status SMALLINT NOT NULL, attempt INTEGER NOT NULL, \
         fence BIGINT NOT NULL, due BIGINT NOT NULL, lease_until BIGINT, name TEXT NOT NULL, params TEXT NOT NULL); \
         CREATE INDEX ON {schema}.task (due, id) WHERE status = 0; \
         CREATE INDEX ON {schema}.task (lease_until) WHERE lease_until IS NOT NULL; \
         CREATE TABLE {schema}.history (id UUID PRIMARY KEY, attempt INTEGER NOT NULL, name TEXT NOT NULL, \
         params TEXT NOT NULL, result TEXT, finished_at BIGINT NOT NULL)"
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.expect("the tables are made");
    (schema, conn)
}

fn ids(count: usize) -> Vec<Uuid> {
    std::iter::repeat_with(Uuid::now_v7).take(count).collect()
}

/// Inserts in batches over one connection; claims with attempt, fence and lease, and ends under the fence with a result, over
/// another one. Tasks per second.
pub(crate) fn end_to_end(server: &PostgresServer, tasks: usize, batch: usize) -> f64 {
    runtime().block_on(async {
        let (schema, mut writer) = tables(server).await;
        let mut worker = connect(server).await;
        let began = Instant::now();
        let insert = format!(
            "INSERT INTO {schema}.task SELECT id, 0, 0, 0, $2, NULL, 'noop', '{{}}' FROM unnest($1::uuid[]) id"
        );
        let submitting = tokio::spawn(async move {
            for first in (0..tasks).step_by(batch) {
                let ids = ids(batch.min(tasks - first));
                let due = i64::try_from(first).unwrap_or_default();
                sqlx::query(AssertSqlSafe(insert.as_str())).bind(ids).bind(due).execute(&mut writer).await.expect("stored");
            }
        });
        let claim = format!(
            "WITH chosen AS MATERIALIZED (SELECT id FROM {schema}.task WHERE status = 0 ORDER BY due, id LIMIT $1 \
             FOR UPDATE SKIP LOCKED) UPDATE {schema}.task t SET status = 5, attempt = attempt + 1, fence = fence + 1, \
             lease_until = 1 FROM chosen c WHERE t.id = c.id RETURNING t.id, t.fence, t.params"
        );
        let finish = format!(
            "WITH gone AS (DELETE FROM {schema}.task t USING unnest($1::uuid[], $2::bigint[], $3::text[]) f(id, fence, result) \
             WHERE t.id = ANY($1) AND t.id = f.id AND t.fence = f.fence AND t.status = 5 RETURNING t.*, f.result) \
             INSERT INTO {schema}.history SELECT id, attempt, name, params, result, 1 FROM gone"
        );
        let most = i64::try_from(batch).unwrap_or(i64::MAX);
        let mut done = 0;
        while done < tasks {
            let query = sqlx::query_as::<_, (Uuid, i64, String)>(AssertSqlSafe(claim.as_str()));
            let claimed = query.bind(most).fetch_all(&mut worker).await.expect("claimed");
            if claimed.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            let ended = sqlx::query(AssertSqlSafe(finish.as_str()))
                .bind(claimed.iter().map(|it| it.0).collect::<Vec<_>>())
                .bind(claimed.iter().map(|it| it.1).collect::<Vec<_>>())
                .bind(vec!["null"; claimed.len()])
                .execute(&mut worker)
                .await
                .expect("ended");
            done += usize::try_from(ended.rows_affected()).unwrap_or_default();
        }
        submitting.await.expect("all is submitted");
        tasks as f64 / began.elapsed().as_secs_f64()
    })
}

/// Rows inserted one by one over so many connections; rows per second.
pub(crate) fn inserts(server: &PostgresServer, submitters: usize, each: usize) -> f64 {
    runtime().block_on(async {
        let (schema, _own) = tables(server).await;
        let mut connections = Vec::new();
        for _ in 0..submitters {
            connections.push(connect(server).await);
        }
        let began = Instant::now();
        let submitters: Vec<_> = connections
            .into_iter()
            .map(|mut conn| {
                let insert = format!("INSERT INTO {schema}.task VALUES ($1, 0, 0, 0, 1, NULL, 'noop', '{{}}')");
                tokio::spawn(async move {
                    for _ in 0..each {
                        let query = sqlx::query(AssertSqlSafe(insert.as_str())).bind(Uuid::now_v7());
                        query.execute(&mut conn).await.expect("stored");
                    }
                })
            })
            .collect();
        let rows = submitters.len() * each;
        for it in submitters {
            it.await.expect("a submitter ends");
        }
        rows as f64 / began.elapsed().as_secs_f64()
    })
}

/// How long one commit of one row takes.
pub(crate) fn commits(server: &PostgresServer, count: usize) -> Vec<Duration> {
    runtime().block_on(async {
        let (schema, mut conn) = tables(server).await;
        let insert = format!("INSERT INTO {schema}.task VALUES ($1, 0, 0, 0, 1, NULL, 'noop', '{{}}')");
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let began = Instant::now();
            let query = sqlx::query(AssertSqlSafe(insert.as_str())).bind(Uuid::now_v7());
            query.execute(&mut conn).await.expect("stored");
            times.push(began.elapsed());
        }
        times
    })
}
