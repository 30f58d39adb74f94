//! The settings of an application.

use std::{collections::HashMap, time::Duration};

use super::policies::{PolicyDefaults, PolicyOverrides, PolicyWishes};
use crate::{
    domain::{ConfigurationProblem, Name, Priority, Retry},
    ports::StoreSettings,
};

/// The settings of an application. Each has a default; code sets what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How many bodies run at once in this process: 4 × cores, at least 4.
    pub slots: usize,
    /// Which queues this process serves; `None` means those of all linked definitions, and `default`.
    pub queues: Option<Vec<Name>>,
    /// How long one attempt may take, unless the task says otherwise: 300 s.
    pub timeout: Duration,
    /// How tasks are retried, unless they say otherwise: not at all.
    pub retry: Retry,
    /// How long a result is kept, unless the task says otherwise: 2 h.
    pub result_ttl: Duration,
    /// How long a cancelled body that awaits `cancelled()` may clean up: 5 s.
    pub cancel_grace: Duration,
    /// How long the teardown of a factory's value may take before it is dropped: 30 s.
    pub teardown_timeout: Duration,
    /// How long a worker holds a task without a sign of life: 15 s.
    pub lease: Duration,
    /// How often a worker gives a sign of life: 5 s. The lease must be more than twice as long.
    pub heartbeat: Duration,
    /// How often a worker looks for tasks that no hint told it of: 1 s.
    pub poll_interval: Duration,
    /// How long a store may take to answer one call: 5 s.
    pub store_timeout: Duration,
    /// How long [`App::run`](crate::App::run) lets running tasks finish after a signal: 30 s.
    pub shutdown_timeout: Duration,
    /// How far over its timeout a body may be before it counts as one that cannot be stopped: 1 s.
    pub overdue_grace: Duration,
    /// How many transitions a slow subscriber may lag behind before it loses the oldest: 65,536.
    pub transitions_buffer: usize,
    /// The bounds of the store and the settings of queues.
    pub store: StoreSettings,
    /// What overrides the attribute of a definition, by its name.
    pub overrides: HashMap<Name, TaskOverrides>,
    /// What overrides the attribute of a function policy, by its name and kind. Policies belong to the process, and the first
    /// application that has any overrides gives them to the policies; another one must have the same, or none.
    pub policies: PolicyOverrides,
    /// What holds for all function policies of a kind, as far as their attributes do not say it: `policy_defaults.cached.ttl` in a
    /// configuration. They belong to the process as well.
    pub policy_defaults: PolicyDefaults,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            slots: (4 * cores).max(4),
            queues: None,
            timeout: Duration::from_secs(300),
            retry: Retry::NONE,
            result_ttl: Duration::from_secs(2 * 3_600),
            cancel_grace: Duration::from_secs(5),
            teardown_timeout: Duration::from_secs(30),
            lease: Duration::from_secs(15),
            heartbeat: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            store_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(30),
            overdue_grace: Duration::from_secs(1),
            transitions_buffer: 65_536,
            store: StoreSettings::default(),
            overrides: HashMap::new(),
            policies: PolicyOverrides::new(),
            policy_defaults: PolicyDefaults::new(),
        }
    }
}

impl Settings {
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);
    pub(crate) const MOST_SLOTS: usize = 1_000_000;

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.faults().into_iter().map(|it| it.message).collect()
    }

    /// What they say about function policies.
    pub(crate) fn policy_wishes(&self) -> PolicyWishes {
        PolicyWishes { overrides: self.policies.clone(), defaults: self.policy_defaults.clone() }
    }

    /// What is wrong with them, each with the setting of a configuration that it is.
    pub(crate) fn faults(&self) -> Vec<ConfigurationProblem> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, key: &str, problem: &str| {
            if !holds {
                faults.push(fault(key, problem));
            }
        };
        require(self.slots > 0, "max_workers", "`slots` is 0; write at least 1, or do not start workers");
        require(!self.timeout.is_zero(), "timeout", "`timeout` is zero; write at least 1ms");
        require(!self.poll_interval.is_zero(), "poll_interval", "`poll_interval` is zero; write at least 1ms");
        require(!self.heartbeat.is_zero(), "heartbeat", "`heartbeat` is zero; write at least 1ms");
        require(
            self.lease > self.heartbeat.saturating_mul(2),
            "lease",
            "`lease` is not more than twice `heartbeat`: one late heartbeat would lose a task",
        );
        require(self.transitions_buffer > 0, "transitions_buffer", "`transitions_buffer` is 0; write at least 1");
        require(!self.store_timeout.is_zero(), "store_timeout", "`store_timeout` is zero; write at least 1ms");
        require(!self.teardown_timeout.is_zero(), "teardown_timeout", "`teardown_timeout` is zero; write at least 1ms");
        require(
            self.slots <= Self::MOST_SLOTS,
            "max_workers",
            "`slots` is over 1,000,000, which can only be a mistake",
        );
        let times = [
            ("cancel_grace", self.cancel_grace),
            ("teardown_timeout", self.teardown_timeout),
            ("lease", self.lease),
            ("heartbeat", self.heartbeat),
            ("poll_interval", self.poll_interval),
            ("store_timeout", self.store_timeout),
            ("overdue_grace", self.overdue_grace),
        ];
        faults.extend(wrong_retry(&self.retry).map(|(key, it)| fault(key, it)));
        // What is added to a time of a clock must not reach beyond it.
        let too_long = times.into_iter().filter(|it| it.1 > Self::LONGEST);
        faults.extend(too_long.map(|(name, it)| fault(name, &format!("`{name}` is {it:?}; write at most one year"))));
        let mut overrides: Vec<_> = self.overrides.iter().collect();
        overrides.sort_by_key(|it| it.0);
        faults.extend(overrides.into_iter().flat_map(|(name, it)| it.faults(name)));
        faults
    }
}

/// A fault of a setting of tasks. Where it stands, whoever has read the configuration knows.
fn fault(key: &str, message: &str) -> ConfigurationProblem {
    ConfigurationProblem::new(None, format!("tasks.{key}"), message)
}

/// What is wrong with a retry, each with its setting.
fn wrong_retry(retry: &Retry) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    let is_growth = retry.backoff.is_finite() && retry.backoff >= 0.0;
    let wrong = [
        (
            retry.max_attempts == 0,
            "retry.max_attempts",
            "`retry.max_attempts` is 0; the first run counts, so write at least 1",
        ),
        (!is_growth, "retry.backoff", "`retry.backoff` is no number from 0 up"),
    ];
    wrong.into_iter().filter(|it| it.0).map(|it| (it.1, it.2))
}

/// What overrides the attribute of one definition. `None` leaves what the attribute says.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TaskOverrides {
    /// The queue.
    pub queue: Option<Name>,
    /// The priority.
    pub priority: Option<Priority>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Retries.
    pub retry: Option<Retry>,
    /// How many tasks of one concurrency key may be ready or running at once.
    pub concurrency: Option<u32>,
    /// How long the result is kept.
    pub result_ttl: Option<Duration>,
}

impl TaskOverrides {
    /// Nothing overridden.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is wrong with what overrides the task `task`.
    fn faults(&self, task: &Name) -> impl Iterator<Item = ConfigurationProblem> {
        let queue = self.queue.as_ref().and_then(|it| Some(format!("`queue` is `{it}`: {}", Name::check(it).err()?)));
        let wrong = [
            (self.timeout == Some(Duration::ZERO), "timeout", "`timeout` is zero; write at least 1ms"),
            (self.concurrency == Some(0), "concurrency", "`concurrency` is 0; write at least 1, or pause the queue"),
        ];
        let wrong = wrong.into_iter().filter(|it| it.0).map(|it| (it.1, it.2));
        let wrong = wrong.chain(self.retry.iter().flat_map(wrong_retry)).map(|(key, it)| (key, it.to_owned()));
        wrong.chain(queue.map(|it| ("queue", it))).map(move |(key, it)| {
            fault(&format!("definitions.{task}.{key}"), &format!("settings override task `{task}`: {it}"))
        })
    }

    /// What `before` says, where these say nothing.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            queue: self.queue.or(before.queue),
            priority: self.priority.or(before.priority),
            timeout: self.timeout.or(before.timeout),
            retry: self.retry.or(before.retry),
            concurrency: self.concurrency.or(before.concurrency),
            result_ttl: self.result_ttl.or(before.result_ttl),
        }
    }

    /// In this queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<Name>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// With this priority.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
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

    /// At most so many tasks of one concurrency key are ready or running. The attribute must say `concurrency(…)`, for the
    /// key.
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
}
