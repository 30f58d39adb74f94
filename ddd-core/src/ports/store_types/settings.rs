//! What a store can do, and what it is told about bounds and queues.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Counts, Limits, Name, Quota, RankStep, Timestamp};

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
    /// How many idempotency keys are kept, those that would be dropped soonest given up first. Memory only; 100,000.
    pub idempotency_keys_max: usize,
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
            idempotency_keys_max: 100_000,
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

    /// What `before` says, where these say nothing.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            max_depth: self.max_depth.or(before.max_depth),
            concurrency: self.concurrency.or(before.concurrency),
            concurrency_per_worker: self.concurrency_per_worker.or(before.concurrency_per_worker),
            rate_limit: self.rate_limit.or(before.rate_limit),
        }
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
