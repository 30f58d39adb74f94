use std::{fmt, future::Future, sync::Arc, time::Duration};

use super::BoxFuture;
use crate::domain::{Fence, Name, Origin, Priority, TaskId, Timestamp};

/// What a body may know about its attempt, and do while it runs. Take it as a parameter: `#[inject] context: TaskContext`.
#[derive(Clone)]
pub struct TaskContext(Arc<dyn Attempt>);

/// The running attempt behind a [`TaskContext`]: the worker implements it, and the test kit.
pub trait Attempt: Send + Sync + 'static {
    /// What is known about it.
    fn info(&self) -> &AttemptInfo;
    /// Takes a progress report.
    fn progress(&self, fraction: f64, message: String);
    /// Whether the body should end.
    fn is_cancelled(&self) -> bool;
    /// Ends when the body should.
    fn cancelled(&self) -> BoxFuture<'static, ()>;
    /// Starts a future that ends with the attempt at the latest.
    fn spawn(&self, child: BoxFuture<'static, ()>);
}

/// What is known about an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptInfo {
    /// The task.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The queue that it came from.
    pub queue: Name,
    /// Its priority.
    pub priority: Priority,
    /// Its run.
    pub run: u32,
    /// Which attempt of the run this is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub max_attempts: u32,
    /// The number of this claim.
    pub fence: Fence,
    /// When it was due.
    pub due: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When this attempt ends at the latest.
    pub deadline: Timestamp,
    /// Where it came from.
    pub origin: Option<Origin>,
}

impl AttemptInfo {
    /// The first attempt, of one, of a task that was submitted and became due at `now`, and that may take 300 s.
    #[must_use]
    pub fn new(id: TaskId, name: Name, now: Timestamp) -> Self {
        Self {
            id,
            name,
            queue: Name::new("default"),
            priority: Priority::default(),
            run: 1,
            attempt: 1,
            max_attempts: 1,
            fence: Fence::new(1),
            due: now,
            created_at: now,
            deadline: now.after(Duration::from_secs(300)),
            origin: None,
        }
    }
}

impl TaskContext {
    /// The context of an attempt.
    #[must_use]
    pub fn new(attempt: Arc<dyn Attempt>) -> Self {
        Self(attempt)
    }

    /// All that is known about the attempt.
    #[must_use]
    pub fn info(&self) -> &AttemptInfo {
        self.0.info()
    }

    /// The task's identity. With [`TaskContext::run`] it is the idempotency key of what the body does to others.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.info().id
    }

    /// The task's run, from 1.
    #[must_use]
    pub fn run(&self) -> u32 {
        self.info().run
    }

    /// Which attempt of the run this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.info().attempt
    }

    /// The number of this claim. It grows with every claim of the task: a write that carries it can refuse to
    /// overwrite one with a higher fence, and so survive two workers that both believe they run the task.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.info().fence
    }

    /// Says how far the body is: `fraction` from 0.0 to 1.0, and a text of at most 1 KiB. Visible in the record and the
    /// stream of transitions. Reports that follow each other faster than the store takes them replace each other.
    pub fn progress(&self, fraction: f64, message: impl Into<String>) {
        self.0.progress(fraction, message.into());
    }

    /// Whether the task was cancelled, or its worker shuts down and cannot wait longer.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Ends when the task is cancelled, or its worker shuts down and cannot wait longer. A body that awaits it is given a
    /// grace to clean up (5 s unless set otherwise; 100 ms at a shutdown, after which the task is given back,
    /// whatever the body returns); one that does not is dropped at its next await.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.cancelled()
    }

    /// Starts a child: a future that runs beside the body, and is dropped when the attempt ends, however it ends.
    pub fn spawn(&self, child: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Box::pin(child));
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskContext").field(self.info()).finish()
    }
}
