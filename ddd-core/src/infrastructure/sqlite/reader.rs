//! Threads that read, each over a connection of its own, so that a long list holds up neither writes nor short questions.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    connection::open_reader,
    deadline::Deadline,
    error::{Outcome, Trouble, too_late},
    names::Names,
    shared::Shared,
};
use crate::ports::{StoreError, StoreErrorKind, StoreFuture};

const WAITING: usize = 1_024;

/// A connection that reads, with what it has learned.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) db: Connection,
    pub(super) names: Names,
    pub(super) shared: Arc<Shared>,
    deadline: Deadline,
}

type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// How readers are asked.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    questions: mpsc::Sender<Question>,
    /// So long after it was asked a question is given up.
    patience: Duration,
}

impl Readers {
    pub(super) fn start(shared: &Arc<Shared>) -> Outcome<Self> {
        let (sender, receiver) = mpsc::channel::<Question>(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..shared.options.readers {
            let mut reader = Reader::new(open_reader(&shared.options)?, shared.clone())?;
            let receiver = receiver.clone();
            let live = move || {
                loop {
                    let question = receiver.lock().blocking_recv();
                    let Some(question) = question else { return };
                    // A question that panics is one without an answer: the thread lives on.
                    let _ = catch_unwind(AssertUnwindSafe(|| question(&mut reader)));
                    reader.end_snapshot();
                }
            };
            let thread = thread::Builder::new().name(format!("ddd-sqlite-read-{number}")).spawn(live);
            thread.map_err(|error| Trouble(StoreError::new(StoreErrorKind::Unavailable, error)))?;
        }
        Ok(Self { questions: sender, patience: shared.options.read_timeout })
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader) -> Outcome<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let sender = self.questions.clone();
        // It begins here: whoever asks waits for the questions before its own, too.
        let until = Instant::now() + self.patience;
        let gone = || StoreError::new(StoreErrorKind::Unavailable, "the threads that read the file have ended");
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let question = move |reader: &mut Reader| {
                let _ = answer.send(reader.answer(until, work).map_err(|it| it.0));
            };
            sender.send(Box::new(question)).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

impl Reader {
    fn new(db: Connection, shared: Arc<Shared>) -> Outcome<Self> {
        let deadline = Deadline::over(&db)?;
        Ok(Self { db, names: Names::default(), shared, deadline })
    }

    /// One look at the file as it is at one instant, however many statements it takes, unless they take longer than `until`.
    fn answer<T>(&mut self, until: Instant, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if Instant::now() >= until {
            return Err(too_late());
        }
        self.deadline.set(until);
        let answer = match self.db.execute_batch("BEGIN") {
            Ok(()) => work(self),
            Err(error) => Err(error.into()),
        };
        self.end_snapshot();
        answer
    }

    fn end_snapshot(&self) {
        self.deadline.lift();
        if !self.db.is_autocommit() {
            // It has only read: there is nothing to lose.
            let _ = self.db.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use super::*;
    use crate::{SqliteStore, infrastructure::sqlite::migrations::migrate};

    #[test]
    fn a_statement_that_takes_too_long_is_given_up_and_its_reader_goes_on() {
        let db = Connection::open_in_memory().unwrap();
        migrate(&db).unwrap();
        let mut reader = Reader::new(db, Arc::new(Shared::new(SqliteStore::options("unused")))).unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        let count = |reader: &mut Reader| Ok(reader.db.query_row(endless, [], |row| row.get::<_, i64>(0))?);
        let error = reader.answer(Instant::now() + Duration::from_millis(20), count).unwrap_err().0;
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert!(said.contains("`read_timeout`"), "{said}");
        let queues = reader.answer(Instant::now() + Duration::from_secs(60), |it| it.queue_states()).unwrap();
        assert!(queues.is_empty());
        let error = reader.answer(Instant::now(), |it| it.queue_states()).unwrap_err().0;
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "a question that waited too long is not looked into");
    }
}
