use std::{sync::Arc, time::Duration};

use parking_lot::{FairMutex, FairMutexGuard, Mutex};

use super::options::SqliteOptions;
use crate::{domain::Timestamp, infrastructure::sql::Told, ports::StoreSettings};

/// So far the clock may seem to go back, because threads read it before they wait for their turn.
const CLOCK_JITTER: Duration = Duration::from_millis(100);

/// What the connections of one process to one file share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: SqliteOptions,
    pub(super) told: Told,
    settings: Mutex<Arc<StoreSettings>>,
    last_tick: Mutex<Timestamp>,
    /// Whose turn it is to write. SQLite's own lock knows no line in which to stand: heartbeats would starve behind others.
    turn: FairMutex<()>,
}

impl Shared {
    pub(super) fn new(options: SqliteOptions) -> Self {
        Self {
            options,
            told: Told::default(),
            settings: Mutex::default(),
            last_tick: Mutex::default(),
            turn: FairMutex::default(),
        }
    }

    pub(super) fn settings(&self) -> Arc<StoreSettings> {
        self.settings.lock().clone()
    }

    pub(super) fn set_settings(&self, settings: StoreSettings) {
        *self.settings.lock() = Arc::new(settings);
    }

    /// Waits for the turn to write.
    pub(super) fn turn(&self) -> FairMutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// The time of a change: now, but not a little before that of the last change.
    pub(super) fn tick(&self) -> Timestamp {
        let now = self.options.clock.now();
        let mut last = self.last_tick.lock();
        if now >= *last || last.since(now) > CLOCK_JITTER {
            *last = now;
        }
        *last
    }
}
