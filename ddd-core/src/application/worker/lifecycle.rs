use std::{sync::Arc, time::Duration};

use super::{
    attempt::Stop,
    cell::Cell,
    pacer,
    shared::Shared,
    slot,
    stop::{self, ShutdownReport},
    vitals::Vitals,
};
use crate::{
    application::{ids, services::Services, store_call},
    domain::{Fence, Name, TaskId},
    ports::{Attempt as _, StoreError},
};

/// A worker: so many slots in this process that run tasks.
#[derive(Debug)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    vitals: Vitals,
}

impl Worker {
    /// Makes a worker known to the store and starts its slots.
    ///
    /// # Errors
    /// The store does not take the declaration, or the system gives no thread.
    pub(crate) async fn start(
        services: Arc<Services>,
        queues: Vec<(Name, usize)>,
        slots: usize,
    ) -> Result<Self, StartError> {
        let shared = Arc::new(Shared::new(ids::worker_id(), services, queues, slots));
        shared.services.call(shared.services.store.declare(shared.declaration())).await?;
        let vitals = Vitals::start(shared.clone()).map_err(StartError::Thread)?;
        let worker = Self { shared, vitals };
        worker.resize(slots);
        store_call::spawn(&worker.shared.services.runtime, pacer::live(worker.shared.clone()));
        Ok(worker)
    }

    /// Changes how many bodies run at once. Bodies that run are not stopped; with fewer slots, none starts until enough
    /// have ended.
    pub(crate) fn resize(&self, slots: usize) {
        let missing = self.shared.set_slots(slots);
        self.vitals.look();
        for _ in 0..missing {
            let cell = Arc::new(Cell::default());
            self.shared.add(cell.clone());
            store_call::spawn(&self.shared.services.runtime, slot::live(self.shared.clone(), cell));
        }
    }

    /// Serves these queues from now on, within these limits. Bodies that run are not stopped.
    pub(crate) fn serve(&self, queues: Vec<(Name, usize)>) {
        self.shared.serve(queues);
        self.vitals.look();
    }

    /// A task may be ready.
    pub(crate) fn wake(&self) {
        self.shared.feed.wake();
    }

    /// A running task was cancelled.
    pub(crate) fn cancel(&self, id: TaskId, fence: Fence) {
        self.shared.stop(id, fence, Stop::Cancel);
    }

    /// Someone else may run a task by now.
    pub(crate) fn lose(&self, id: TaskId, fence: Fence) {
        self.shared.stop(id, fence, Stop::Lost);
    }

    /// How many bodies run now.
    pub(crate) fn running(&self) -> usize {
        self.shared.feed.running()
    }

    /// Stops claiming, lets bodies end until the deadline, and gives the rest back.
    pub(crate) async fn shutdown(&self, within: Duration) -> ShutdownReport {
        let shared = self.shared.clone();
        // From here on nothing is claimed, however long the rest takes.
        shared.finisher.give_back(shared.feed.close().into_iter());
        shared.finisher.give_back(shared.clear_lines().into_iter());
        let stopped = self.vitals.last(async move { stop::stop(&shared, within).await });
        stopped.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the worker's end was cut short");
            ShutdownReport::default()
        })
    }
}

#[cfg(feature = "test-util")]
impl Worker {
    /// Ends as a killed process would: nothing is reported.
    pub(crate) async fn crash(&self) {
        self.vitals.stop();
        drop(self.shared.feed.close());
        drop(self.shared.clear_lines());
        while self.shared.is_busy() {
            for attempt in self.shared.attempts() {
                attempt.stop(Stop::Lost);
            }
            // Looks again now and then, for a body that began just after the look.
            let _ = tokio::time::timeout(Duration::from_millis(10), self.shared.slot_ended.notified()).await;
        }
    }
}

impl Drop for Worker {
    /// A worker that is dropped without a shutdown claims nothing more, and its leases run out.
    fn drop(&mut self) {
        drop(self.shared.feed.close());
        self.shared.finisher.close();
        self.vitals.stop();
        for attempt in self.shared.attempts() {
            tracing::warn!(task_id = %attempt.info().id, "an application was dropped while it ran a task; call `shutdown` first");
        }
    }
}

/// A worker could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the store does not take the worker in")]
    Store(#[from] StoreError),
    #[error("the system gives no thread for heartbeats")]
    Thread(#[source] std::io::Error),
}
