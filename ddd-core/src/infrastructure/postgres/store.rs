use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{ambient, beliefs, connections::single, core::Core, migrations};
use crate::{
    domain::{Cursor, Filter, Page, Statistics, TaskId, TaskRecord, TaskSummary, WorkerId},
    ports::{
        Attention, Capabilities, ClaimRequest, Claims, Control, Controlled, Declaration, Enqueued, Finish, Finished,
        Heartbeat, NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, Signal,
        SignalSink, StoreError, StoreFuture, StorePlace, StoreSettings, TaskStore, Watcher, WorkerState,
    },
};

/// So long a call over the connection for heartbeats takes at most.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(4);

/// Tasks in PostgreSQL: for many machines, and for submissions inside the user's own transactions.
///
/// A clone is another handle of the same store. Calls run in tasks of the runtime that polls them first, submissions in one for all
/// that go together: whoever drops such a future, as a timeout or `select!` does, stops nothing half-way and leaves no connection
/// in the middle of a transaction.
///
/// What is acknowledged is committed: it survives whatever the server's commits survive, which with `synchronous_commit = on` is
/// the loss of power.
///
/// ```no_run
/// # async fn run(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use ddd_core::{App, PostgresStore};
///
/// let app = App::builder().store(PostgresStore::new(pool).await?).build().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pub(super) core: Arc<Core>,
}

impl PostgresStore {
    pub(super) fn of(core: Arc<Core>) -> Self {
        ambient::add(&core);
        Self { core }
    }

    /// Makes the tables, or brings them to this version. Of many processes that do so at once, one does it; data stays, and
    /// programs of the version before go on.
    ///
    /// # Errors
    /// The server does not answer, the role may not make tables, or the tables are of a version that this program is too old
    /// for.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.core.migrate().await
    }

    /// Whether the tables are there, in a version that this program works with.
    ///
    /// # Errors
    /// They are not, or the server does not answer.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.core.call(|core, conn| Box::pin(async move { core.check(conn).await })).await
    }

    /// The statements that make the tables of this namespace, for those who run migrations by hand.
    #[must_use]
    pub fn migrations(&self) -> String {
        migrations::script(&self.core.texts, 0)
    }

    /// The statements that bring tables of `version` (the largest in `ddd.migration`) to that of this program; none if they are.
    #[must_use]
    pub fn migrations_since(&self, version: u32) -> String {
        migrations::script(&self.core.texts, version)
    }
}

/// A transaction that does something with `$given`, of which each try gets a copy.
macro_rules! transaction {
    ($store:expr, $session:ident, $given:ident => $work:expr) => {{
        let given = $given;
        $store.core.transaction(move |$session| {
            let $given = given.clone();
            Box::pin(async move { $work.await })
        })
    }};
}

/// A call that commits by itself.
macro_rules! call {
    ($store:expr, $core:ident, $conn:ident, $given:ident => $work:expr) => {{
        let given = Arc::new($given);
        $store.core.call(move |$core, $conn| {
            let $given = given.clone();
            Box::pin(async move { $work.await })
        })
    }};
}

/// One or a few statements that commit by themselves, together.
macro_rules! statement {
    ($store:expr, $core:ident, $conn:ident, $given:ident => $work:expr) => {{
        call!($store, $core, $conn, $given => async {
            let is_open = $core.open($conn).await?;
            let answer = $work.await;
            $core.close($conn, is_open, answer).await
        })
    }};
}

impl TaskStore for PostgresStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn place(&self) -> StorePlace {
        self.core.place()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true, transactional: true }
    }

    fn goes_on(&self) -> bool {
        true
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        *self.core.settings.write() = Arc::new(settings.clone());
        // Those that are not new as well: whoever set them may still wait, or have died before.
        let has_bounds = settings.queues.iter().any(|it| it.1.max_depth.is_some());
        let done = call!(self, core, conn, settings => core.configure(conn, &settings));
        Box::pin(async move {
            done.await?;
            if has_bounds {
                beliefs::forgotten().await;
            }
            Ok(())
        })
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.core.gather(tasks)
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        call!(self, core, conn, request => core.claim(conn, &request))
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        call!(self, core, conn, finishes => core.finish(conn, &finishes))
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        statement!(self, core, conn, heartbeat => core.heartbeat(conn, &heartbeat))
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        transaction!(self, session, reports => session.progress(reports))
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        call!(self, core, conn, max => core.reap(conn, *max))
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        self.core.notices.workers.lock().insert(declaration.worker);
        let done = call!(self, core, conn, declaration => core.declare(conn, &declaration));
        Box::pin(async move { done.await.map(|()| Reaped::default()) })
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.core.notices.workers.lock().remove(&worker);
        transaction!(self, session, worker => session.withdraw(worker))
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        transaction!(self, session, command => session.control(command))
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        statement!(self, core, conn, ids => core.get(conn, &ids))
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        self.core.list(filter, cursor, limit)
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        let asked = (ids, most);
        statement!(self, core, conn, asked => core.positions(conn, &asked.0, asked.1))
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        let all = ();
        transaction!(self, session, all => { let () = all; session.statistics() })
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        let all = ();
        transaction!(self, session, all => { let () = all; session.queues() })
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        let all = ();
        transaction!(self, session, all => { let () = all; session.workers() })
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        call!(self, core, conn, command => core.schedules(conn, &command))
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        self.core.told.watch(id, watcher);
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.core.told.attach(sink);
        self.core.listen();
    }

    fn attend(&self, to: Attention) {
        self.core.attend(to);
    }

    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        let core = self.core.clone();
        Box::pin(async move {
            // A heartbeat that hangs must be given up before the lease that it renews ends.
            let timeout = core.timeout.min(HEARTBEAT_TIMEOUT);
            let pool = single(&core.pool, timeout, &core.limit);
            Ok(Arc::new(Self { core: core.over(pool, timeout) }) as Arc<dyn TaskStore>)
        })
    }
}
