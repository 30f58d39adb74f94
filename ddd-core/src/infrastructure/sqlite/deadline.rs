use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::error::Outcome;

/// So many steps of SQLite's machine lie between two looks at the time; they take less than a millisecond.
const STEPS: i32 = 10_000;

/// Until when a reader may work on what it was asked. SQLite looks at it by itself, so that no statement goes on for ever.
#[derive(Clone, Debug)]
pub(super) struct Deadline {
    since: Instant,
    /// In microseconds after `since`; the greatest number if there is none.
    at: Arc<AtomicU64>,
}

impl Deadline {
    /// The deadline of what is done over this connection: none until it is set.
    pub(super) fn over(db: &Connection) -> Outcome<Self> {
        let this = Self { since: Instant::now(), at: Arc::new(AtomicU64::new(u64::MAX)) };
        let looked_at = this.clone();
        db.progress_handler(STEPS, Some(move || looked_at.is_over()))?;
        Ok(this)
    }

    pub(super) fn set(&self, at: Instant) {
        let micros = at.saturating_duration_since(self.since).as_micros();
        self.at.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn lift(&self) {
        self.at.store(u64::MAX, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != u64::MAX && self.since.elapsed() >= Duration::from_micros(at)
    }
}
