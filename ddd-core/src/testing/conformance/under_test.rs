use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::ports::TaskStore;

/// A fresh, empty store, and the means to let its time pass.
#[derive(Clone)]
pub struct StoreUnderTest {
    pub(super) store: Arc<dyn TaskStore>,
    pub(super) advance: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl StoreUnderTest {
    /// `advance` adds to the offset that the store adds to its clock. The clock may also go by itself.
    pub fn new(store: Arc<dyn TaskStore>, advance: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { store, advance: Arc::new(advance) }
    }
}

impl fmt::Debug for StoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUnderTest").field("kind", &self.store.kind()).finish_non_exhaustive()
    }
}

/// Runs one case on a runtime of its own.
///
/// # Panics
/// The store breaks the rule, or the runtime cannot start.
pub fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(case);
}
