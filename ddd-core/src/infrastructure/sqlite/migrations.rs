use rusqlite::{Connection, OptionalExtension};

use super::error::{Outcome, Trouble};
use crate::ports::{StoreError, StoreErrorKind};

/// The steps from an empty file to the tables of this version. A step that was released is never changed.
const STEPS: [&str; 1] = [include_str!("schema.sql")];

/// Brings the tables to this version, in one transaction; of many processes that try, one does it.
pub(super) fn migrate(db: &Connection) -> Outcome<()> {
    if version(db)? == STEPS.len() {
        return Ok(());
    }
    db.execute_batch("BEGIN IMMEDIATE")?;
    let done = take_steps(db).and_then(|()| Ok(db.execute_batch("COMMIT")?));
    if done.is_err() {
        // The error that led here is the one to tell.
        let _ = db.execute_batch("ROLLBACK");
    }
    done
}

fn take_steps(db: &Connection) -> Outcome<()> {
    let at = version(db)?;
    if at > STEPS.len() {
        return Err(too_new(at));
    }
    db.execute_batch("CREATE TABLE IF NOT EXISTS ddd_schema (version INTEGER NOT NULL)")?;
    for step in STEPS.iter().skip(at) {
        db.execute_batch(step)?;
    }
    db.execute("DELETE FROM ddd_schema", [])?;
    db.execute("INSERT INTO ddd_schema VALUES (?1)", [STEPS.len()])?;
    Ok(())
}

/// Which version the file's tables are of; zero if there are none.
fn version(db: &Connection) -> Outcome<usize> {
    let is_there = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'ddd_schema'")?.exists([])?;
    if !is_there {
        return Ok(0);
    }
    let version = db.query_row("SELECT version FROM ddd_schema", [], |row| row.get::<_, usize>(0)).optional()?;
    let version = version.unwrap_or(0);
    if version > STEPS.len() { Err(too_new(version)) } else { Ok(version) }
}

fn too_new(version: usize) -> Trouble {
    let known = STEPS.len();
    let problem = format!(
        "the tables of the file are of version {version}, written by a newer program; this one knows up to {known}: \
         update it, or use another file"
    );
    Trouble(StoreError::new(StoreErrorKind::Misconfigured, problem))
}
