//! What the service depends on: a warehouse, which behaves as it is told to.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ddd_core::{Classify, ErrorKind, Refused};

/// How the warehouse behaves.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Fine,
    /// The next so many calls fail.
    Failing(u32),
    Down,
    /// Every call takes so long.
    Slow(Duration),
}

/// How a call failed, for those who call the client too. The refusals of the policies are one case of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WarehouseError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the line dropped")]
    Dropped,
    #[error("there is no item {0}")]
    Unknown(u64),
}

impl Classify for WarehouseError {
    /// What is tried again, and what counts against the warehouse: a dropped line, not a wrong number.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(it) => it.kind(),
            Self::Dropped => ErrorKind::Unavailable,
            Self::Unknown(_) => ErrorKind::NotFound,
        }
    }
}

/// The warehouse itself.
#[derive(Debug)]
pub struct Warehouse {
    mood: Mutex<Mood>,
    calls: AtomicU32,
}

impl Warehouse {
    pub const fn new() -> Self {
        Self { mood: Mutex::new(Mood::Fine), calls: AtomicU32::new(0) }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// How many calls reached it since the last time that somebody asked.
    pub fn take_calls(&self) -> u32 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// How many pieces of an item there are.
    pub async fn count(&self, item: u64) -> Result<u64, WarehouseError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.next() {
            Mood::Fine => {}
            Mood::Slow(time) => tokio::time::sleep(time).await,
            Mood::Failing(_) | Mood::Down => return Err(WarehouseError::Dropped),
        }
        if item == 0 { Err(WarehouseError::Unknown(item)) } else { Ok(item * 10) }
    }

    /// The mood for this call.
    fn next(&self) -> Mood {
        let mut mood = self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        let now = *mood;
        *mood = match now {
            Mood::Failing(1) => Mood::Fine,
            Mood::Failing(calls) => Mood::Failing(calls - 1),
            same => same,
        };
        now
    }
}
