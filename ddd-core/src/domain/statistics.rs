//! Figures about many tasks.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Name, TaskStatus};

/// What a store knows about its tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statistics {
    /// How many tasks are in each status now, finished ones as long as their records are kept.
    pub now: Counts,
    /// How many tasks were submitted since the store began.
    pub submitted: u64,
    /// How many attempts began.
    pub started: u64,
    /// How many attempts failed and were followed by another.
    pub retried: u64,
    /// How many runs ended in each terminal status since the store began.
    pub finished: Counts,
    /// How many runs ended in each terminal status in the last 24 hours.
    pub last_24h: Counts,
    /// The part of `finished` that is `success`; `None` before the first.
    pub success_rate: Option<f64>,
    /// Runs finished per second, over the last minute.
    pub throughput: f64,
    /// How long the bodies of finished tasks ran, as far as their records are kept.
    pub run_time: Durations,
    /// How long finished tasks waited from their due time to their last start.
    pub wait_time: Durations,
    /// The same by the name of the definition.
    pub tasks: BTreeMap<Name, TaskStatistics>,
    /// How many tasks of each priority are in each status now.
    pub priorities: BTreeMap<i8, Counts>,
    /// How many tasks of each queue are in each status now.
    pub queues: BTreeMap<Name, Counts>,
}

/// What a store knows about the tasks of one definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskStatistics {
    /// How many are in each status now.
    pub now: Counts,
    /// How many were submitted since the store began.
    pub submitted: u64,
    /// How many attempts failed and were followed by another.
    pub retried: u64,
    /// How many runs ended in each terminal status since the store began.
    pub finished: Counts,
    /// How long the bodies ran.
    pub run_time: Durations,
}

/// A number for each status.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; TaskStatus::ALL.len()]);

impl Counts {
    /// The number for `status`.
    #[must_use]
    pub const fn get(&self, status: TaskStatus) -> u64 {
        self.0[status as usize]
    }

    /// One more for `status`.
    pub const fn add(&mut self, status: TaskStatus) {
        self.0[status as usize] += 1;
    }

    /// One less for `status`.
    pub const fn remove(&mut self, status: TaskStatus) {
        self.0[status as usize] = self.0[status as usize].saturating_sub(1);
    }

    /// `count` more for `status`.
    pub const fn add_many(&mut self, status: TaskStatus, count: u64) {
        self.0[status as usize] += count;
    }

    /// The sum over all statuses.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many wait to be claimed, now or later.
    #[must_use]
    pub fn queued(&self) -> u64 {
        TaskStatus::ALL.into_iter().filter(|it| it.is_queued()).map(|it| self.get(it)).sum()
    }
}

/// Only what is not zero.
impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = TaskStatus::ALL.into_iter().map(|it| (it, self.get(it)));
        f.debug_map().entries(numbers.filter(|it| it.1 > 0)).finish()
    }
}

impl Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(TaskStatus::ALL.into_iter().map(|it| (it.as_str(), self.get(it))))
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = BTreeMap::<TaskStatus, u64>::deserialize(deserializer)?;
        let mut counts = Self::default();
        for (status, number) in numbers {
            counts.add_many(status, number);
        }
        Ok(counts)
    }
}

/// How long something took, over many times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Durations {
    /// Over how many.
    pub count: u64,
    /// The arithmetic mean.
    pub mean: Duration,
    /// Half took at most this long.
    pub median: Duration,
    /// 95 of 100 took at most this long.
    pub p95: Duration,
    /// The longest.
    pub max: Duration,
}

impl Durations {
    /// The figures of `all`, by the nearest-rank method.
    #[must_use]
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let Some(max) = all.last().copied() else {
            return Self::default();
        };
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).max(1) - 1];
        let count = all.len();
        let mean = all.iter().sum::<Duration>() / u32::try_from(count).unwrap_or(u32::MAX);
        Self { count: count as u64, mean, median: rank(50), p95: rank(95), max }
    }
}
