//! Generators of task identities.

use std::time::{SystemTime, UNIX_EPOCH};

use ddd_core::{IdGenerator, TaskId, Timestamp};

/// Makes identities.
pub(crate) trait Ids: Default + Send + Sync + 'static {
    /// The next one, at `now`.
    fn next(&self, now: Timestamp) -> TaskId;
}

impl Ids for IdGenerator {
    fn next(&self, now: Timestamp) -> TaskId {
        Self::next(self, now)
    }
}

/// The generator of the `uuid` crate, as it comes.
#[derive(Debug, Default)]
pub(crate) struct Stock;

impl Ids for Stock {
    fn next(&self, _: Timestamp) -> TaskId {
        uuid::Uuid::now_v7().into()
    }
}

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
