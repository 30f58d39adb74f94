use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use serde_json::Value;

use crate::{
    application::{Settings, configuration::reader::SCALAR},
    domain::PolicyKind,
};

/// What overrides the attributes of function policies: by the function's name, then by the kind. Which settings a kind has, its
/// policies check themselves when the application is built.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Policies(BTreeMap<String, Stack>);

/// The policies of one function.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Stack {
    cached: BTreeMap<String, Setting>,
    rate_limited: BTreeMap<String, Setting>,
    retry: BTreeMap<String, Setting>,
    circuit_breaker: BTreeMap<String, Setting>,
    timeout: BTreeMap<String, Setting>,
    bulkhead: BTreeMap<String, Setting>,
}

/// A value of any type; a text from a source that knows no types is a number or a truth value if it reads like one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Setting(Value);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl<'de> Visitor<'de> for Scalar {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Setting, D::Error> {
                Value::deserialize(deserializer).map(Setting)
            }
        }
        deserializer.deserialize_newtype_struct(SCALAR, Scalar)
    }
}

impl Policies {
    pub(super) fn apply(&self, settings: &mut Settings) {
        for (name, stack) in &self.0 {
            let kinds = [
                (PolicyKind::Cached, &stack.cached),
                (PolicyKind::RateLimited, &stack.rate_limited),
                (PolicyKind::Retry, &stack.retry),
                (PolicyKind::CircuitBreaker, &stack.circuit_breaker),
                (PolicyKind::Timeout, &stack.timeout),
                (PolicyKind::Bulkhead, &stack.bulkhead),
            ];
            for (kind, overrides) in kinds.into_iter().filter(|it| !it.1.is_empty()) {
                let overrides = overrides.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect();
                settings.policies.entry(name.clone()).or_default().insert(kind, overrides);
            }
        }
    }
}
