use std::{
    fmt,
    sync::Arc,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use sqlx::{PgPool, postgres::PgConnectOptions};

use super::{
    connections::{Limit, bounded},
    core::Core,
    store::PostgresStore,
};
use crate::ports::{StoreError, StoreErrorKind};

/// PostgreSQL counts the milliseconds of a statement in 31 bits: 24 days.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// How a store in PostgreSQL is set up. Made by [`PostgresStore::options`].
#[derive(Clone)]
#[must_use = "nothing is set up before `connect` or `over`"]
pub struct PostgresOptions {
    pub(super) namespace: String,
    pub(super) statement_timeout: Duration,
    pub(super) list_timeout: Duration,
    pub(super) connections: u32,
    pub(super) listens: bool,
    pub(super) migrates: bool,
    pub(super) vacuums: bool,
    pub(super) offset: Arc<AtomicI64>,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("namespace", &self.namespace)
            .field("statement_timeout", &self.statement_timeout)
            .field("list_timeout", &self.list_timeout)
            .field("connections", &self.connections)
            .field("listens", &self.listens)
            .field("migrates", &self.migrates)
            .field("vacuums", &self.vacuums)
            .finish_non_exhaustive()
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            namespace: "ddd".to_owned(),
            statement_timeout: Duration::from_secs(8),
            list_timeout: Duration::from_secs(2),
            connections: 5,
            listens: true,
            migrates: true,
            vacuums: true,
            offset: Arc::default(),
        }
    }
}

impl PostgresStore {
    /// With connections to the server of your pool, in the schema `ddd`, whose tables are made if they are not there. See
    /// [`PostgresOptions::over`].
    ///
    /// # Errors
    /// The server does not answer, or the tables cannot be made.
    pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
        Self::options().over(pool).await
    }

    /// How a store is set up: namespace, bounds, wake-up, migrations.
    ///
    /// ```no_run
    /// # async fn run(pool: sqlx::PgPool) -> Result<(), ddd_core::StoreError> {
    /// use ddd_core::PostgresStore;
    ///
    /// let store = PostgresStore::options().namespace("shop_tasks").migrate(false).over(pool).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }
}

impl PostgresOptions {
    /// In this schema of the database; `ddd` unless set. Stores of different namespaces have nothing to do with each other.
    ///
    /// A name has up to 40 of the characters `a` to `z`, `0` to `9` and `_`, and does not begin with a digit; another one is
    /// refused when the store is set up.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// A call of the store takes at most so long, all its statements together; then it fails with a transient error, and its
    /// connection is given up. 8 s unless set; less than a millisecond is refused when the store is set up.
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// A list waits at most so long for its turn, and then for each of its statements; then it fails with a transient error. 2 s
    /// unless set, and no more than [`PostgresOptions::statement_timeout`]; less than a millisecond is refused when the store is
    /// set up.
    ///
    /// Lists take turns: two of the connections at most are theirs, or one of fewer than four, so that claims and ends of tasks
    /// find one whoever looks at lists.
    pub const fn list_timeout(mut self, timeout: Duration) -> Self {
        self.list_timeout = timeout;
        self
    }

    /// So many connections at most, besides one for heartbeats, one for notifications and, now and then, one to vacuum; 5 unless set, at
    /// least 1.
    pub const fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// Whether workers are woken by `LISTEN` and `NOTIFY`, over one more connection; they are unless told otherwise. Without
    /// it they see the tasks of other processes when they poll. A pooler such as PgBouncer in transaction mode does not carry
    /// notifications; so without it, a statement that stands alone gets a transaction for its time limit too, unless the role has
    /// a `statement_timeout` that is short enough.
    pub const fn listen(mut self, listens: bool) -> Self {
        self.listens = listens;
        self
    }

    /// Whether the tables are made, or brought to this version, when the store is set up; they are unless told otherwise. It
    /// takes the right to create tables, which a process that only works does not need: without it, the store only checks that
    /// they are there.
    pub const fn migrate(mut self, migrates: bool) -> Self {
        self.migrates = migrates;
        self
    }

    /// Whether upkeep vacuums the tables of the store where tasks run so fast that the server's own vacuum, which looks once in
    /// `autovacuum_naptime`, leaves them many times as large as they need to be. It does unless told otherwise, and only if the role
    /// may: as owner of the tables or of the database, or, from PostgreSQL 17 on, with the right `MAINTAIN`.
    ///
    /// One process at a time does it, over a connection that it makes for that: of tables of up to 1 GiB, of which a fifth and 2,000
    /// rows are dead, for 10 s at most.
    pub const fn vacuum(mut self, vacuums: bool) -> Self {
        self.vacuums = vacuums;
        self
    }

    /// For tests: so many microseconds are added to the time of the server, as the value is at each call.
    #[cfg(feature = "test-util")]
    pub fn time_offset(mut self, micros: Arc<AtomicI64>) -> Self {
        self.offset = micros;
        self
    }

    /// With connections to the server of your pool, made as the pool makes its own: the same role, password and encryption, also
    /// when those change. Hooks of the pool (`after_connect` and the like) are not run.
    ///
    /// They are not the pool's own connections: so the store never waits for yours, nor you for its, and a transaction that your
    /// code has left open by accident cannot swallow a task that was acknowledged.
    ///
    /// # Errors
    /// The namespace is no name, the server does not answer, or the tables cannot be made.
    pub async fn over(self, pool: PgPool) -> Result<PostgresStore, StoreError> {
        let options = (*pool.connect_options()).clone();
        self.open(options, Some(pool)).await
    }

    pub(super) async fn open(
        self,
        options: PgConnectOptions,
        source: Option<PgPool>,
    ) -> Result<PostgresStore, StoreError> {
        check_namespace(&self.namespace)?;
        let this = self.checked()?;
        // Broken connections are noticed by the call that meets one, which tries again on another.
        let limit = Limit::new(this.listens, this.statement_timeout);
        let made = Arc::default();
        let pool = bounded(this.statement_timeout, &limit, &made).max_connections(this.connections.max(1));
        let pool = pool.connect_lazy_with(options);
        let timeouts = (this.statement_timeout, this.list_timeout);
        let does = (this.listens, this.vacuums);
        let core = Core::new(pool, source, &this.namespace, timeouts, this.offset, does, (limit, made));
        let store = PostgresStore::of(core);
        if this.migrates {
            store.core.migrate_if_possible().await?;
        } else {
            store.check().await?;
        }
        store.core.find_home().await?;
        store.core.is_set_up.store(true, Ordering::Relaxed);
        Ok(store)
    }

    /// These options as the server can keep to them: to it, no time is all the time there is.
    pub(super) fn checked(mut self) -> Result<Self, StoreError> {
        let timeouts = [("statement_timeout", &mut self.statement_timeout), ("list_timeout", &mut self.list_timeout)];
        for (name, timeout) in timeouts {
            if timeout.as_millis() == 0 {
                return Err(misconfigured(format!("`{name}` is {timeout:?}; write a millisecond or more")));
            }
            *timeout = (*timeout).min(LONGEST_TIMEOUT);
        }
        Ok(self)
    }
}

pub(super) fn misconfigured(what: String) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, what)
}

pub(super) fn check_namespace(name: &str) -> Result<(), StoreError> {
    let is_allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    let begins_well = name.starts_with(|it: char| it.is_ascii_lowercase() || it == '_');
    if begins_well && name.len() <= 40 && name.chars().all(is_allowed) && !name.starts_with("pg_") {
        return Ok(());
    }
    Err(misconfigured(format!(
        "`{name}` cannot be a namespace; write up to 40 of a to z, 0 to 9 and `_`, a letter first, not `pg_`"
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use super::*;

    #[test]
    fn no_time_is_refused_and_more_than_the_server_counts_is_cut() {
        for wrong in ["statement_timeout_ms=0", "list_timeout_ms=0"] {
            let error = PostgresOptions::of_url(&format!("postgres://h/d?{wrong}")).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{wrong}");
        }
        let options = PostgresStore::options;
        assert!(options().statement_timeout(Duration::from_micros(999)).checked().is_err());
        assert!(options().list_timeout(Duration::ZERO).checked().is_err());
        let longest = options().statement_timeout(Duration::MAX).list_timeout(Duration::MAX).checked().unwrap();
        assert_eq!((longest.statement_timeout, longest.list_timeout), (LONGEST_TIMEOUT, LONGEST_TIMEOUT));
    }
}
