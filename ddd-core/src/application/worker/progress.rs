use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;

use super::super::{services::Services, store_call};
use crate::{
    domain::{Progress, TaskId, truncated},
    ports::{Held, ProgressReport, StoreError},
};

/// Writes progress reports to the store. While one write is under way, later reports of a task replace its earlier ones.
pub(crate) struct ProgressWriter {
    services: Arc<Services>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<TaskId, ProgressReport>,
    writing: bool,
}

impl ProgressWriter {
    pub(crate) fn new(services: Arc<Services>) -> Arc<Self> {
        Arc::new(Self { services, state: Mutex::default() })
    }

    pub(crate) fn write(self: &Arc<Self>, held: Held, fraction: f64, message: String) {
        let limit = self.services.settings.store.limits.progress;
        let report = ProgressReport::new(held.id, held.fence, Progress::new(fraction, truncated(message, limit)));
        let mut state = self.state.lock();
        state.waiting.insert(held.id, report);
        if state.writing {
            return;
        }
        state.writing = true;
        drop(state);
        self.flush();
    }

    /// Writes until nothing waits; goes to a task of its own when the store does not answer at once.
    fn flush(self: &Arc<Self>) {
        while let Some(reports) = self.next_batch() {
            match store_call::poll_now(self.services.store.progress(reports)) {
                Ok(answer) => report(answer),
                Err(pending) => {
                    let this = self.clone();
                    store_call::spawn(&self.services.runtime, async move {
                        report(store_call::call(pending, this.services.store_timeout()).await);
                        this.flush();
                    });
                    return;
                }
            }
        }
    }

    fn next_batch(&self) -> Option<Vec<ProgressReport>> {
        let mut state = self.state.lock();
        if state.waiting.is_empty() {
            state.writing = false;
            return None;
        }
        Some(state.waiting.drain().map(|(_, report)| report).collect())
    }
}

/// A lost report is not worth a retry: the next one follows.
fn report<T>(answer: Result<T, StoreError>) {
    if let Err(error) = answer {
        tracing::debug!(error = &error as &dyn std::error::Error, "a progress report was not stored");
    }
}

impl fmt::Debug for ProgressWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressWriter")
    }
}
