use std::{thread, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{
    error::{Outcome, Trouble},
    options::SqliteOptions,
};
use crate::ports::{StoreError, StoreErrorKind};

/// The first version without the bug by which two connections could spoil a write-ahead log.
const OLDEST: i32 = 3_051_003;
/// The log is brought into the file whenever it has so many pages, and cut to so many bytes.
const CHECKPOINT_PAGES: u32 = 4_000;
const LOG_BYTES: u32 = 64 << 20;
/// So many statements stay prepared.
const STATEMENTS: usize = 128;

/// A connection that writes.
pub(super) fn open_writer(options: &SqliteOptions) -> Outcome<Connection> {
    check_version()?;
    let db = open(options, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, options.cache_kib)?;
    // Answers with the mode; another one means that the file system cannot do it. While others do the same to a new file SQLite does
    // not wait by itself: of two that read and want to write, one has to let go.
    let set_mode = || db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
    let mode: String = when_free(&db, options.busy_timeout, set_mode)?;
    if !mode.eq_ignore_ascii_case("wal") {
        let problem = format!(
            "the file system of `{}` cannot share memory between processes, which a write-ahead log needs; use a local disk",
            options.path.display()
        );
        return Err(Trouble(StoreError::new(StoreErrorKind::Misconfigured, problem)));
    }
    db.execute_batch(&format!(
        "PRAGMA synchronous = {}; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA journal_size_limit = {LOG_BYTES}",
        options.durability.synchronous()
    ))?;
    if let Some(bytes) = options.max_bytes {
        let page: u64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        db.query_row(&format!("PRAGMA max_page_count = {}", (bytes / page).max(1)), [], |_| Ok(()))?;
    }
    Ok(db)
}

/// A connection that only reads.
pub(super) fn open_reader(options: &SqliteOptions) -> Outcome<Connection> {
    let db = open(options, OpenFlags::SQLITE_OPEN_READ_WRITE, options.cache_kib / 4)?;
    db.execute_batch("PRAGMA query_only = 1")?;
    Ok(db)
}

fn open(options: &SqliteOptions, flags: OpenFlags, cache_kib: u32) -> Outcome<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let db = Connection::open_with_flags(&options.path, flags)?;
    db.busy_timeout(options.busy_timeout)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(&format!("PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY", cache_kib.max(256)))?;
    Ok(db)
}

fn check_version() -> Outcome<()> {
    if rusqlite::version_number() >= OLDEST {
        return Ok(());
    }
    let problem = format!(
        "SQLite {} is linked, which can spoil a file that two connections write; 3.51.3 or newer is needed: remove the \
         setting that links the system's library",
        rusqlite::version()
    );
    Err(Trouble(StoreError::new(StoreErrorKind::Misconfigured, problem)))
}

/// Begins to write as soon as nobody else does.
pub(super) fn begin(db: &Connection, timeout: Duration) -> Outcome<()> {
    when_free(db, timeout, || db.execute_batch("BEGIN IMMEDIATE"))
}

/// How a writer waits for those of other processes: short and irregular pauses, because SQLite has no line in which to stand.
fn when_free<T>(db: &Connection, timeout: Duration, work: impl Fn() -> rusqlite::Result<T>) -> Outcome<T> {
    let mut waited = Duration::ZERO;
    db.busy_timeout(Duration::ZERO)?;
    let answer = loop {
        match work() {
            Err(error) if waited < timeout && is_busy(&error) => {
                let pause = Duration::from_micros(fastrand::u64(100..900));
                thread::sleep(pause);
                waited += pause;
            }
            answer => break answer,
        }
    };
    db.busy_timeout(timeout)?;
    Ok(answer?)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
}
