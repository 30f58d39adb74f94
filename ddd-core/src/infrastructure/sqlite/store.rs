use std::{
    path::Path,
    sync::{Arc, Weak},
};

use super::{
    connection::open_writer,
    error::{Outcome, Trouble},
    lookout,
    migrations::migrate,
    options::SqliteOptions,
    reader::Readers,
    shared::Shared,
    transaction::place_of,
    writer::{Promise, Writer},
};
use crate::{
    domain::{Cursor, Filter, Page, Statistics, TaskId, TaskRecord, TaskSummary, WorkerId},
    infrastructure::sql::to_text,
    ports::{
        Capabilities, ClaimRequest, Claims, Clock, Control, Controlled, Declaration, Enqueued, Finish, Finished,
        Heartbeat, NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, Signal,
        SignalSink, StoreError, StoreErrorKind, StoreFuture, StorePlace, StoreSettings, TaskStore, Watcher,
        WorkerState,
    },
};

/// Tasks in an SQLite file: durable on one machine, for one process or several, without a server.
///
/// What is acknowledged is synced to disk, unless [`SqliteOptions::durability`] says otherwise. All that is asked while a
/// transaction is written goes into the next one together. A clone is another handle of the same store.
///
/// The file may hold the user's own tables too: then tasks are submitted in the user's transactions, with
/// [`Submission::enlist`](crate::Submission::enlist) on a `rusqlite` connection.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("ddd-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("tasks.db");
/// use ddd_core::{App, SqliteStore};
///
/// let builder = App::builder().store(SqliteStore::open(path)?);
/// # drop(builder);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// The statement that submits a task over a connection that is not `rusqlite`'s, such as one of sqlx: it has two
    /// parameters, which [`SqliteStore::enlist_values`] gives. The task exists if and only if the transaction commits, and the
    /// store takes it in with its next look.
    ///
    /// No answer comes back: a unique key or an idempotency key that is taken is seen when it is taken in, and drops the
    /// task; a full queue takes it all the same.
    pub const ENLIST: &'static str = "INSERT INTO ddd_inbox (id, task) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

    /// Opens a file with the default options, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`SqliteOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options(path).open()
    }

    /// How a file is to be opened.
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path.as_ref())
    }

    /// The parameters of [`SqliteStore::ENLIST`], for this task: both are text.
    ///
    /// # Errors
    /// The task cannot be written as text.
    pub fn enlist_values(task: &NewTask) -> Result<(String, String), StoreError> {
        Ok((task.id.to_string(), to_text(task)?))
    }

    pub(super) fn open_with(options: SqliteOptions) -> Result<Self, StoreError> {
        let options = options.checked()?;
        let open = || -> Outcome<Self> {
            let db = open_writer(&options)?;
            migrate(&db)?;
            let shared = Arc::new(Shared::new(options));
            let writer = Writer::start(db, shared.clone(), "ddd-sqlite-write").map_err(no_thread)?;
            let readers = Readers::start(&shared)?;
            lookout::start(&shared)?;
            Ok(Self { readers, shared, writer })
        };
        open().map_err(|it| it.0)
    }

    /// The same file over a writing connection of its own.
    fn beside(&self) -> Outcome<Self> {
        let db = open_writer(&self.shared.options)?;
        let writer = Writer::start(db, self.shared.clone(), "ddd-sqlite-beat").map_err(no_thread)?;
        Ok(Self { shared: self.shared.clone(), writer, readers: self.readers.clone() })
    }
}

impl SqliteOptions {
    /// Opens the file, and makes it and its tables if they are not there.
    ///
    /// # Errors
    /// The options give no time to read; or the file cannot be opened or written, holds tables of a newer version, or is no database.
    pub fn open(self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(self)
    }
}

fn no_thread(error: std::io::Error) -> Trouble {
    Trouble(StoreError::new(StoreErrorKind::Unavailable, error))
}

impl TaskStore for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self) -> StorePlace {
        place_of(&self.shared.options.path)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true, transactional: true }
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        self.shared.set_settings(settings.clone());
        self.writer.ask(Promise::Lasting, move |it| it.configure(&settings))
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.writer.ask(Promise::Lasting, move |it| it.enqueue_all(&tasks))
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(self.shared.options.clock.clone())
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        self.writer.ask(Promise::Passing, move |it| it.claim(&request))
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.writer.ask(Promise::Lasting, move |it| it.finish_all(&finishes))
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.writer.ask(Promise::Passing, move |it| it.heartbeat(&heartbeat))
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        self.writer.ask(Promise::Passing, move |it| it.progress_all(&reports))
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.writer.ask(Promise::Lasting, move |it| it.reap(max))
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        self.writer.ask(Promise::Passing, move |it| it.declare(&declaration))
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.writer.ask(Promise::Passing, move |it| it.withdraw(worker))
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        self.writer.ask(Promise::Lasting, move |it| it.control(&command))
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        self.readers.ask(move |it| it.get(&ids))
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        self.readers.ask(move |it| it.list(&filter, cursor, limit))
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        self.readers.ask(move |it| it.positions(&ids, most))
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        self.readers.ask(|it| it.statistics())
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        self.readers.ask(|it| it.queue_states())
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        self.readers.ask(|it| it.worker_states())
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.writer.ask(Promise::Lasting, move |it| it.schedule(&command))
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        self.shared.told.watch(id, watcher);
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.shared.told.attach(sink);
    }

    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        let this = self.clone();
        // It opens a file, which takes as long as the disk does: the one who asks has a thread for it.
        Box::pin(async move { this.beside().map(|it| Arc::new(it) as Arc<dyn TaskStore>).map_err(|it| it.0) })
    }
}
