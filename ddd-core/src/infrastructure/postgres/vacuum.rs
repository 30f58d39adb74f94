//! What tasks leave behind is made free again by upkeep: the server's own vacuum looks once a minute, and in a minute the dead rows of
//! a busy queue are many times those that live. Everything that is large is left to the server.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};

use super::{
    core::{Core, Shared},
    error::Outcome,
    vacuuming::{Counted, LOOK, Running, TABLES},
};

/// So long the vacuum of one table may take: who wants to change the table waits for it, and everybody else behind.
const LIMIT: Duration = Duration::from_secs(10);
/// Larger tables, in bytes with their indexes, are left to the server: a minute of dead rows is no large part of them.
const LARGEST: i64 = 1 << 30;
/// A process goes on as long as there is something to do; after so long another one may.
const TURN: Duration = Duration::from_secs(60);
/// So often it looks in vain before its turn is over.
const LOOKS: u32 = 5;
/// So long nothing is vacuumed again, and so many times as long as it took.
const REST: Duration = Duration::from_millis(200);
const REST_TIMES: u32 = 1;

impl Core {
    /// Begins to vacuum what is worth it, if the role may. It goes on by itself, over a connection of its own: neither leases nor
    /// claims wait for it.
    pub(super) async fn vacuum_what_is_due(&self, conn: &mut PgConnection) -> Outcome<()> {
        if !self.vacuuming.is_look_due() {
            return Ok(());
        }
        let is_open = self.open(conn).await?;
        let counted = self.counted(conn).await;
        let counted = self.close(conn, is_open, counted).await?;
        if !self.vacuuming.due(counted).is_empty()
            && let Some(running) = self.vacuuming.begin()
        {
            tokio::spawn(take_turn(Arc::downgrade(&self.shared), self.pool.connect_options(), running));
        }
        Ok(())
    }
}

impl Shared {
    /// What the server has counted of the tables that this role may vacuum: their owner, that of the database, and who may maintain
    /// them, a right that there is from version 17 on. For another one each try would be a warning in the server's log.
    async fn counted(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<Counted>> {
        let text = "SELECT c.relname::text, pg_stat_get_live_tuples(c.oid), pg_stat_get_dead_tuples(c.oid), \
            pg_stat_get_vacuum_count(c.oid) + pg_stat_get_autovacuum_count(c.oid), \
            coalesce(greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) \
                > clock_timestamp() - interval '150 milliseconds', false), \
            coalesce(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) IS NOT NULL \
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
            WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind = 'r' AND (pg_has_role(c.relowner, 'USAGE') \
            OR pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') \
            OR CASE WHEN current_setting('server_version_num')::int >= 170000 \
                THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END)";
        let found = sqlx::query(text).bind(self.texts.schema()).bind(&TABLES[..]).fetch_all(conn).await?;
        let read = |row: &sqlx::postgres::PgRow| {
            Ok(Counted {
                table: row.try_get(0)?,
                live: row.try_get(1)?,
                dead: row.try_get(2)?,
                vacuums: row.try_get(3)?,
                is_fresh: row.try_get(4)?,
                is_known: row.try_get(5)?,
            })
        };
        found.iter().map(read).collect()
    }

    /// Whether no other process is at it. Behind a pooler neither a setting nor a lock may stay: there the size of the tables is the
    /// limit, and of two that meet at a table one skips it.
    async fn has_turn(&self, conn: &mut PgConnection) -> sqlx::Result<bool> {
        if !self.limit.is_own() {
            return Ok(true);
        }
        let limit = format!("SET statement_timeout = {}", LIMIT.as_millis());
        sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut *conn).await?;
        let lock = self.texts.of("SELECT pg_try_advisory_lock(hashtextextended('ddd.vacuum', 0))");
        sqlx::query_scalar(lock).fetch_one(conn).await
    }

    /// Vacuums what is worth it; whether anything was.
    async fn vacuum(&self, conn: &mut PgConnection, running: &Running) -> sqlx::Result<bool> {
        let due = running.of.due(self.counted(conn).await?);
        if due.is_empty() {
            return Ok(false);
        }
        for Counted { table, is_known, .. } in &due {
            let name = format!("{}.{table}", self.texts.schema());
            if self.is_open_to_vacuum(conn, &name).await? {
                let analyze = !is_known;
                let text = format!("VACUUM (SKIP_LOCKED, TRUNCATE false, PARALLEL 0, ANALYZE {analyze}) {name}");
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *conn).await?;
            }
        }
        running.of.note(&due, self.counted(conn).await?);
        Ok(true)
    }

    /// Whether a table is not too large, and nobody holds a lock that a vacuum would meet, as the server's own does: what is skipped
    /// is a warning in the server's log.
    async fn is_open_to_vacuum(&self, conn: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
        let text = "SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = $1::text::regclass \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')) \
            THEN false ELSE pg_total_relation_size($1::text::regclass) <= $2 END";
        sqlx::query_scalar(text).bind(name).bind(LARGEST).fetch_one(conn).await
    }
}

async fn take_turn(shared: Weak<Shared>, way: Arc<PgConnectOptions>, running: Running) {
    match tokio::time::timeout(2 * TURN, vacuum_for_a_while(&shared, &way, &running)).await {
        Ok(Ok(())) => running.succeed(),
        Ok(Err(error)) => left_to_the_server(&error),
        Err(error) => left_to_the_server(&error),
    }
}

/// Vacuums as long as there is something to do, and the store is there.
async fn vacuum_for_a_while(shared: &Weak<Shared>, way: &PgConnectOptions, running: &Running) -> sqlx::Result<()> {
    let mut conn = PgConnection::connect_with(way).await?;
    let has_turn = match shared.upgrade() {
        Some(shared) => shared.has_turn(&mut conn).await?,
        None => false,
    };
    let (since, mut in_vain) = (Instant::now(), 0);
    while has_turn && in_vain < LOOKS && since.elapsed() < TURN {
        let Some(shared) = shared.upgrade() else { break };
        let began = Instant::now();
        let was_due = shared.vacuum(&mut conn, running).await?;
        drop(shared);
        in_vain = if was_due { 0 } else { in_vain + 1 };
        let rest = if was_due { REST.max(began.elapsed().saturating_mul(REST_TIMES)) } else { LOOK };
        tokio::time::sleep(rest).await;
    }
    conn.close().await
}

fn left_to_the_server(error: &(dyn std::error::Error + 'static)) {
    tracing::debug!(error, "upkeep did not vacuum; for some minutes it is left to the server");
}
