use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::Error};

use crate::{
    application::{Settings, TaskOverrides},
    domain::{
        Name, Priority, RankStep, Retry,
        as_written::{DurationSchema, SizeSchema},
        duration_serde::configured,
        size,
    },
};

/// How tasks run.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TasksSection {
    /// How many bodies run at once in this process.
    #[schemars(range(min = 1, max = 1_000_000))]
    max_workers: Option<usize>,
    /// Which queues this process serves; all that it knows, unless set.
    queues: Option<Vec<String>>,
    /// How long one attempt may take.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    timeout: Option<Duration>,
    /// How tasks are retried, unless they say otherwise.
    retry: Option<RetrySection>,
    /// How long a result is kept.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    result_ttl: Option<Duration>,
    /// How many results are kept in memory, the least recently used dropped first.
    results_max: Option<usize>,
    /// How many finished records are kept in memory.
    history_max: Option<usize>,
    /// How long finished records are kept.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    history_ttl: Option<Duration>,
    /// How long the records of failed tasks are kept.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    failed_ttl: Option<Duration>,
    /// How many idempotency keys are kept in memory.
    idempotency_keys_max: Option<usize>,
    /// How much older a task must be to overtake one of the next higher priority; `strict` if none ever may.
    priority_step: Option<StepSection>,
    /// How long a cancelled body may clean up.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    cancel_grace: Option<Duration>,
    /// How long the teardown of an injected value may take.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    teardown_timeout: Option<Duration>,
    /// How long a worker holds a task without a sign of life.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    lease: Option<Duration>,
    /// How often a worker gives a sign of life.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    heartbeat: Option<Duration>,
    /// How often a worker looks for tasks that no hint told it of.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    poll_interval: Option<Duration>,
    /// How long a store may take to answer.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    store_timeout: Option<Duration>,
    /// How long running tasks may finish after a signal to end.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    shutdown_timeout: Option<Duration>,
    /// How far over its timeout a body may be before it counts as one that cannot be stopped.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    overdue_grace: Option<Duration>,
    /// How many transitions a slow subscriber may lag behind.
    transitions_buffer: Option<usize>,
    /// How many deaths of its workers let a task run alone.
    crashes_until_alone: Option<u32>,
    /// How many deaths of its workers make a task fail.
    crashes_until_failed: Option<u32>,
    /// The largest sizes.
    limits: LimitsSection,
    /// What overrides the attribute of a task, by its name.
    definitions: BTreeMap<String, DefinitionSection>,
}

/// The largest sizes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LimitsSection {
    /// The parameters, as JSON.
    #[serde(with = "size")]
    #[schemars(with = "Option<SizeSchema>")]
    params: Option<usize>,
    /// The result, as JSON.
    #[serde(with = "size")]
    #[schemars(with = "Option<SizeSchema>")]
    result: Option<usize>,
    /// The text of an error.
    #[serde(with = "size")]
    #[schemars(with = "Option<SizeSchema>")]
    error: Option<usize>,
    /// The text of a progress report.
    #[serde(with = "size")]
    #[schemars(with = "Option<SizeSchema>")]
    progress: Option<usize>,
}

/// How tasks are retried.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RetrySection {
    /// How often the body runs at most, the first run counted.
    max_attempts: Option<u32>,
    /// The upper bound of the delay before the second attempt.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    delay: Option<Duration>,
    /// By what the bound grows with each attempt.
    backoff: Option<f64>,
    /// What the bound never exceeds.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    max_delay: Option<Duration>,
    /// Whether the delay is drawn from zero to its bound.
    jitter: Option<bool>,
}

/// What overrides the attribute of one task.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct DefinitionSection {
    /// The queue.
    queue: Option<String>,
    /// The priority, -10 to 10.
    #[schemars(with = "Option<i8>", range(min = -10, max = 10))]
    priority: Option<Priority>,
    /// How long one attempt may take.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    timeout: Option<Duration>,
    /// Retries.
    retry: Option<RetrySection>,
    /// How many tasks of one concurrency key may be ready or running at once.
    concurrency: Option<u32>,
    /// How long the result is kept.
    #[serde(with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    result_ttl: Option<Duration>,
}

/// A step of priority: a duration, or `strict`.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(with = "String")]
struct StepSection(RankStep);

impl<'de> Deserialize<'de> for StepSection {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "strict" {
            return Ok(Self(RankStep::STRICT));
        }
        let step = crate::domain::IntoDuration::into_duration(text.as_str());
        step.map(|it| Self(RankStep::new(it))).map_err(|it| D::Error::custom(format!("{it}; or write `strict`")))
    }
}

impl Serialize for StepSection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 == RankStep::STRICT {
            true => serializer.serialize_str("strict"),
            false => configured::serialize(&Some(self.0.get()), serializer),
        }
    }
}

impl RetrySection {
    fn of(retry: Retry) -> Self {
        Self {
            max_attempts: Some(retry.max_attempts),
            delay: Some(retry.delay),
            backoff: Some(retry.backoff),
            max_delay: Some(retry.max_delay),
            jitter: Some(retry.jitter),
        }
    }

    fn over(&self, retry: Retry) -> Retry {
        Retry {
            max_attempts: self.max_attempts.unwrap_or(retry.max_attempts),
            delay: self.delay.unwrap_or(retry.delay),
            backoff: self.backoff.unwrap_or(retry.backoff),
            max_delay: self.max_delay.unwrap_or(retry.max_delay),
            jitter: self.jitter.unwrap_or(retry.jitter),
        }
    }
}

/// Writes what is configured over what is there.
macro_rules! set {
    ($($target:expr => $value:expr;)*) => {$(
        if let Some(value) = $value {
            $target = value;
        }
    )*};
}

impl TasksSection {
    pub(super) fn of(settings: &Settings) -> Self {
        let (store, limits) = (&settings.store, settings.store.limits);
        Self {
            max_workers: Some(settings.slots),
            queues: None,
            timeout: Some(settings.timeout),
            retry: Some(RetrySection::of(settings.retry)),
            result_ttl: Some(settings.result_ttl),
            results_max: Some(store.results_max),
            history_max: Some(store.history_max),
            history_ttl: Some(store.history_ttl),
            failed_ttl: Some(store.failed_ttl),
            idempotency_keys_max: Some(store.idempotency_keys_max),
            priority_step: Some(StepSection(store.rank_step)),
            cancel_grace: Some(settings.cancel_grace),
            teardown_timeout: Some(settings.teardown_timeout),
            lease: Some(settings.lease),
            heartbeat: Some(settings.heartbeat),
            poll_interval: Some(settings.poll_interval),
            store_timeout: Some(settings.store_timeout),
            shutdown_timeout: Some(settings.shutdown_timeout),
            overdue_grace: Some(settings.overdue_grace),
            transitions_buffer: Some(settings.transitions_buffer),
            crashes_until_alone: Some(store.crashes_until_alone),
            crashes_until_failed: Some(store.crashes_until_failed),
            limits: LimitsSection {
                params: Some(limits.params),
                result: Some(limits.result),
                error: Some(limits.error),
                progress: Some(limits.progress),
            },
            definitions: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&self, settings: &mut Settings) {
        set! {
            settings.slots => self.max_workers;
            settings.timeout => self.timeout;
            settings.retry => self.retry.as_ref().map(|it| it.over(settings.retry));
            settings.result_ttl => self.result_ttl;
            settings.store.results_max => self.results_max;
            settings.store.history_max => self.history_max;
            settings.store.history_ttl => self.history_ttl;
            settings.store.failed_ttl => self.failed_ttl;
            settings.store.idempotency_keys_max => self.idempotency_keys_max;
            settings.store.rank_step => self.priority_step.map(|it| it.0);
            settings.cancel_grace => self.cancel_grace;
            settings.teardown_timeout => self.teardown_timeout;
            settings.lease => self.lease;
            settings.heartbeat => self.heartbeat;
            settings.poll_interval => self.poll_interval;
            settings.store_timeout => self.store_timeout;
            settings.shutdown_timeout => self.shutdown_timeout;
            settings.overdue_grace => self.overdue_grace;
            settings.transitions_buffer => self.transitions_buffer;
            settings.store.crashes_until_alone => self.crashes_until_alone;
            settings.store.crashes_until_failed => self.crashes_until_failed;
            settings.store.limits.params => self.limits.params;
            settings.store.limits.result => self.limits.result;
            settings.store.limits.error => self.limits.error;
            settings.store.limits.progress => self.limits.progress;
        }
        if let Some(queues) = &self.queues {
            settings.queues = Some(queues.iter().cloned().map(Name::from).collect());
        }
        for (name, section) in &self.definitions {
            let overrides = section.overrides(settings.retry);
            settings.overrides.insert(Name::from(name.clone()), overrides);
        }
    }
}

impl DefinitionSection {
    /// What a retry leaves out, the settings for all tasks say.
    fn overrides(&self, retry: Retry) -> TaskOverrides {
        TaskOverrides {
            queue: self.queue.clone().map(Name::from),
            priority: self.priority,
            timeout: self.timeout,
            retry: self.retry.as_ref().map(|it| it.over(retry)),
            concurrency: self.concurrency,
            result_ttl: self.result_ttl,
        }
    }
}
