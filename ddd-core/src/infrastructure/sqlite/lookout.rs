//! Sees that other hands wrote to the file: other processes, and the user's own transactions. It only wakes who waits; what
//! there is to do is asked as always.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use rusqlite::Connection;

use super::{
    connection::open_reader,
    error::{Outcome, Trouble},
    shared::Shared,
};
use crate::{
    domain::Name,
    ports::{StoreError, StoreErrorKind},
};

/// How often it looks. A look reads one number from shared memory.
const EVERY: Duration = Duration::from_millis(50);

/// Starts looking; ends with the store.
pub(super) fn start(shared: &Arc<Shared>) -> Outcome<()> {
    let db = open_reader(&shared.options)?;
    let shared = Arc::downgrade(shared);
    let look = move || look_again_and_again(&db, &shared);
    let thread = thread::Builder::new().name("ddd-sqlite-look".to_owned()).spawn(look);
    thread.map(drop).map_err(|error| Trouble(StoreError::new(StoreErrorKind::Unavailable, error)))
}

fn look_again_and_again(db: &Connection, shared: &Weak<Shared>) {
    let mut last = version(db);
    loop {
        thread::sleep(EVERY);
        let Some(shared) = shared.upgrade() else { return };
        let now = version(db);
        if now != last && shared.told.is_anyone_there() {
            shared.told.nudge(&queues(db).unwrap_or_default());
        }
        last = now;
    }
}

/// A number that changes with each commit over another connection.
fn version(db: &Connection) -> Option<i64> {
    db.query_row("PRAGMA data_version", [], |row| row.get(0)).ok()
}

fn queues(db: &Connection) -> Outcome<Vec<Name>> {
    let mut find = db.prepare_cached("SELECT name FROM ddd_queue")?;
    let names = find.query_map([], |row| row.get::<_, String>(0))?;
    Ok(names.map(|it| it.map(Name::from)).collect::<Result<_, _>>()?)
}
