//! Submission inside the user's own transaction.

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection, Postgres, Row as _, Transaction};

use super::{
    ambient,
    core::Core,
    enqueue::Ownership,
    error::{Outcome, corrupt},
    home::Home,
    names,
    notices::payload,
    numbers::{count, time},
    sent,
    session::Session,
    store::PostgresStore,
};
use crate::{
    domain::Name,
    ports::{BoxFuture, Enlist, Enqueued, NewTask, StoreError, StoreErrorKind, StorePlace},
};

/// A connection of yours that takes tasks of one store along; see [`PostgresStore::on`].
#[derive(Debug)]
pub struct PostgresConnection<'c> {
    core: Arc<Core>,
    conn: &'c mut PgConnection,
}

impl PostgresStore {
    /// A connection of yours, for tasks of this store. For submissions `.within(&mut tx)` is enough: they go to the application's
    /// own store, and are refused if that is another one than this.
    pub fn on<'c>(&self, conn: &'c mut PgConnection) -> PostgresConnection<'c> {
        PostgresConnection { core: self.core.clone(), conn }
    }
}

impl Enlist for PostgresConnection<'_> {
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        let core = self.core.clone();
        Box::pin(async move { enlist(core, self.conn, &tasks).await.map_err(|it| it.error) })
    }

    fn enlist_in(
        &mut self,
        place: &StorePlace,
        tasks: Vec<NewTask>,
    ) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        match place.check(&self.core.place()) {
            Ok(()) => self.enlist(tasks),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

/// Tasks exist if and only if what this connection does commits: at once, if it is in no transaction.
impl Enlist for PgConnection {
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        Box::pin(async move { enlist(ambient::only()?, self, &tasks).await.map_err(|it| it.error) })
    }

    fn enlist_in(
        &mut self,
        place: &StorePlace,
        tasks: Vec<NewTask>,
    ) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        let core = ambient::of(place);
        Box::pin(async move { enlist(core?, self, &tasks).await.map_err(|it| it.error) })
    }
}

/// Tasks exist if and only if the transaction commits. Workers are woken by its commit.
impl Enlist for Transaction<'_, Postgres> {
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        (**self).enlist(tasks)
    }

    fn enlist_in(
        &mut self,
        place: &StorePlace,
        tasks: Vec<NewTask>,
    ) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        (**self).enlist_in(place, tasks)
    }
}

/// What the server says to a savepoint there.
const OUTSIDE_OF_A_TRANSACTION: &str = "25P01";
/// And to any statement there.
const IN_AN_ABORTED_TRANSACTION: &str = "25P02";
/// And to a statement about a table that is not there.
const NO_SUCH_TABLE: &str = "42P01";

async fn enlist(core: Arc<Core>, conn: &mut PgConnection, tasks: &[NewTask]) -> Outcome<Vec<Enqueued>> {
    match sqlx::raw_sql("SAVEPOINT ddd; RELEASE SAVEPOINT ddd").execute(&mut *conn).await {
        Ok(_) => enlist_within(core, conn, tasks).await,
        Err(sqlx::Error::Database(it)) if it.code().as_deref() == Some(OUTSIDE_OF_A_TRANSACTION) => {
            // What is locked for a key has to stay so until the task of the key is there.
            let mut own = conn.begin().await?;
            let answers = enlist_within(core, &mut own, tasks).await?;
            own.commit().await?;
            Ok(answers)
        }
        Err(sqlx::Error::Database(it)) if it.code().as_deref() == Some(IN_AN_ABORTED_TRANSACTION) => {
            let problem = "a statement before this one failed: roll the transaction back, and begin another one";
            Err(StoreError::new(StoreErrorKind::Aborted, problem).into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn enlist_within(core: Arc<Core>, conn: &mut PgConnection, tasks: &[NewTask]) -> Outcome<Vec<Enqueued>> {
    for task in tasks {
        // If the transaction is rolled back nobody holds the watcher for long.
        if let Some(watcher) = &task.watcher {
            core.told.watch(task.id, watcher.clone());
        }
    }
    number_outside(&core, tasks).await;
    // From here on they may be on record.
    sent::are_new(tasks.iter().map(|it| it.id));
    let text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, current_database()::text, \
                (SELECT value FROM ddd.setting WHERE name = 'channel')";
    let found = sqlx::query_as(core.texts.of(text)).fetch_one(&mut *conn).await;
    let (now, database, token): (i64, String, _) = match (found, core.home.get()) {
        (Err(sqlx::Error::Database(it)), Some(home)) if it.code().as_deref() == Some(NO_SUCH_TABLE) => {
            return Err(home.elsewhere("to where its tables are not").into());
        }
        (found, _) => found?,
    };
    if let Some(home) = core.home.get() {
        home.check(&database, token)?;
    }
    let mut session = Session::new(conn, core.clone(), time(now.saturating_add(core.offset())));
    session.number(tasks).await?;
    let answers = session.enqueue(tasks, Ownership::User).await?;
    session.save().await?;
    let queues = session.fx.ready.iter().map(|it| it.0.as_str()).collect::<Vec<_>>();
    if !queues.is_empty() && core.notices.are_heard {
        // From nobody: this process hears it too, when it is true.
        let payload = payload(0, queues.into_iter());
        let channel = core.channel(&mut *session.conn).await?;
        sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(payload).execute(session.conn).await?;
    }
    Ok(answers)
}

impl Core {
    /// Notes where the store's own connections lead.
    pub(super) async fn find_home(self: &Arc<Self>) -> Result<(), StoreError> {
        let home = self.call(|core, conn| {
            Box::pin(async move {
                let text = "SELECT current_database()::text, value FROM ddd.setting WHERE name = 'channel'";
                let is_open = core.open(conn).await?;
                let row = sqlx::query(core.texts.of(text)).fetch_one(&mut *conn).await;
                let row = core.close(conn, is_open, row).await?;
                Ok(Home { database: row.try_get(0)?, token: row.try_get(1)? })
            })
        });
        let home = home.await?;
        self.home.get_or_init(|| home);
        Ok(())
    }
}

/// Gives numbers to queues and kinds that have none, over a connection of the store's own: in the user's transaction they would be
/// locked until its end, and everybody else who names them first would wait for that.
async fn number_outside(core: &Arc<Core>, tasks: &[NewTask]) {
    if !core.names.are_doubted() && tasks.iter().all(|it| core.names.numbers(it).is_some()) {
        return;
    }
    let names = tasks.iter().map(|it| (it.queue.clone(), it.name.clone(), it.version)).collect::<Vec<_>>();
    let names = Arc::new(names);
    let numbered = core.call(move |core, conn| {
        let names = names.clone();
        Box::pin(async move {
            let queues = names.iter().map(|it| &it.0).collect::<Vec<_>>();
            let kinds = names.iter().map(|it| (&it.1, it.2)).collect::<Vec<_>>();
            core.names.make(conn, &core.texts, &queues, &kinds).await
        })
    });
    if let Err(error) = numbered.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "names are numbered in the user's transaction");
    }
}

impl Session<'_> {
    /// Gives numbers to queues and kinds that still have none, within this transaction: they are gone with it.
    async fn number(&mut self, tasks: &[NewTask]) -> Outcome<()> {
        let core = self.core.clone();
        let queues = tasks.iter().map(|it| it.queue.as_str()).filter(|it| core.names.queue(it).is_none());
        let kinds = tasks.iter().map(|it| (&it.name, it.version));
        let kinds = kinds.filter(|(name, version)| core.names.kind(name, *version).is_none()).collect::<Vec<_>>();
        let texts = kinds.iter().map(|it| (it.0.as_str(), it.1)).collect::<Vec<_>>();
        names::insert(self.conn, &core.texts, &queues.collect::<Vec<_>>(), &texts).await?;
        if kinds.is_empty() {
            return Ok(());
        }
        let text = "SELECT number, name, version FROM ddd.kind WHERE name = ANY($1)";
        let names = texts.iter().map(|it| it.0).collect::<Vec<_>>();
        for row in sqlx::query(core.texts.of(text)).bind(names).fetch_all(&mut *self.conn).await? {
            let name = Name::from(row.try_get::<&str, _>(1)?);
            self.own_kinds.insert((name, count(row.try_get(2)?)), row.try_get(0)?);
        }
        if self.own_kinds.is_empty() { Err(corrupt("a kind has no number")) } else { Ok(()) }
    }
}
