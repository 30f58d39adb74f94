//! What an application does around every body.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

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
}

impl Hooks {
    pub(crate) fn around(&mut self, hook: impl Fn(TaskContext, BodyFuture) -> BodyFuture + Send + Sync + 'static) {
        self.around.push(Arc::new(hook));
    }

    pub(crate) fn on_failure(&mut self, hook: impl Fn(&FailedTask) + Send + Sync + 'static) {
        self.on_failure.push(Arc::new(hook));
    }

    /// The body inside all hooks, the first of them outermost.
    pub(crate) fn wrap(&self, context: &TaskContext, body: BodyFuture) -> BodyFuture {
        self.around.iter().rev().fold(body, |body, hook| hook(context.clone(), body))
    }

    /// Whether nobody is to be told of failures.
    pub(crate) fn on_failure_is_empty(&self) -> bool {
        self.on_failure.is_empty()
    }

    /// Tells every hook; one that panics does not keep the others from it.
    pub(crate) fn failed(&self, make: impl FnOnce() -> FailedTask) {
        if self.on_failure.is_empty() {
            return;
        }
        let failed = make();
        for hook in &self.on_failure {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(&failed))) {
                tracing::error!(task = %failed.id, name = %failed.name, "an on_failure hook panicked");
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
