//! What an attribute says about a task: the defaults that configuration and the submission may override.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Priority, Retry};

/// The settings written in `#[task(…)]`. What is not written is `None` and falls to the application's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The queue; `default` if not set.
    pub queue: &'static str,
    /// The priority; 0 if not set.
    pub priority: Priority,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Retries.
    pub retry: Option<Retry>,
    /// Until when a submission with the same unique key returns the existing task.
    pub unique: Option<Until>,
    /// How many tasks of one concurrency key may be ready or running at once.
    pub concurrency: Option<u32>,
    /// How long the result is kept.
    pub result_ttl: Option<Duration>,
    /// When it runs by itself.
    pub schedule: Option<ScheduleOption>,
    /// The version of the parameters' schema; 1 if not set.
    pub version: u32,
    /// A word to group definitions by.
    pub category: Option<&'static str>,
    /// Words to find definitions by.
    pub tags: &'static [&'static str],
    /// Whether it is out of reach over HTTP.
    pub internal: bool,
}

impl Options {
    /// Nothing set.
    pub const DEFAULT: Self = Self {
        queue: "default",
        priority: Priority::clamped(0),
        timeout: None,
        retry: None,
        unique: None,
        concurrency: None,
        result_ttl: None,
        schedule: None,
        version: 1,
        category: None,
        tags: &[],
        internal: false,
    };

    /// In this queue.
    #[must_use]
    pub const fn queue(mut self, queue: &'static str) -> Self {
        self.queue = queue;
        self
    }

    /// With this priority.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// One attempt may take this long.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Retried so.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Unique until then.
    #[must_use]
    pub const fn unique(mut self, until: Until) -> Self {
        self.unique = Some(until);
        self
    }

    /// At most `limit` tasks of one concurrency key are ready or running at once.
    #[must_use]
    pub const fn concurrency(mut self, limit: u32) -> Self {
        self.concurrency = Some(limit);
        self
    }

    /// The result is kept this long.
    #[must_use]
    pub const fn result_ttl(mut self, ttl: Duration) -> Self {
        self.result_ttl = Some(ttl);
        self
    }

    /// Runs by itself.
    #[must_use]
    pub const fn schedule(mut self, schedule: ScheduleOption) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// With this version.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// In this category.
    #[must_use]
    pub const fn category(mut self, category: &'static str) -> Self {
        self.category = Some(category);
        self
    }

    /// With these tags.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Out of reach over HTTP, or not.
    #[must_use]
    pub const fn internal(mut self, internal: bool) -> Self {
        self.internal = internal;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Until when a task is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Until {
    /// Until its run ends.
    Finished,
    /// For this long after its submission, whatever becomes of it.
    Elapsed(Duration),
}

/// When a task runs by itself, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleOption {
    /// By a cron expression of five fields (minute, hour, day of month, month, day of week), in a time zone.
    Cron {
        /// The expression, such as `0 3 * * *`.
        expression: &'static str,
        /// An IANA name such as `Europe/Berlin`; `UTC` if not written.
        time_zone: &'static str,
    },
    /// Again and again after this long.
    Every(Duration),
}
