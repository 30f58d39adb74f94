//! The one thread that owns a writing connection. What was asked meanwhile is written in one transaction, and answered after
//! its commit: a sync to disk costs the same for one request as for hundreds.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    connection::begin,
    error::{Outcome, copy_of, corrupt},
    options::Durability,
    session::{Memory, Session},
    shared::Shared,
};
use crate::ports::{StoreError, StoreErrorKind, StoreFuture};

/// So many requests may wait; a further one waits to be let in.
const WAITING: usize = 1_024;
/// So many are written in one transaction.
const GROUP: usize = 512;
/// After so long a writer looks whether other processes write, and lets them in between.
const ALONE: Duration = Duration::from_millis(20);
const GAP: Duration = Duration::from_millis(1);

/// Whether an answer promises that what was done outlives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    Lasting,
    /// Synced with what comes next: it would only have to be done again.
    Passing,
}

/// Something to do in a transaction, and whom to answer after its commit.
trait Request: Send {
    fn promise(&self) -> Promise;
    fn run(&mut self, session: &mut Session<'_>) -> Outcome<()>;
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

struct Asked<T, F> {
    promise: Promise,
    work: Option<F>,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&mut Session<'_>) -> Outcome<T> + Send> Request for Asked<T, F> {
    fn promise(&self) -> Promise {
        self.promise
    }

    fn run(&mut self, session: &mut Session<'_>) -> Outcome<()> {
        let work = self.work.take().ok_or_else(|| corrupt("a request was run twice"))?;
        self.done = Some(work(session)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let answer = match (failure, self.done) {
            (None, Some(done)) => Ok(done),
            (Some(error), _) => Err(error),
            (None, None) => Err(gone()),
        };
        // Nobody waits any more: what was done stays done.
        drop(self.answer.send(answer));
    }
}

fn gone() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the thread that writes the file has ended")
}

/// How a writer is asked.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Request>>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the thread. It ends when nobody can ask any more.
    pub(super) fn start(db: Connection, shared: Arc<Shared>, name: &str) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let is_synced = shared.options.durability == Durability::Full;
        let thread =
            WriterThread { db, shared, memory: Memory::default(), is_synced, looked_at: Instant::now(), version: 0 };
        thread::Builder::new().name(name.to_owned()).spawn(move || thread.live(receiver))?;
        Ok(Self(sender))
    }

    /// Does `work` in a transaction; the answer comes after its commit.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        promise: Promise,
        work: impl FnOnce(&mut Session<'_>) -> Outcome<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let sender = self.0.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let asked = Asked { promise, work: Some(work), done: None, answer };
            sender.send(Box::new(asked)).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

struct WriterThread {
    db: Connection,
    shared: Arc<Shared>,
    memory: Memory,
    /// Whether a commit is synced as it now is.
    is_synced: bool,
    looked_at: Instant,
    version: i64,
}

impl WriterThread {
    fn live(mut self, mut receiver: mpsc::Receiver<Box<dyn Request>>) {
        let mut group = Vec::new();
        while let Some(first) = receiver.blocking_recv() {
            group.push(first);
            while group.len() < GROUP
                && let Ok(next) = receiver.try_recv()
            {
                group.push(next);
            }
            let shared = self.shared.clone();
            let turn = shared.turn();
            self.write(&mut group);
            drop(turn);
            self.make_room();
        }
    }

    /// Does a group of requests in one transaction, tells what it led to, and answers.
    fn write(&mut self, group: &mut Vec<Box<dyn Request>>) {
        let mut failures = Vec::with_capacity(group.len());
        let done = self.transact(group, &mut failures);
        self.memory.queues.clear();
        match done {
            Ok(()) => self.shared.told.tell(&mut self.memory.fx),
            Err(error) => {
                if !self.db.is_autocommit() {
                    // What led here is the one to tell.
                    let _ = self.db.execute_batch("ROLLBACK");
                }
                self.memory.clear();
                failures.clear();
                failures.extend(group.iter().map(|_| Some(copy_of(&error))));
            }
        }
        for (request, failure) in group.drain(..).zip(failures) {
            request.answer(failure);
        }
    }

    fn transact(
        &mut self,
        group: &mut [Box<dyn Request>],
        failures: &mut Vec<Option<StoreError>>,
    ) -> Result<(), StoreError> {
        self.sync_if(group.iter().any(|it| it.promise() == Promise::Lasting)).map_err(|it| it.0)?;
        begin(&self.db, self.shared.options.busy_timeout).map_err(|it| it.0)?;
        self.memory.settings = self.shared.settings();
        self.memory.fx.is_heard = self.shared.told.is_anyone_there();
        self.memory.now = self.shared.tick();
        let is_alone = group.len() == 1;
        for request in group {
            failures.push(self.run(&mut **request, is_alone)?);
        }
        let mut commit = || {
            self.memory.tallies.flush(&self.db)?;
            Ok(self.db.execute_batch("COMMIT")?)
        };
        let committed: Outcome<()> = commit();
        committed.map_err(|it| it.0)
    }

    /// Does one request. One that fails is undone, and the others of its group are not.
    fn run(&mut self, request: &mut dyn Request, is_alone: bool) -> Result<Option<StoreError>, StoreError> {
        let mark = self.memory.fx.mark();
        let point = |statement: &str| {
            let done = self.db.prepare_cached(statement).and_then(|mut it| it.execute([]));
            done.map(drop).map_err(|it| super::error::Trouble::from(it).0)
        };
        if !is_alone {
            point("SAVEPOINT request")?;
        }
        let mut session = Session { db: &self.db, memory: &mut self.memory };
        // A request that panics is one that fails: the thread lives on.
        let done = catch_unwind(AssertUnwindSafe(|| request.run(&mut session)));
        let error = match done {
            Ok(Ok(())) => {
                if !is_alone {
                    point("RELEASE request")?;
                }
                self.memory.tallies.keep();
                return Ok(None);
            }
            Ok(Err(trouble)) => trouble.0,
            Err(_) => StoreError::new(StoreErrorKind::Unavailable, "a request to the store panicked"),
        };
        // Some errors undo the whole transaction: then nothing of the group was done.
        if is_alone || self.db.is_autocommit() {
            return Err(error);
        }
        point("ROLLBACK TO request")?;
        point("RELEASE request")?;
        self.memory.fx.roll_back(mark);
        self.memory.tallies.roll_back();
        self.memory.names.clear();
        self.memory.queues.clear();
        self.memory.known.clear();
        Ok(Some(error))
    }

    /// Whether the next commit is to be synced. What need not be is written to the log, and synced with the next that must.
    fn sync_if(&mut self, must: bool) -> Outcome<()> {
        if self.shared.options.durability == Durability::Full && self.is_synced != must {
            self.db.execute_batch(if must { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })?;
            self.is_synced = must;
        }
        Ok(())
    }

    /// Who writes without a pause leaves others no gap. If there are others, there is one now and then.
    fn make_room(&mut self) {
        if self.looked_at.elapsed() < ALONE {
            return;
        }
        let version = self.db.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap_or(self.version);
        if version != self.version {
            self.version = version;
            thread::sleep(GAP);
        }
        self.looked_at = Instant::now();
    }
}
