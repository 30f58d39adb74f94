use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::PgConnection;

use super::{
    core::{Core, Shared},
    error::{Outcome, Trouble},
    texts::Texts,
};
use crate::ports::{StoreError, StoreErrorKind};

/// A step from one version of the tables to the next. One that was released is never changed, and programs of the version before
/// go on beside it: so it only adds.
///
/// - A column has a default or may be empty, and stands last in `task` as in `history`. Programs of before leave it out: a row that
///   they move there or back gets the default again.
/// - What cannot do with that takes two releases: one that adds, and one that takes away, with a `works_from` that says which
///   programs are too old for it. Those refuse to start, and stop what they do with their next upkeep.
/// - An index goes only where every statement of before finds another one that serves it.
/// - A large index takes its time, in which nobody writes.
/// - A step takes the strongest lock that it needs of a table first: who is let in between would stand in its way, and it in theirs.
struct Step {
    text: &'static str,
    /// The oldest version of the store that works with the tables after it.
    works_from: i32,
}

const STEPS: [Step; 2] = [
    Step { text: include_str!("schema.sql"), works_from: 1 },
    Step { text: include_str!("step_2.sql"), works_from: 1 },
];
/// The oldest version of the tables that this program works with: what the steps after it bring makes it faster, and no more.
const NEEDED: i32 = 1;

const TABLE: &str = "CREATE TABLE ddd.migration (version INTEGER PRIMARY KEY, works_from INTEGER NOT NULL, \
                     at TIMESTAMPTZ NOT NULL DEFAULT now());\n";

/// So long steps may take, all together.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// So often the steps are tried, with such pauses between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);
/// So long a step waits for who uses a table, in milliseconds: whoever comes meanwhile waits behind it.
const LOCK_TIMEOUT: u32 = 2_000;
/// A machine that vanishes between two steps leaves its locks no longer than this, in milliseconds.
const IDLE_TIMEOUT: u32 = 60_000;

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are few")]
const NEWEST: i32 = STEPS.len() as i32;

/// The steps after a version of the tables as one script, for those who run it by hand; after zero it makes all.
pub(super) fn script(texts: &Texts, from: u32) -> String {
    if from as usize >= STEPS.len() {
        return String::new();
    }
    let mut script = String::from("BEGIN;\n");
    if from > 0 {
        script.push_str(&format!("SET LOCAL lock_timeout = {LOCK_TIMEOUT};\n"));
    } else {
        script.push_str(&format!("CREATE SCHEMA IF NOT EXISTS {};\n{}", texts.schema(), texts.once(TABLE).as_str()));
    }
    for (step, version) in STEPS.iter().zip(1..).skip(from as usize) {
        script.push_str(texts.once(step.text).as_str());
        script.push_str(texts.once(&note(version, step)).as_str());
    }
    script.push_str("COMMIT;\n");
    script
}

fn note(version: i32, step: &Step) -> String {
    format!("INSERT INTO ddd.migration (version, works_from) VALUES ({version}, {});\n", step.works_from)
}

impl Core {
    /// Brings the tables to this version, in one transaction; of many processes that try, one does it.
    pub(super) async fn migrate(self: &Arc<Self>) -> Result<(), StoreError> {
        let version = self.call(|core, conn| Box::pin(async move { core.version(conn).await })).await?;
        if version >= NEWEST {
            return Ok(());
        }
        // The server answers. From here on it may take longer than a call.
        let patient = self.over(self.pool.clone(), PATIENCE);
        for _ in 1..TRIES {
            match patient.call(|core, conn| Box::pin(async move { core.migrate_over(conn).await })).await {
                // Somebody used a table for too long: those who wait behind the step go first, then it tries again.
                Err(error) if error.is_transient() => tokio::time::sleep(PAUSE.mul_f64(0.5 + fastrand::f64())).await,
                answer => return answer,
            }
        }
        patient.call(|core, conn| Box::pin(async move { core.migrate_over(conn).await })).await
    }

    /// The same at the start of a program. If it fails, and the program works with the tables as they are, they stay: somebody uses them
    /// without end, or another role may change them.
    pub(super) async fn migrate_if_possible(self: &Arc<Self>) -> Result<(), StoreError> {
        let version = self.call(|core, conn| Box::pin(async move { core.version(conn).await })).await?;
        match self.migrate().await {
            Err(error) if version >= NEEDED => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    version,
                    "the tables are used as they are: to bring them to version {NEWEST} failed"
                );
                Ok(())
            }
            answer => answer,
        }
    }

    async fn migrate_over(&self, conn: &mut PgConnection) -> Outcome<()> {
        let text = format!(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *conn).await?;
        let done = self.take_steps(conn).await;
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        sqlx::raw_sql(end).execute(conn).await?;
        done
    }

    async fn take_steps(&self, conn: &mut PgConnection) -> Outcome<()> {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended('ddd.migration', 0))";
        sqlx::query(self.texts.of(lock)).execute(&mut *conn).await?;
        let limit = format!("SET LOCAL lock_timeout = {LOCK_TIMEOUT}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(limit)).execute(&mut *conn).await?;
        let at = self.version(conn).await?;
        if at == 0 {
            // Making what is there takes rights, even if it says `IF NOT EXISTS`.
            let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
                .bind(self.texts.schema())
                .fetch_one(&mut *conn)
                .await?;
            if !exists {
                let create = format!("CREATE SCHEMA {}", self.texts.schema());
                sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut *conn).await?;
            }
            sqlx::raw_sql(self.texts.once(TABLE)).execute(&mut *conn).await?;
        }
        for (step, version) in STEPS.iter().zip(1..).filter(|it| it.1 > at) {
            sqlx::raw_sql(self.texts.once(step.text)).execute(&mut *conn).await?;
            sqlx::raw_sql(self.texts.once(&note(version, step))).execute(&mut *conn).await?;
        }
        Ok(())
    }

    /// Which version the tables are of; zero if there are none.
    async fn version(&self, conn: &mut PgConnection) -> Outcome<i32> {
        // Asked of the catalogue as of a table: `to_regclass` may answer from what this connection remembers of the time before
        // another one made it.
        let is_there = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                        WHERE n.nspname = $1 AND c.relname = 'migration')";
        let is_there: bool = sqlx::query_scalar(is_there).bind(self.texts.schema()).fetch_one(&mut *conn).await?;
        if !is_there {
            return Ok(0);
        }
        let text = "SELECT version, works_from FROM ddd.migration ORDER BY version DESC LIMIT 1";
        let found: Option<(i32, i32)> = sqlx::query_as(self.texts.of(text)).fetch_optional(conn).await?;
        match found {
            Some((version, works_from)) if works_from > NEWEST => {
                self.outgrown_by.store(version, Ordering::Relaxed);
                Err(too_new(&self.shared, version))
            }
            Some((version, _)) => Ok(version),
            None => Ok(0),
        }
    }

    /// Stops a program that runs while the tables become too new for it.
    pub(super) async fn keep_up(&self, conn: &mut PgConnection) -> Outcome<()> {
        let text = "SELECT version FROM ddd.migration WHERE works_from > $1 LIMIT 1";
        if let Some(version) = sqlx::query_scalar(self.texts.of(text)).bind(NEWEST).fetch_optional(conn).await? {
            self.outgrown_by.store(version, Ordering::Relaxed);
        }
        self.is_current()
    }

    /// Whether the tables are not too new, as far as is known. They do not become older again.
    pub(super) fn is_current(&self) -> Outcome<()> {
        match self.outgrown_by.load(Ordering::Relaxed) {
            0 => Ok(()),
            version => Err(too_new(&self.shared, version)),
        }
    }

    /// Whether the tables are there, in a version that this program works with.
    pub(super) async fn check(&self, conn: &mut PgConnection) -> Outcome<()> {
        let version = self.version(conn).await?;
        if version >= NEEDED {
            return Ok(());
        }
        let problem = format!(
            "the tables in schema `{}` are of version {version}, and this program needs {NEEDED}: run the migrations \
             (`PostgresStore::migrate`, or the text of `PostgresStore::migrations`)",
            self.texts.schema()
        );
        Err(StoreError::new(StoreErrorKind::Misconfigured, problem).into())
    }
}

fn too_new(shared: &Shared, version: i32) -> Trouble {
    let problem = format!(
        "the tables in schema `{}` are of version {version}, which this program is too old for; it knows up to {NEWEST}: \
         update it, or use another namespace",
        shared.texts.schema()
    );
    StoreError::new(StoreErrorKind::Misconfigured, problem).into()
}
