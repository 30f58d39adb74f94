//! What the use cases share.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::Notify};

use super::{
    Settings, bell::Bell, hooks::Hooks, ids::IdGenerator, known_queues::KnownQueues, provide::Providers,
    registry::Registry, store_call, threads::Threads, transitions::TransitionLog,
};
use crate::ports::{Clock, StoreError, StoreFuture, TaskStore};

/// The bundle of ports and state that submission, worker, handles and queries work on.
pub(crate) struct Services {
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether the store goes by the same clock.
    pub(crate) is_on_clock_of_store: bool,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) known_queues: KnownQueues,
    pub(crate) ids: IdGenerator,
    pub(crate) log: Arc<TransitionLog>,
    /// Rung when a task may be ready.
    pub(crate) bell: Arc<Bell>,
    pub(crate) providers: Providers,
    pub(crate) hooks: Hooks,
    pub(crate) runtime: Handle,
    pub(crate) threads: Threads,
    /// Time is the test's: everything that waits must do so on the test's runtime.
    pub(crate) virtual_time: bool,
    /// A schedule was changed in this process.
    pub(crate) schedule_changed: Notify,
}

impl Services {
    /// Awaits a store's answer, at most as long as the settings allow.
    ///
    /// # Errors
    /// The store's own error, or that it did not answer.
    pub(crate) async fn call<T: Send + 'static>(&self, future: StoreFuture<T>) -> Result<T, StoreError> {
        store_call::call(future, self.store_timeout()).await
    }

    /// How long the store may take to answer.
    pub(crate) const fn store_timeout(&self) -> Duration {
        self.settings.store_timeout
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("store", &self.store.kind()).field("tasks", &self.registry.len()).finish()
    }
}
