use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::Error};

use crate::{
    application::Settings,
    domain::{Name, Quota, as_written::DurationSchema, duration_serde::configured},
    ports::QueueSettings,
};

/// The limits of queues, by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Queues(BTreeMap<QueueName, QueueSection>);

/// The name of a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
struct QueueName(String);

impl<'de> Deserialize<'de> for QueueName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Name::check(&name).map_err(D::Error::custom)?;
        Ok(Self(name))
    }
}

/// The limits of one queue. What is not set has none.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QueueSection {
    /// How many tasks may wait in it.
    #[schemars(range(min = 1))]
    max_depth: Option<usize>,
    /// How many of its tasks may run at once over all workers.
    #[schemars(range(min = 1))]
    concurrency: Option<usize>,
    /// How many of its tasks may run at once in one worker.
    #[schemars(range(min = 1))]
    concurrency_per_worker: Option<usize>,
    /// How many of its tasks may start per period, over all workers.
    rate_limit: Option<QuotaSection>,
}

/// So many per period.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QuotaSection {
    /// How many.
    #[schemars(with = "u32", range(min = 1))]
    limit: NonZeroU32,
    /// The period.
    #[serde(default, with = "configured")]
    #[schemars(with = "Option<DurationSchema>")]
    per: Option<Duration>,
    /// How many at once; the whole limit unless set.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    burst: Option<NonZeroU32>,
}

impl QuotaSection {
    fn quota(&self) -> Option<Quota> {
        let quota = Quota::new(self.limit.get(), self.per.unwrap_or(Duration::from_secs(60)))?;
        Some(self.burst.map_or(quota, |it| quota.burst(it.get())))
    }
}

impl Queues {
    pub(super) fn apply(&self, settings: &mut Settings) {
        for (name, queue) in &self.0 {
            let configured = QueueSettings {
                max_depth: queue.max_depth,
                concurrency: queue.concurrency,
                concurrency_per_worker: queue.concurrency_per_worker,
                rate_limit: queue.rate_limit.as_ref().and_then(QuotaSection::quota),
            };
            settings.store.queues.push((Name::from(name.0.clone()), configured));
        }
    }
}
