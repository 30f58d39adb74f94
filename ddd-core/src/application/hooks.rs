//! What an application does around every body.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::threads::Threads;
use crate::{
    domain::{AttemptError, Name, TaskId, TaskStatus},
    ports::{BodyFuture, TaskContext},
};

type Around = dyn Fn(TaskContext, BodyFuture) -> BodyFuture + Send + Sync;
type OnFailure = dyn Fn(&FailedTask) + Send + Sync;

/// A task whose last attempt failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedTask {
    /// The task.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// Its run.
    pub run: u32,
    /// Its last attempt.
    pub attempt: u32,
    /// `failed` or `timeout`.
    pub status: TaskStatus,
    /// Why.
    pub error: AttemptError,
}

/// The hooks of an application.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    around: Vec<Arc<Around>>,
    on_failure: Vec<Arc<OnFailure>>,
    line: Arc<Line>,
}

/// The failures that hooks are still to be told of.
#[derive(Default)]
struct Line {
    state: Mutex<LineState>,
    empty: Notify,
}

#[derive(Default)]
struct LineState {
    waiting: VecDeque<FailedTask>,
    /// Whether a thread tells of them.
    telling: bool,
}

impl Hooks {
    pub(crate) fn around(&mut self, hook: impl Fn(TaskContext, BodyFuture) -> BodyFuture + Send + Sync + 'static) {
        self.around.push(Arc::new(hook));
    }

    pub(crate) fn on_failure(&mut self, hook: impl Fn(&FailedTask) + Send + Sync + 'static) {
        self.on_failure.push(Arc::new(hook));
    }

    /// Whether there are hooks around bodies.
    pub(crate) fn has_around(&self) -> bool {
        !self.around.is_empty()
    }

    /// The body inside all hooks, the first of them outermost.
    pub(crate) fn wrap(&self, context: &TaskContext, body: BodyFuture) -> BodyFuture {
        self.around.iter().rev().fold(body, |body, hook| hook(context.clone(), body))
    }

    /// Whether nobody is to be told of failures.
    pub(crate) fn on_failure_is_empty(&self) -> bool {
        self.on_failure.is_empty()
    }

    /// Has every hook told, on a thread of its own: a hook may block, and neither ends of attempts nor signs of life wait
    /// for it.
    pub(crate) fn failed(&self, threads: &Threads, make: impl FnOnce() -> FailedTask) {
        if self.on_failure.is_empty() {
            return;
        }
        let failed = make();
        if threads.are_virtual() {
            // A test that has awaited the end finds its hooks told.
            return self.tell(&failed);
        }
        let mut state = self.line.state.lock();
        if state.waiting.len() == Self::MOST_WAITING {
            drop(state);
            tracing::error!(task_id = %failed.id, task_name = %failed.name, "a failure was not told to the on_failure hooks: too many wait for them");
            return;
        }
        state.waiting.push_back(failed);
        if std::mem::replace(&mut state.telling, true) {
            return;
        }
        drop(state);
        let this = self.clone();
        if let Err(error) = threads.run(move || this.tell_all()) {
            tracing::warn!(%error, "no thread could be started for the on_failure hooks; they run in place");
            self.tell_all();
        }
    }

    /// Waits until every failure was told.
    pub(crate) async fn told(&self) {
        loop {
            let mut empty = pin!(self.line.empty.notified());
            empty.as_mut().enable();
            if !self.line.state.lock().telling {
                return;
            }
            empty.await;
        }
    }

    /// How many failures may wait to be told, so that a hook that hangs does not fill the memory.
    const MOST_WAITING: usize = 10_000;

    fn tell_all(&self) {
        loop {
            let mut state = self.line.state.lock();
            let Some(failed) = state.waiting.pop_front() else {
                state.telling = false;
                break;
            };
            drop(state);
            self.tell(&failed);
        }
        self.line.empty.notify_waiters();
    }

    /// Tells every hook; one that panics does not keep the others from it.
    fn tell(&self, failed: &FailedTask) {
        for hook in &self.on_failure {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(failed))) {
                tracing::error!(task_id = %failed.id, task_name = %failed.name, "an on_failure hook panicked");
                super::guard::discard(payload);
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({} around, {} on_failure)", self.around.len(), self.on_failure.len())
    }
}
