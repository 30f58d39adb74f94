//! What tasks leave behind is made free again by upkeep: the server's own vacuum looks once a minute, and in a minute the dead rows of
//! a busy queue are many times those that live. Everything that is large is left to the server.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};

use super::{
    core::{Core, Shared},
    error::{Outcome, Remedy},
    vacuuming::{Counted, LOOK, Running, TABLES},
};

/// So long the vacuum of one table may take: who wants to change the table waits for it, and everybody else behind.
const LIMIT: Duration = Duration::from_secs(10);
/// Larger tables, in bytes with their indexes, are left to the server: a minute of dead rows is no large part of them.
const LARGEST: i64 = 1 << 30;
/// A process goes on as long as there is something to do; after so long another one may. So long also rests who could do nothing.
const TURN: Duration = Duration::from_secs(60);
/// So often it looks in vain before its turn is over.
const LOOKS: u32 = 5;
/// So long nothing is vacuumed again, and so many times as long as it took.
const REST: Duration = Duration::from_millis(200);
const REST_TIMES: u32 = 1;

impl Core {
    /// Begins to vacuum what is worth it, if the role may. It goes on by itself, over a connection of its own: neither leases nor
    /// claims wait for it.
    pub(super) async fn vacuum_what_is_due(&self, conn: &mut PgConnection) {
        if !self.vacuuming.is_look_due() {
            return;
        }
        match self.look_at_tables(conn).await {
            Ok(counted) => self.vacuum_aside(counted),
            // What upkeep has done is done, and it is told of that. The connection is used on.
            Err(trouble) => {
                left_to_the_server(&trouble.error);
                self.vacuuming.fail();
                if trouble.remedy == Remedy::Reconnect {
                    // It may stand in the middle of the transaction. If it is broken, the pool finds that out.
                    let _ = sqlx::raw_sql("ROLLBACK").execute(conn).await;
                }
            }
        }
    }

    async fn look_at_tables(&self, conn: &mut PgConnection) -> Outcome<Vec<Counted>> {
        let is_open = self.open(conn).await?;
        let counted = self.counted(conn).await;
        self.close(conn, is_open, counted).await
    }

    fn vacuum_aside(&self, counted: Vec<Counted>) {
        if !self.vacuuming.due(counted).is_empty()
            && let Some(running) = self.vacuuming.begin()
        {
            tokio::spawn(take_turn(Arc::downgrade(&self.shared), self.pool.connect_options(), running));
        }
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
        // A machine that vanishes leaves its lock for less than a minute; unless told otherwise, the server waits for hours.
        let limits = format!(
            "SET statement_timeout = {}; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 10; \
             SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000",
            LIMIT.as_millis()
        );
        sqlx::raw_sql(AssertSqlSafe(limits)).execute(&mut *conn).await?;
        let lock = self.texts.of("SELECT pg_try_advisory_lock(hashtextextended('ddd.vacuum', 0))");
        sqlx::query_scalar(lock).fetch_one(conn).await
    }

    /// Vacuums what is worth it; whether anything was vacuumed.
    async fn vacuum(&self, conn: &mut PgConnection, running: &Running) -> sqlx::Result<bool> {
        let (mut seen_to, mut has_vacuumed) = (Vec::new(), false);
        for it in running.of.due(self.counted(conn).await?) {
            let name = format!("{}.{}", self.texts.schema(), it.table);
            // A lock is gone soon; then it is due again.
            let Some(is_small) = self.is_small_and_free(conn, &name).await? else { continue };
            if is_small {
                let analyze = !it.is_known;
                let text = format!("VACUUM (SKIP_LOCKED, TRUNCATE false, PARALLEL 0, ANALYZE {analyze}) {name}");
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *conn).await?;
                has_vacuumed = true;
            }
            seen_to.push(it);
        }
        if !seen_to.is_empty() {
            running.of.note(&seen_to, self.counted(conn).await?);
        }
        Ok(has_vacuumed)
    }

    /// Whether a table is not too large; nothing as long as somebody holds a lock that a vacuum would meet, as the server's own does:
    /// what is skipped is a warning in the server's log. Who asks for the size waits for such locks.
    async fn is_small_and_free(&self, conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<bool>> {
        let text = "SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = $1::text::regclass \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'SIReadLock')) \
            THEN NULL ELSE pg_total_relation_size($1::text::regclass) <= $2 END";
        sqlx::query_scalar(text).bind(name).bind(LARGEST).fetch_one(conn).await
    }
}

async fn take_turn(shared: Weak<Shared>, way: Arc<PgConnectOptions>, running: Running) {
    match tokio::time::timeout(2 * TURN, vacuum_for_a_while(&shared, &way, &running)).await {
        Ok(Ok(rest)) => running.rest(rest),
        Ok(Err(error)) => left_to_the_server(&error),
        Err(error) => left_to_the_server(&error),
    }
}

/// Vacuums as long as there is something to do, and the store is there; how long to rest then. Who has no turn, or finds everything
/// locked, rests for long: each turn is a new connection.
async fn vacuum_for_a_while(
    shared: &Weak<Shared>,
    way: &PgConnectOptions,
    running: &Running,
) -> sqlx::Result<Duration> {
    // A vacuum takes its time: that is nothing to be warned of.
    let mut conn = PgConnection::connect_with(&way.clone().disable_statement_logging()).await?;
    let has_turn = match shared.upgrade() {
        Some(shared) => shared.has_turn(&mut conn).await?,
        None => false,
    };
    let (since, mut in_vain, mut rest_after) = (Instant::now(), 0, TURN);
    while has_turn && in_vain < LOOKS && since.elapsed() < TURN {
        let Some(shared) = shared.upgrade() else { break };
        let began = Instant::now();
        let has_vacuumed = shared.vacuum(&mut conn, running).await?;
        drop(shared);
        let rest = if has_vacuumed {
            (in_vain, rest_after) = (0, LOOK);
            REST.max(began.elapsed().saturating_mul(REST_TIMES))
        } else {
            in_vain += 1;
            LOOK
        };
        tokio::time::sleep(rest).await;
    }
    conn.close().await?;
    Ok(rest_after)
}

fn left_to_the_server(error: &(dyn std::error::Error + 'static)) {
    tracing::debug!(error, "upkeep did not vacuum; for some minutes it is left to the server");
}
