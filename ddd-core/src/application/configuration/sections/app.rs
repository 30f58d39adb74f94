use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the service is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AppSection {
    /// Its name, in logs and traces.
    pub(crate) name: Option<String>,
    /// Its version, in logs and traces.
    pub(crate) version: Option<String>,
    /// The profile: which file beside `default.yaml` counts. It is taken from the environment, not from files.
    pub(crate) environment: Option<String>,
    /// Whether it is being developed: logs are for people, and verbose.
    pub(crate) debug: Option<bool>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSection {
    /// `error`, `warn`, `info`, `debug` or `trace`; or directives such as `info,my_crate=debug`.
    pub(crate) level: Option<String>,
    /// `json` for machines, `pretty` for people.
    pub(crate) format: Option<LogFormat>,
}

/// The form of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people. The original's `console`.
    #[serde(alias = "console")]
    Pretty,
}

impl LogSection {
    pub(super) fn defaults() -> Self {
        Self { level: Some("info".to_owned()), format: Some(LogFormat::Pretty) }
    }
}

/// Where tasks are kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreSection {
    /// `memory:`, or the URL of a store.
    pub(crate) url: Option<String>,
}

impl StoreSection {
    pub(super) fn defaults() -> Self {
        Self { url: Some("memory:".to_owned()) }
    }
}
