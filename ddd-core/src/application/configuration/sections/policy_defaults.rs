use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    application::Settings,
    domain::{PolicyKind, as_written::DurationSchema, duration_serde::configured},
};

/// What holds for function policies whose attributes do not say it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicyDefaultsSection {
    /// Of `#[cached]`.
    cached: CachedDefaults,
    /// Of `#[rate_limited]`.
    rate_limited: RateLimitedDefaults,
    /// Of `#[retry]`.
    retry: RetryDefaults,
}

/// Defaults of caches.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct CachedDefaults {
    /// How long a value is served after its fill: 1 h unless set.
    #[serde(with = "configured", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationSchema>")]
    ttl: Option<Duration>,
    /// How many values are kept: 10,000 unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    capacity: Option<u64>,
}

/// Defaults of rate limits.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RateLimitedDefaults {
    /// How many calls may pass in one period: 60 unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// The period: 1 min unless set.
    #[serde(with = "configured", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationSchema>")]
    per: Option<Duration>,
    /// How many may pass at once, of those that are token buckets: the limit unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    burst: Option<u32>,
}

/// Defaults of retries of functions. Those of tasks are `tasks.retry`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RetryDefaults {
    /// How often the body runs at most, the first run counted: 3 unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    max_attempts: Option<u32>,
    /// The upper bound of the pause after the first attempt: 1 s unless set.
    #[serde(with = "configured", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationSchema>")]
    delay: Option<Duration>,
    /// By what the bound grows with each attempt: 2 unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<f64>,
    /// What a pause never exceeds: 30 s unless set.
    #[serde(with = "configured", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationSchema>")]
    max_delay: Option<Duration>,
    /// Whether a pause is drawn from zero to its bound: it is, unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<bool>,
}

impl PolicyDefaultsSection {
    pub(super) fn apply(&self, settings: &mut Settings) {
        let kinds = [
            (PolicyKind::Cached, serde_json::to_value(&self.cached)),
            (PolicyKind::RateLimited, serde_json::to_value(&self.rate_limited)),
            (PolicyKind::Retry, serde_json::to_value(&self.retry)),
        ];
        for (kind, defaults) in kinds {
            if let Ok(Value::Object(defaults)) = defaults
                && !defaults.is_empty()
            {
                settings.policy_defaults.entry(kind).or_default().extend(defaults);
            }
        }
    }
}
