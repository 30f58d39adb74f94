//! What the log says, at `info`, of how a process that runs tasks fares: one line each, all of them here.

use super::{services::Services, worker::ShutdownReport};
use crate::domain::Name;

/// Tasks are run from here on.
pub(crate) fn started(services: &Services, slots: usize, queues: &[(Name, usize)]) {
    let (store, tasks) = (services.store.kind(), services.registry.len());
    let queues = queues.iter().map(|it| it.0.as_str()).collect::<Vec<_>>().join(", ");
    tracing::info!(store, slots, queues, tasks, "the workers have started");
}

/// The store took a sign of life, after some that it did not take.
pub(crate) fn store_answers_again() {
    tracing::info!("the store answers again");
}

/// The process was told to end.
pub(crate) fn shutting_down() {
    tracing::info!("shutting down");
}

/// No task is run any more. So many were running when that began.
pub(crate) fn shut_down(running: usize, report: &ShutdownReport) {
    let (given_back, still_running) = (report.given_back.len(), report.still_running.len());
    let finished = running.saturating_sub(given_back + still_running);
    tracing::info!(finished, given_back, still_running, "the workers have ended");
}
