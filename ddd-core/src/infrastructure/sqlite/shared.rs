use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{FairMutex, FairMutexGuard, Mutex};

use super::options::SqliteOptions;
use crate::{
    domain::Timestamp,
    infrastructure::{clock::SystemClock, sql::Told},
    ports::{Clock, StoreSettings},
};

/// So far the clock may seem to go back, because threads read it before they wait for their turn.
const CLOCK_JITTER: Duration = Duration::from_millis(100);

/// Further than this the clock does not stray from the time that has passed, unless it was set or the machine slept.
const CLOCK_DRIFT: Duration = Duration::from_secs(2);

/// For so long after a leap no lease is taken as over.
const PATIENCE: Duration = Duration::from_secs(15);

/// The last look at the clock.
#[derive(Debug)]
struct LastTick {
    at: Timestamp,
    /// What the operating system says has passed, which nobody sets, and its clock, which is set.
    passed: Instant,
    system: Timestamp,
    /// Until when leases that seem to have run out may only seem so.
    leap_over: Option<Instant>,
}

/// What the connections of one process to one file share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: SqliteOptions,
    pub(super) told: Told,
    settings: Mutex<Arc<StoreSettings>>,
    last_tick: Mutex<LastTick>,
    /// Whose turn it is to write. SQLite's own lock knows no line in which to stand: heartbeats would starve behind others.
    turn: FairMutex<()>,
}

impl Shared {
    pub(super) fn new(options: SqliteOptions) -> Self {
        Self {
            options,
            told: Told::default(),
            settings: Mutex::default(),
            last_tick: Mutex::new(LastTick {
                at: Timestamp::default(),
                passed: Instant::now(),
                system: SystemClock.now(),
                leap_over: None,
            }),
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
        let (now, passed, system) = (self.options.clock.now(), Instant::now(), SystemClock.now());
        let mut last = self.last_tick.lock();
        let expected = last.system.after(passed.saturating_duration_since(last.passed) + CLOCK_DRIFT);
        if system > expected {
            tracing::warn!("the machine's clock leapt; no lease is taken as over before it could be renewed");
            last.leap_over = Some(passed + PATIENCE);
        }
        (last.passed, last.system) = (passed, system);
        if now >= last.at || last.at.since(now) > CLOCK_JITTER {
            last.at = now;
        }
        last.at
    }

    /// Whether the clock has leapt so lately that workers could not renew their leases since.
    pub(super) fn has_leapt(&self) -> bool {
        let mut last = self.last_tick.lock();
        if last.leap_over.is_some_and(|it| it <= Instant::now()) {
            last.leap_over = None;
        }
        last.leap_over.is_some()
    }
}
