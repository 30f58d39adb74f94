//! What goes into the methods of a task store, and what comes out.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Watcher;
use crate::domain::{
    AttemptError, Counts, Fence, Label, Limits, Name, Priority, Progress, Quota, RankStep, TaskId, TaskRecord,
    TaskStatus, Timestamp, Until, WorkerId,
};

/// What a store can do beyond the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// Tasks survive the end of the process.
    pub durable: bool,
    /// Several processes may share it.
    pub shared: bool,
    /// Tasks can be submitted inside the user's own transaction.
    pub transactional: bool,
}

/// A task to be stored, complete: the application has resolved every setting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewTask {
    /// Its identity, made by the submitter so that a repeated call is recognised.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version of the definition.
    pub version: u32,
    /// The queue.
    pub queue: Name,
    /// The priority.
    pub priority: Priority,
    /// The arguments, as a JSON object.
    pub params: Arc<RawValue>,
    /// When it may start.
    pub due: Due,
    /// How many attempts it may have.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// What few tasks have.
    pub label: Option<Box<Label>>,
    /// Who is to be told when its run ends, if the store can.
    pub watcher: Option<Arc<dyn Watcher>>,
    /// Until when a task with the same [`Label::unique_key`] is returned instead. Ignored without a key.
    pub unique_until: Option<Until>,
}

impl NewTask {
    /// A task with the given identity and content, due now, and defaults for the rest.
    #[must_use]
    pub fn new(id: TaskId, name: Name, queue: Name, params: Arc<RawValue>) -> Self {
        Self {
            id,
            name,
            version: 1,
            queue,
            priority: Priority::default(),
            params,
            due: Due::Now,
            max_attempts: 1,
            timeout: Duration::from_secs(300),
            label: None,
            watcher: None,
            unique_until: None,
        }
    }
}

/// When a task may start, on the store's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// At once.
    #[default]
    Now,
    /// After this long.
    In(Duration),
    /// At this time.
    At(Timestamp),
}

/// What became of a new task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is stored, and this is where it is.
    Created(TaskStatus),
    /// It had been stored before, under the same id.
    AlreadyCreated,
    /// A task with its unique key is there; it was not stored.
    Duplicate(TaskId),
    /// Its queue is full; it was not stored.
    Full {
        /// When there may be room.
        retry_after: Duration,
    },
}

/// What a worker asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// Who asks. What it knows was declared.
    pub worker: WorkerId,
    /// From which queues, and at most how many from each.
    pub queues: Arc<[(Name, usize)]>,
    /// At most how many in all.
    pub max: usize,
    /// How long the lease is.
    pub lease: Duration,
    /// Whether the worker runs nothing: only then may it be given a task that must run alone.
    pub idle: bool,
}

impl ClaimRequest {
    /// A request.
    #[must_use]
    pub const fn new(worker: WorkerId, queues: Arc<[(Name, usize)]>, max: usize, lease: Duration, idle: bool) -> Self {
        Self { worker, queues, max, lease, idle }
    }
}

/// What a claim answers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Claims {
    /// The tasks, in the order in which they are to start.
    pub tasks: Vec<Claimed>,
    /// How long from now until the next task can become ready by itself; `None` if none is known.
    pub next_in: Option<Duration>,
    /// A task that must run alone waits: the worker should claim nothing until it is idle.
    pub alone_waiting: bool,
    /// The one task of this answer must run alone: the worker should claim nothing until it ends.
    pub alone: bool,
}

/// A task that a worker now holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claimed {
    /// Its identity.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version that it was submitted with.
    pub version: u32,
    /// The queue that it was in.
    pub queue: Name,
    /// Its priority.
    pub priority: Priority,
    /// Its arguments.
    pub params: Arc<RawValue>,
    /// Its run.
    pub run: u32,
    /// The number of this attempt.
    pub attempt: u32,
    /// How many attempts it may have.
    pub max_attempts: u32,
    /// How long this attempt may take.
    pub timeout: Duration,
    /// The number of this claim.
    pub fence: Fence,
    /// When it was due.
    pub due: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// What few tasks have.
    pub label: Option<Box<Label>>,
}

impl Claimed {
    /// What a worker is told about `record`, which it now holds.
    #[must_use]
    pub fn of(record: &TaskRecord, now: Timestamp) -> Self {
        Self {
            id: record.id,
            name: record.name.clone(),
            version: record.version,
            queue: record.queue.clone(),
            priority: record.priority,
            params: record.params.clone(),
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            timeout: record.timeout,
            fence: record.fence,
            due: record.due,
            created_at: record.created_at,
            started_at: now,
            label: record.label.clone(),
        }
    }
}

/// The end of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finish {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
    /// How it ended.
    pub end: AttemptEnd,
}

impl Finish {
    /// The end of the attempt that `fence` is of.
    #[must_use]
    pub const fn new(id: TaskId, fence: Fence, end: AttemptEnd) -> Self {
        Self { id, fence, end }
    }
}

/// How an attempt ended. A task that was cancelled while it ran ends as `cancelled`, whatever is reported, except for
/// [`AttemptEnd::Timeout`] with `still_running` and [`AttemptEnd::Stopped`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// It ended well.
    Success {
        /// The result as JSON; `None` stands for `null`.
        result: Option<Arc<RawValue>>,
        /// How long the result is kept.
        ttl: Duration,
    },
    /// It failed, and no attempt follows.
    Failed(AttemptError),
    /// It failed, and another attempt follows after `delay`.
    Retry {
        /// Why.
        error: AttemptError,
        /// How long to wait.
        delay: Duration,
    },
    /// It ran over its timeout, and no attempt follows.
    Timeout {
        /// The reason in words.
        error: AttemptError,
        /// The body could not be stopped: the record says so until [`AttemptEnd::Stopped`].
        still_running: bool,
    },
    /// It ran over its timeout and could not be stopped, and another attempt may follow when it returns: the task stays
    /// `running`, and its record says so.
    Overdue(AttemptError),
    /// It was cancelled.
    Cancelled(AttemptError),
    /// It is to run again after `delay`, as if this attempt had not been.
    Snooze {
        /// How long to wait.
        delay: Duration,
    },
    /// It is given back: ready at once, the attempt not counted, under a new fence.
    Release,
    /// A body that was `still_running` under this fence has returned.
    Stopped,
}

/// What became of a write about a claim.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finished {
    /// It took effect, and this is where the task now is.
    Applied(TaskStatus),
    /// It had taken effect before.
    AlreadyApplied,
    /// The claim is no longer valid; nothing was written.
    Stale,
}

/// A worker's sign of life.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Heartbeat {
    /// Who.
    pub worker: WorkerId,
    /// What it holds and wants to keep.
    pub held: Vec<Held>,
    /// For how long from now.
    pub lease: Duration,
}

impl Heartbeat {
    /// A sign of life.
    #[must_use]
    pub const fn new(worker: WorkerId, held: Vec<Held>, lease: Duration) -> Self {
        Self { worker, held, lease }
    }
}

/// A claim that a worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a claim is exactly these two")]
pub struct Held {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
}

/// How far a running task is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProgressReport {
    /// The task.
    pub id: TaskId,
    /// The claim.
    pub fence: Fence,
    /// How far it is.
    pub progress: Progress,
}

impl ProgressReport {
    /// A report.
    #[must_use]
    pub const fn new(id: TaskId, fence: Fence, progress: Progress) -> Self {
        Self { id, fence, progress }
    }
}

/// What upkeep did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reaped {
    /// Which tasks reached a terminal status, and which.
    pub ended: Vec<(TaskId, TaskStatus)>,
    /// How many tasks were taken back from workers whose lease ran out.
    pub recovered: usize,
    /// How many finished records were dropped.
    pub pruned: usize,
    /// Whether a bound was reached and there is more to do.
    pub more: bool,
}

/// What a worker says of itself at start-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Declaration {
    /// Who.
    pub worker: WorkerId,
    /// The host and process, for people to read.
    pub host: String,
    /// Which queues it serves.
    pub queues: Vec<Name>,
    /// What it can run.
    pub known: Vec<KnownTask>,
    /// How many bodies it runs at once.
    pub slots: usize,
    /// For how long from now it counts as alive, unless it gives a sign of life.
    pub lease: Duration,
}

impl Declaration {
    /// A declaration.
    #[must_use]
    pub const fn new(
        worker: WorkerId,
        host: String,
        queues: Vec<Name>,
        known: Vec<KnownTask>,
        slots: usize,
        lease: Duration,
    ) -> Self {
        Self { worker, host, queues, known, slots, lease }
    }
}

/// A definition that a worker can run, for all versions up to its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "what a worker claims by is exactly these two")]
pub struct KnownTask {
    /// The name.
    pub name: Name,
    /// The highest version.
    pub version: u32,
}

/// A worker that is alive.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WorkerState {
    /// Who.
    pub id: WorkerId,
    /// The host and process.
    pub host: String,
    /// Which queues it serves.
    pub queues: Vec<Name>,
    /// What it can run.
    pub known: Vec<KnownTask>,
    /// How many bodies it runs at once.
    pub slots: usize,
    /// How many it holds.
    pub running: usize,
    /// When it was first seen.
    pub started_at: Timestamp,
    /// Its last sign of life.
    pub seen_at: Timestamp,
}

impl WorkerState {
    /// What is known of the worker that declared itself so at `now`.
    #[must_use]
    pub fn of(declaration: &Declaration, now: Timestamp) -> Self {
        Self {
            id: declaration.worker,
            host: declaration.host.clone(),
            queues: declaration.queues.clone(),
            known: declaration.known.clone(),
            slots: declaration.slots,
            running: 0,
            started_at: now,
            seen_at: now,
        }
    }
}

/// A change on a user's behalf.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Control {
    /// Cancels tasks: the queued at once; the running by a flag that their worker is told of.
    Cancel {
        /// Which.
        ids: Vec<TaskId>,
        /// Why, for the record.
        reason: String,
    },
    /// Begins a new run of finished tasks.
    Retry {
        /// Which.
        ids: Vec<TaskId>,
    },
    /// Gives queued tasks another priority or due time.
    Reprioritise {
        /// Which.
        ids: Vec<TaskId>,
        /// The priority, if it changes.
        priority: Option<Priority>,
        /// The due time, if it changes.
        due: Option<Due>,
    },
    /// Drops the records of finished tasks.
    Delete {
        /// Which.
        ids: Vec<TaskId>,
    },
    /// Stops handing out the tasks of a queue.
    Pause {
        /// The queue.
        queue: Name,
    },
    /// Hands them out again.
    Resume {
        /// The queue.
        queue: Name,
    },
}

/// What became of a change to one task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Controlled {
    /// It took effect, and this is where the task now is; a deleted one, where it was.
    Applied(TaskStatus),
    /// The task is running; its worker is told. It ends as `cancelled`.
    Requested {
        /// The claim that is running.
        fence: Fence,
    },
    /// The task's status does not allow it.
    Refused(TaskStatus),
    /// There is no such task.
    Unknown,
}

/// The bounds of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreSettings {
    /// How much older a task must be to overtake one of the next higher priority.
    pub rank_step: RankStep,
    /// The largest sizes.
    pub limits: Limits,
    /// How many finished records are kept, those of failed and timed-out tasks counted apart. Memory only; 10,000.
    pub history_max: usize,
    /// How long a finished record is kept: 7 days.
    pub history_ttl: Duration,
    /// The same for failed and timed-out tasks: 30 days.
    pub failed_ttl: Duration,
    /// How many results are kept, the least recently used dropped first. Memory only; 1,000.
    pub results_max: usize,
    /// How often a task's worker may die before the task runs alone. 2.
    pub crashes_until_alone: u32,
    /// How often a task's worker may die before the task is `failed`. 3.
    pub crashes_until_failed: u32,
    /// The settings of queues.
    pub queues: Vec<(Name, QueueSettings)>,
}

impl Default for StoreSettings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        Self {
            rank_step: RankStep::default(),
            limits: Limits::default(),
            history_max: 10_000,
            history_ttl: 7 * DAY,
            failed_ttl: 30 * DAY,
            results_max: 1_000,
            crashes_until_alone: 2,
            crashes_until_failed: 3,
            queues: Vec::new(),
        }
    }
}

/// The settings of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueSettings {
    /// How many tasks may wait in it; `None` is without bound.
    pub max_depth: Option<usize>,
    /// How many of its tasks may run at once over all workers.
    pub concurrency: Option<usize>,
    /// How many of its tasks may run at once in one worker.
    pub concurrency_per_worker: Option<usize>,
    /// How many of its tasks may start per period over all workers.
    pub rate_limit: Option<Quota>,
}

impl QueueSettings {
    /// No limit.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_depth: None, concurrency: None, concurrency_per_worker: None, rate_limit: None }
    }

    /// At most `depth` tasks wait in it; a further one is refused with a hint when to try again.
    #[must_use]
    pub const fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// At most `limit` of its tasks run at once over all workers.
    #[must_use]
    pub const fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = Some(limit);
        self
    }

    /// At most `limit` of its tasks run at once in one worker.
    #[must_use]
    pub const fn concurrency_per_worker(mut self, limit: usize) -> Self {
        self.concurrency_per_worker = Some(limit);
        self
    }

    /// Its tasks start at most so often, over all workers.
    #[must_use]
    pub const fn rate_limit(mut self, quota: Quota) -> Self {
        self.rate_limit = Some(quota);
        self
    }
}

/// A queue as it is now.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct QueueState {
    /// Its name.
    pub name: Name,
    /// Its settings.
    pub settings: QueueSettings,
    /// Whether it is paused.
    pub paused: bool,
    /// How many of its tasks are in each status.
    pub counts: Counts,
    /// When the oldest ready task became due.
    pub oldest_due: Option<Timestamp>,
}

impl QueueState {
    /// A queue as it is now.
    #[must_use]
    pub const fn new(
        name: Name,
        settings: QueueSettings,
        paused: bool,
        counts: Counts,
        oldest_due: Option<Timestamp>,
    ) -> Self {
        Self { name, settings, paused, counts, oldest_due }
    }
}

/// What is asked of the schedules.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ScheduleCommand {
    /// Creates a schedule, or changes the rule and task of an existing one; its pause and its last tick stay. If the rule
    /// is the same, its next tick stays too.
    Put(Box<ScheduleRecord>),
    /// Removes one.
    Delete(Name),
    /// Pauses (`true`) or resumes one. `next` is its next tick from now, written at a resume.
    Pause {
        /// Which.
        name: Name,
        /// Whether it is to rest.
        paused: bool,
        /// The next tick.
        next: Option<Timestamp>,
    },
    /// One by name, or all.
    List(Option<Name>),
    /// Submits `task` for the tick `tick` and writes `next`, if the schedule's next tick still is `tick` and it is not
    /// paused. Answers with the schedule if this call did it, and with nothing if another one had.
    /// If the task's queue is full, it is a transient error, and the tick stays due.
    Fire {
        /// Which.
        name: Name,
        /// The tick that is due.
        tick: Timestamp,
        /// The tick after it.
        next: Option<Timestamp>,
        /// The task of the tick.
        task: Box<NewTask>,
    },
}

/// A schedule, as a store keeps it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleRecord {
    /// Its name: that of the definition, unless it was made at run time.
    pub name: Name,
    /// The definition whose task it submits.
    pub task: Name,
    /// With which parameters.
    pub params: Arc<RawValue>,
    /// The rule as written.
    pub rule: String,
    /// The time zone of the rule, if it has one.
    pub time_zone: Option<String>,
    /// Whether it rests.
    pub paused: bool,
    /// The last tick that fired.
    pub last: Option<Timestamp>,
    /// The next tick.
    pub next: Option<Timestamp>,
}

impl ScheduleRecord {
    /// A schedule that has not fired yet.
    #[must_use]
    pub const fn new(name: Name, task: Name, params: Arc<RawValue>, rule: String, next: Option<Timestamp>) -> Self {
        Self { name, task, params, rule, time_zone: None, paused: false, last: None, next }
    }
}
