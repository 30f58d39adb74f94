use std::path::Path;

use rusqlite::{Connection, Savepoint, Transaction};

use super::{
    error::Outcome,
    session::{Memory, Session},
};
use crate::{
    infrastructure::clock::SystemClock,
    ports::{Clock, EnlistNow, Enqueued, NewTask, StoreError, StorePlace},
};

/// Tasks of the user's own transaction, which derefs to its connection: they exist if and only if it commits. The file must be
/// one that a [`SqliteStore`](super::SqliteStore) has opened.
///
/// The time is the operating system's. Workers find the tasks with their next look, at the latest after their poll interval.
///
/// ```
/// # async fn example(app: ddd_core::App, mut connection: rusqlite::Connection) -> Result<(), Box<dyn std::error::Error>> {
/// # use ddd_core::EnlistNow;
/// let transaction = connection.transaction()?;
/// transaction.execute("INSERT INTO orders (id) VALUES (4711)", [])?;
/// app.submit_named("confirm_order", &serde_json::json!({ "order": 4711 })).enlist(&transaction)?;
/// transaction.commit()?;
/// # Ok(()) }
/// ```
impl EnlistNow for Connection {
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        let mut memory = Memory { now: SystemClock.now(), ..Memory::default() };
        enlist(self, &mut memory, &tasks).map_err(|it| it.0)
    }

    fn enlist_in(&self, place: &StorePlace, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        let there = self.path().filter(|it| !it.is_empty());
        place.check(&place_of(Path::new(there.unwrap_or(":memory:"))))?;
        EnlistNow::enlist(self, tasks)
    }
}

impl EnlistNow for Transaction<'_> {
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        Connection::enlist(self, tasks)
    }

    fn enlist_in(&self, place: &StorePlace, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        Connection::enlist_in(self, place, tasks)
    }
}

impl EnlistNow for Savepoint<'_> {
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        Connection::enlist(self, tasks)
    }

    fn enlist_in(&self, place: &StorePlace, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        Connection::enlist_in(self, place, tasks)
    }
}

/// One file, however its path is written.
pub(super) fn place_of(path: &Path) -> StorePlace {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    StorePlace::new("sqlite", path.to_string_lossy())
}

fn enlist(db: &Connection, memory: &mut Memory, tasks: &[NewTask]) -> Outcome<Vec<Enqueued>> {
    db.execute_batch("SAVEPOINT ddd_enlist")?;
    let answers = Session { db, memory }.enqueue_all(tasks).and_then(|answers| {
        memory.tallies.flush(db)?;
        Ok(answers)
    });
    if answers.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK TO ddd_enlist")?;
    }
    if !db.is_autocommit() {
        db.execute_batch("RELEASE ddd_enlist")?;
    }
    answers
}
