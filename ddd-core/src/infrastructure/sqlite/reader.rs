//! Threads that read, each over a connection of its own, so that a long list holds up neither writes nor short questions.

use std::{sync::Arc, thread};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    connection::open_reader,
    error::{Outcome, Trouble},
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
}

type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// How readers are asked.
#[derive(Clone, Debug)]
pub(super) struct Readers(mpsc::Sender<Question>);

impl Readers {
    pub(super) fn start(shared: &Arc<Shared>) -> Outcome<Self> {
        let (sender, receiver) = mpsc::channel::<Question>(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..shared.options.readers {
            let mut reader =
                Reader { db: open_reader(&shared.options)?, names: Names::default(), shared: shared.clone() };
            let receiver = receiver.clone();
            let live = move || {
                loop {
                    let question = receiver.lock().blocking_recv();
                    let Some(question) = question else { return };
                    question(&mut reader);
                }
            };
            let thread = thread::Builder::new().name(format!("ddd-sqlite-read-{number}")).spawn(live);
            thread.map_err(|error| Trouble(StoreError::new(StoreErrorKind::Unavailable, error)))?;
        }
        Ok(Self(sender))
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader) -> Outcome<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let sender = self.0.clone();
        let gone = || StoreError::new(StoreErrorKind::Unavailable, "the threads that read the file have ended");
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let question = move |reader: &mut Reader| {
                let _ = answer.send(reader.in_snapshot(work).map_err(|it| it.0));
            };
            sender.send(Box::new(question)).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

impl Reader {
    /// One look at the file as it is at one instant, however many statements it takes.
    fn in_snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.db.execute_batch("BEGIN")?;
        let answer = work(self);
        self.db.execute_batch("COMMIT")?;
        answer
    }
}
