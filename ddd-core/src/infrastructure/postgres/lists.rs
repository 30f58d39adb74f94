use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::ports::{StoreError, StoreErrorKind};

/// So many lists are read at once, if there are connections enough.
const AT_ONCE: u32 = 2;

/// What lists may take of the server: a few of the connections, so that claims and ends always find others, and not much time.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) turns: Arc<Semaphore>,
    /// How long one waits for its turn, and then for each of its statements.
    pub(super) timeout: Duration,
}

impl Lists {
    /// The share of a pool of so many connections.
    pub(super) fn of(connections: u32, timeout: Duration) -> Self {
        let turns = (connections / 2).clamp(1, AT_ONCE);
        Self { turns: Arc::new(Semaphore::new(turns as usize)), timeout }
    }

    /// Others were in front for too long.
    pub(super) fn busy(&self) -> StoreError {
        self.error("other lists were being read, so this one had no turn")
    }

    /// The server took too long.
    pub(super) fn late(&self) -> StoreError {
        self.error("the server did not read this list")
    }

    fn error(&self, what: &str) -> StoreError {
        let problem = format!("{what} within the `list_timeout` of the store ({:?})", self.timeout);
        StoreError::new(StoreErrorKind::Unavailable, problem)
    }
}
