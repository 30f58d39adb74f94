//! How connections are made, and what limits the time of what commits by itself: else a call that was given up would go on at the
//! server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgPoolOptions};

use super::names::Made;

/// What limits the statements of a connection.
#[derive(Clone, Debug)]
pub(super) enum Limit {
    /// A setting of the connection's own.
    Own,
    /// A pooler may stand between, and would give a connection with a setting of ours to others. So the role has a limit that is
    /// short enough, or else each statement has its transaction, which says how long it may take.
    OfRole { is_set: Arc<AtomicBool>, most: Duration },
    /// Nothing waits for these.
    None,
}

impl Limit {
    /// Of `most`, if it is that of a role.
    pub(super) fn new(is_direct: bool, most: Duration) -> Self {
        if is_direct { Self::Own } else { Self::OfRole { is_set: Arc::default(), most } }
    }

    pub(super) const fn none() -> Self {
        Self::None
    }

    /// Whether connections go straight to the server, and their settings to nobody else.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Own)
    }

    /// Whether statements that stand alone have one.
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Own | Self::None => true,
            Self::OfRole { is_set, .. } => is_set.load(Ordering::Relaxed),
        }
    }

    async fn begin(&self, conn: &mut PgConnection, timeout: Duration) -> sqlx::Result<()> {
        match self {
            Self::Own => {
                let text = format!("SET statement_timeout = {}", timeout.as_millis());
                sqlx::raw_sql(AssertSqlSafe(text)).execute(conn).await?;
            }
            Self::OfRole { is_set, most } => {
                // By itself, so that a pooler that knows nothing of prepared statements carries it.
                let most = most.as_millis();
                let text = format!(
                    "SELECT 1 FROM pg_settings WHERE name = 'statement_timeout' AND setting::bigint BETWEEN 1 AND {most}"
                );
                let found = sqlx::raw_sql(AssertSqlSafe(text)).fetch_optional(conn).await?;
                is_set.store(found.is_some(), Ordering::Relaxed);
            }
            Self::None => {}
        }
        Ok(())
    }
}

/// How connections are made, which are counted.
pub(super) fn bounded(timeout: Duration, limit: &Limit, made: &Arc<Made>) -> PgPoolOptions {
    let (limit, made) = (limit.clone(), made.clone());
    PgPoolOptions::new().acquire_timeout(timeout).test_before_acquire(false).after_connect(move |conn, _| {
        let limit = limit.clone();
        made.one_more();
        Box::pin(async move { limit.begin(conn, timeout).await })
    })
}

/// A pool of one connection to the same server, with nobody to wait for.
pub(super) fn single(pool: &PgPool, timeout: Duration, limit: &Limit) -> PgPool {
    let options = (*pool.connect_options()).clone();
    bounded(timeout, limit, &Arc::default())
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options)
}
